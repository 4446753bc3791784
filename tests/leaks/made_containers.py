"""Containers made for the self-test: each takes bytes and gives the bytes of a file that holds them, as Custody or Kafka would write it."""

import gzip
import io
import json
import os
import zlib

import lz4.frame
import pyarrow
import pyarrow.parquet
import zstandard


def log_line(data):
    return b"2026-11-21T10:00:00Z  WARN a call failed error=" + data + b"\n"


def memory(data):
    """A core: the text somewhere in what looks like nothing."""
    return os.urandom(70_001) + data + os.urandom(70_003)


def delta_entry(data):
    """Statistics are JSON within JSON."""
    stats = json.dumps({"numRecords": 1, "minValues": {"user": _text(data)}})
    return json.dumps({"add": {"path": "part-0.parquet", "stats": stats}}).encode()


def journal(data):
    return _journal(data)


def journal_of_zstd(data):
    return _journal(b"\xc3\x01" + zstandard.compress(data))


def gzipped(data):
    return gzip.compress(data)


def zlibbed(data):
    return b"head" + zlib.compress(data)


def zstd_cut_short(data):
    """What comes before the cut is read."""
    whole = zstandard.ZstdCompressor(level=1).compress(data + b"\n" + os.urandom(400_000))
    return whole[:len(whole) // 2]


def zstd_in_gzip_in_zstd(data):
    return zstandard.compress(gzip.compress(zstandard.compress(data)))


def kafka_plain(data):
    return _kafka(0, data)


def kafka_gzip(data):
    return _kafka(1, gzip.compress(data))


def kafka_snappy(data):
    return _kafka(2, pyarrow.compress(data, codec="snappy", asbytes=True))


def kafka_java_snappy(data):
    block = pyarrow.compress(data, codec="snappy", asbytes=True)
    return _kafka(2, b"\x82SNAPPY\x00" + (1).to_bytes(4, "big") * 2 + len(block).to_bytes(4, "big") + block)


def kafka_lz4(data):
    return _kafka(3, lz4.frame.compress(data))


def kafka_zstd(data):
    return _kafka(4, zstandard.compress(data))


def parquet_zstd(data):
    return _parquet({"seq": range(3), "note": [b"x", data, b"y"]}, compression="zstd")


def parquet_snappy(data):
    return _parquet({"note": [b"x", data, b"y"]}, compression="snappy", use_dictionary=False)


def parquet_dictionary(data):
    return _parquet({"note": [data] * 100}, compression="gzip", use_dictionary=True)


def parquet_nested(data):
    return _parquet({"tags": [[{"key": "k", "value": data}]]}, compression="zstd")


def parquet_statistics(data):
    """The value stands in no page that is read here but in the statistics, which the writer keeps beside it."""
    return _parquet({"note": pyarrow.array([data])}, compression="zstd", write_statistics=True)


def parquet_metadata(data):
    table = pyarrow.table({"seq": [1]}).replace_schema_metadata({"note": data})
    return _written(table, compression="zstd")


def parquet_column_name(data):
    """Names are text: what is none is written as JSON would write it."""
    return _parquet({json.dumps(_text(data)): [1]}, compression="zstd")


def parquet_in_kafka(data):
    return _kafka(4, zstandard.compress(parquet_snappy(data)))


ALL = (log_line, memory, delta_entry, journal, journal_of_zstd, gzipped, zlibbed, zstd_cut_short, zstd_in_gzip_in_zstd, kafka_plain, kafka_gzip,
       kafka_snappy, kafka_java_snappy, kafka_lz4, kafka_zstd, parquet_zstd, parquet_snappy, parquet_dictionary, parquet_nested,
       parquet_statistics, parquet_metadata, parquet_column_name, parquet_in_kafka)


def _text(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _journal(payload):
    first = b"CJF1" + (5).to_bytes(4, "little") + bytes(56) + b"first" + bytes(3)
    frame = b"CJF1" + len(payload).to_bytes(4, "little") + bytes(56) + payload
    return b"CUSTODYJ" + bytes(4088) + first + frame + bytes(-len(frame) % 8) + bytes(4096)


def _kafka(codec, records):
    """Two batches: the first holds nothing."""
    return b"".join(_batch(offset, codec if offset else 0, body) for offset, body in ((0, b"nothing"), (1, records)))


def _batch(offset, codec, records):
    rest = bytes(4) + b"\x02" + bytes(4) + codec.to_bytes(2, "big") + bytes(38) + records
    return offset.to_bytes(8, "big") + len(rest).to_bytes(4, "big") + rest


def _parquet(columns, **options):
    return _written(pyarrow.table({name: pyarrow.array(list(values)) for name, values in columns.items()}), **options)


def _written(table, **options):
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, **options)
    return out.getvalue()
