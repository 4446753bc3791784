"""AWS event-stream frames, written and read.

    total length   4 bytes, big endian, of the whole frame
    headers length 4 bytes
    prelude CRC    4 bytes, CRC-32 of the eight bytes before
    headers        each: 1 byte name length, name, 1 byte type, value
    payload
    message CRC    4 bytes, CRC-32 of everything before, the prelude with its CRC included

Header values by type: 0 true, 1 false, 2 byte, 3 short, 4 int, 5 long, 6 bytes and 7 string (2 bytes length before them),
8 timestamp in milliseconds, 9 UUID.
"""

import datetime
import struct
import uuid
import zlib

PRELUDE, OVERHEAD = 12, 16
# What AWS's own readers allow.
MOST_HEADERS, MOST_PAYLOAD = 128 * 1024, 24 * 1024 * 1024
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
INTEGERS = {2: ">b", 3: ">h", 4: ">i", 5: ">q"}


class FrameError(ValueError):
    """These bytes are no frame."""


class Integer(int):
    """An integer that travels in a given width; a plain `int` travels as int (type 4)."""

    def __new__(cls, value, kind):
        number = super().__new__(cls, value)
        number.kind = kind
        return number


def encode(headers, payload):
    """One frame. Headers are pairs of name and value; the value's Python type picks the wire type."""
    block = b"".join(_encode_header(name, value) for name, value in headers)
    prelude = struct.pack(">II", OVERHEAD + len(block) + len(payload), len(block))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + payload
    return body + struct.pack(">I", zlib.crc32(body))


def decode(data):
    """Headers and payload of the one frame that these bytes are."""
    if len(data) < OVERHEAD:
        raise FrameError("shorter than the shortest frame")
    total, headers_length, prelude_crc = struct.unpack_from(">III", data)
    if zlib.crc32(data[:8]) != prelude_crc:
        raise FrameError("the prelude's checksum is wrong")
    if total != len(data):
        raise FrameError("the length is not that of the bytes")
    if headers_length > MOST_HEADERS or headers_length > total - OVERHEAD or total - headers_length - OVERHEAD > MOST_PAYLOAD:
        raise FrameError("the lengths contradict each other or pass the limits")
    if zlib.crc32(data[:-4]) != struct.unpack_from(">I", data, total - 4)[0]:
        raise FrameError("the message's checksum is wrong")
    end = PRELUDE + headers_length
    return _decode_headers(data[PRELUDE:end]), data[end : total - 4]


def split(data):
    """Frames of a whole stream, and the bytes after the last complete one."""
    frames, place = [], 0
    while len(data) - place >= PRELUDE:
        total = struct.unpack_from(">I", data, place)[0]
        if total < OVERHEAD or len(data) - place < total:
            break
        frames.append(decode(data[place : place + total]))
        place += total
    return frames, data[place:]


def event(name, payload):
    return encode([(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload)


def exception(name, payload):
    return encode([(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")], payload)


def error(code, message):
    """An error that the service does not model; it has no payload."""
    return encode([(":error-code", code), (":error-message", message), (":message-type", "error")], b"")


def _encode_header(name, value):
    text = name.encode()
    if not 0 < len(text) < 256:
        raise FrameError("a header's name has 1 to 255 bytes")
    kind, data = _encode_value(value)
    return bytes([len(text)]) + text + bytes([kind]) + data


def _encode_value(value):
    if isinstance(value, bool):
        return (0, b"") if value else (1, b"")
    if isinstance(value, int):
        kind = getattr(value, "kind", 4)
        return kind, struct.pack(INTEGERS[kind], value)
    if isinstance(value, datetime.datetime):
        return 8, struct.pack(">q", (value - EPOCH) // datetime.timedelta(milliseconds=1))
    if isinstance(value, uuid.UUID):
        return 9, value.bytes
    data, kind = (value.encode(), 7) if isinstance(value, str) else (bytes(value), 6)
    return kind, struct.pack(">H", len(data)) + data


def _decode_headers(block):
    headers, place = [], 0
    while place < len(block):
        length = block[place]
        name, place = _take(block, place + 1, length)
        if not name:
            raise FrameError("a header has no name")
        kind, place = _take(block, place, 1)
        value, place = _decode_value(kind[0], block, place)
        headers.append((_text(name), value))
    return headers


def _decode_value(kind, block, place):
    if kind in (0, 1):
        return kind == 0, place
    if kind in INTEGERS:
        data, place = _take(block, place, struct.calcsize(INTEGERS[kind]))
        return Integer(struct.unpack(INTEGERS[kind], data)[0], kind), place
    if kind in (6, 7):
        length, place = _take(block, place, 2)
        data, place = _take(block, place, struct.unpack(">H", length)[0])
        return (_text(data) if kind == 7 else data), place
    if kind == 8:
        data, place = _take(block, place, 8)
        return EPOCH + datetime.timedelta(milliseconds=struct.unpack(">q", data)[0]), place
    if kind == 9:
        data, place = _take(block, place, 16)
        return uuid.UUID(bytes=data), place
    raise FrameError(f"there is no header type {kind}")


def _take(block, place, length):
    if place + length > len(block):
        raise FrameError("a header is longer than the headers")
    return block[place : place + length], place + length


def _text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FrameError("a header is not UTF-8") from None
