"""Opens what holds bytes in other bytes: everything found inside is given out with a name, and opened again.

Known by their first bytes: Parquet files, journal segments, Kafka's segments. Compressed streams (zstd, gzip, zlib, LZ4, Snappy as Kafka's
Java clients frame it) are found anywhere in any bytes, so that those in records, in claim checks and in memory are opened as well.
"""

import re
import zlib

import lz4.frame
import zstandard

import kafka_segments
import parquet_files

DEEPEST = 4
# More than this out of one stream would be a bomb; it is told, and fails the scan.
LARGEST = 256 << 20
SNAPPY_HEAD = b"\x82SNAPPY\x00"
MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|\x1f\x8b\x08|\x04\x22\x4d\x18|" + re.escape(SNAPPY_HEAD) + rb"|\x78[\x01\x5e\x9c\xda]")
JOURNAL, FRAME, FRAME_HEAD = b"CUSTODYJ", b"CJF1", 64


class TooLarge(Exception):
    pass


def opened(name, data, depth=0):
    """The bytes themselves, and everything in them."""
    yield name, data
    if depth == DEEPEST:
        return
    for inner, more in _inside(data):
        yield from opened(f"{name} ▸ {inner}", more, depth + 1)


def _inside(data):
    if parquet_files.is_one(data):
        yield from parquet_files.parts(data)
    if data[:8] == JOURNAL:
        yield from _frames(data)
    if kafka_segments.is_one(data):
        yield from kafka_segments.batches(data)
    for found in MAGIC.finditer(data):
        plain = _decompressed(data, found.start(), found.group())
        if plain:
            yield f"{_name(found.group())} at {found.start()}", plain


def _frames(data):
    """Payloads alone, however the frames are aligned; raw bytes are searched besides, so a broken frame hides nothing."""
    at = data.find(FRAME)
    while at >= 0:
        length = int.from_bytes(data[at + 4:at + 8], "little")
        yield f"frame at {at}", data[at + FRAME_HEAD:at + FRAME_HEAD + length]
        at = data.find(FRAME, at + FRAME_HEAD)


def _decompressed(data, at, magic):
    """What comes out, as far as it comes: a stream may be cut, and two chance bytes are none."""
    piece = memoryview(data)[at:]
    try:
        if magic == b"\x28\xb5\x2f\xfd":
            plain = _zstd(piece)
        elif magic == b"\x04\x22\x4d\x18":
            plain = _streamed(lz4.frame.LZ4FrameDecompressor(), piece)
        elif magic == SNAPPY_HEAD:
            plain = kafka_segments.unsnapped(bytes(piece))
        else:
            plain = _streamed(zlib.decompressobj(47), piece)
    except (zlib.error, RuntimeError, ValueError, EOFError, zstandard.ZstdError):
        return b""
    if len(plain) >= LARGEST:
        raise TooLarge(f"a stream of more than {LARGEST} bytes")
    return plain


def _zstd(piece):
    """In small steps, so that what comes before a cut or an altered byte is seen."""
    return _streamed(zstandard.ZstdDecompressor().decompressobj(), piece)


def _streamed(decompressor, piece, step=1 << 16):
    out, size = [], 0
    for start in range(0, len(piece), step):
        try:
            out.append(decompressor.decompress(bytes(piece[start:start + step])))
        except Exception as error:
            if not out:
                raise ValueError(str(error)) from error
            break
        size += len(out[-1])
        if getattr(decompressor, "eof", False) or size >= LARGEST:
            break
    return b"".join(out)


def _name(magic):
    return {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b\x08": "gzip", b"\x04\x22\x4d\x18": "lz4", SNAPPY_HEAD: "snappy"}.get(magic, "zlib")
