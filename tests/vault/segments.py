"""The content journal as somebody with a disk editor sees it: records taken apart, altered, and written back with checksums that hold.

The layout stands in crates/custody-log/src/format.rs, the record in schemas/content/v1.avsc.
"""

import struct
import zlib

HEAD, FRAME = 4096, 64
MAGIC = b"CJF1"
# Fields of a record in their order: how each is written.
FIELDS = {
    "content_id": "text", "request_id": "text", "time": "number", "tenant": "text", "person": "text?", "part": "text", "ordinal": "number",
    "purpose": "text", "retention_class": "text", "expires_on": "number", "capability": "text", "data_class": "text",
    "handling_rule": "text", "redaction": "text", "bytes": "number", "commitment": "bytes", "sealed": "bytes?", "claim": "text?",
}


def decoded(payload):
    """A content record as a dictionary."""
    at, record = 10, {"": payload[:10]}
    for name, kind in FIELDS.items():
        if kind.endswith("?"):
            branch, at = number(payload, at)
            if branch == 0:
                record[name] = None
                continue
        record[name], at = value(payload, at, kind.rstrip("?"))
    assert at == len(payload), "a record has something behind it"
    return record


def encoded(record):
    out = bytearray(record[""])
    for name, kind in FIELDS.items():
        what = record[name]
        if kind.endswith("?"):
            out += zigzag(0 if what is None else 1)
            if what is None:
                continue
        if kind.startswith("number"):
            out += zigzag(what)
        else:
            raw = what.encode() if isinstance(what, str) else bytes(what)
            out += zigzag(len(raw)) + raw
    return bytes(out)


def value(payload, at, kind):
    size, at = number(payload, at)
    if kind == "number":
        return size, at
    raw = payload[at:at + size]
    return (raw.decode() if kind == "text" else raw), at + size


def number(payload, at):
    shift = bits = 0
    while True:
        byte = payload[at]
        at, bits, shift = at + 1, bits | (byte & 0x7F) << shift, shift + 7
        if not byte & 0x80:
            return (bits >> 1) ^ -(bits & 1), at


def zigzag(whole):
    bits, out = (whole << 1) ^ (whole >> 63), bytearray()
    while bits > 0x7F:
        out.append(bits & 0x7F | 0x80)
        bits >>= 7
    return bytes(out + bytes([bits]))


class Segment:
    """One file of the journal, as a list of frames: head and payload."""

    def __init__(self, path):
        self.path, data = path, path.read_bytes()
        self.size, self.head, self.journal = len(data), data[:HEAD], data[16:32]
        self.frames, at = [], HEAD
        while data[at:at + 4] == MAGIC:
            length = struct.unpack_from("<I", data, at + 4)[0]
            self.frames.append((data[at:at + FRAME], data[at + FRAME:at + FRAME + length]))
            at += FRAME + -(-length // 8) * 8

    def alter(self, change, honest=True):
        """`change` gives another record or the same. A dishonest writer leaves the checksum as it was."""
        changed = 0
        for at, (head, payload) in enumerate(self.frames):
            record = decoded(payload)
            if record["part"] == "end":
                continue
            other = encoded(change(dict(record)))
            if other != payload:
                changed += 1
                self.frames[at] = (self._head(head, other) if honest else head, other)
        return changed

    def records(self):
        return [decoded(payload) for _, payload in self.frames]

    def _head(self, head, payload):
        head = bytearray(head)
        struct.pack_into("<I", head, 4, len(payload))
        struct.pack_into("<I", head, 52, zlib.crc32(payload))
        struct.pack_into("<I", head, 60, zlib.crc32(self.journal + bytes(head[:60])))
        return bytes(head)

    def write(self):
        data = self.head + b"".join(head + payload + bytes(-len(payload) % 8) for head, payload in self.frames)
        assert len(data) <= self.size
        with open(self.path, "r+b") as file:
            file.write(data + bytes(self.size - len(data)))


def segments(folder):
    return [segment for segment in map(Segment, sorted(folder.glob("segment-*.log"))) if segment.frames]


def flipped(sealed, at):
    """One bit turned."""
    sealed = bytearray(sealed)
    sealed[at] ^= 1
    return bytes(sealed)
