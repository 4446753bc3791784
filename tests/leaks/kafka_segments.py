"""Kafka's segment files: record batches of version 2, as the broker keeps them on disk.

```text
0 base offset 8 · 8 length 4 · 12 leader epoch 4 · 16 magic 1 · 17 CRC 4 · 21 attributes 2 (lowest three bits: codec) · … · 61 records
```
"""

import zlib

import lz4.frame
import pyarrow
import zstandard

HEAD, MAGIC_AT, ATTRIBUTES_AT = 61, 16, 21
SNAPPY_HEAD, SNAPPY_HEAD_BYTES = b"\x82SNAPPY\x00", 16


def is_one(data):
    return len(data) > HEAD and data[:8] < b"\x00\x01" and data[MAGIC_AT] == 2 and HEAD - 12 <= _length(data, 0) <= len(data)


def batches(data):
    """Each batch's records without compression. A batch that can't be read is an error: nothing may be passed over."""
    at = 0
    while at + HEAD < len(data) and _length(data, at) > 0:
        end = at + 12 + _length(data, at)
        if end > len(data):
            break
        codec = int.from_bytes(data[at + ATTRIBUTES_AT:at + ATTRIBUTES_AT + 2], "big") & 7
        yield f"batch at {at}", _plain(codec, data[at + HEAD:end])
        at = end


def unsnapped(data):
    """Raw Snappy, or in the frames of Kafka's Java clients."""
    if not data.startswith(SNAPPY_HEAD):
        return _raw_snappy(data)
    out, at = [], SNAPPY_HEAD_BYTES
    while at + 4 <= len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        if length == 0 or at + 4 + length > len(data):
            break
        out.append(_raw_snappy(data[at + 4:at + 4 + length]))
        at += 4 + length
    return b"".join(out)


def _raw_snappy(data):
    size = shift = 0
    for byte in data[:5]:
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if size > 256 << 20:
        raise ValueError("no Snappy")
    try:
        return pyarrow.decompress(data, decompressed_size=size, codec="snappy", asbytes=True)
    except OSError as error:
        raise ValueError(str(error)) from error


def _length(data, at):
    return int.from_bytes(data[at + 8:at + 12], "big", signed=True)


def _plain(codec, records):
    if codec == 0:
        return records
    if codec == 1:
        return zlib.decompress(records, 47)
    if codec == 2:
        return unsnapped(records)
    if codec == 3:
        return lz4.frame.decompress(records)
    return zstandard.ZstdDecompressor().decompressobj().decompress(records)
