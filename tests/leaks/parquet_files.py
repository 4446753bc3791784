"""Parquet files: every value of every column, column by column; and what stands beside the values: schema, key-value metadata, statistics."""

import json

import pyarrow
import pyarrow.parquet


def is_one(data):
    return data[:4] == b"PAR1" and data[-4:] == b"PAR1"


def parts(data):
    file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(data))
    yield "schema and metadata", _beside(file)
    for group in range(file.num_row_groups):
        for at, name in enumerate(file.schema_arrow.names):
            values = file.read_row_group(group, columns=[name])
            # Each value by itself, and raw: neither an escape nor a separator stands in it.
            yield f"column {name}", b"\n".join(_flat(column.to_pylist()) for column in values.columns)


def _beside(file):
    told = [str(file.schema), str(file.schema_arrow), repr(file.metadata)]
    parts = ["\n".join(told).encode()]
    for metadata in (file.metadata.metadata, file.schema_arrow.metadata):
        parts += [piece for pair in (metadata or {}).items() for piece in pair]
    for group in range(file.metadata.num_row_groups):
        row_group = file.metadata.row_group(group)
        for column in range(row_group.num_columns):
            statistics = row_group.column(column).statistics
            if statistics is not None and statistics.has_min_max:
                parts += [_bytes(statistics.min), _bytes(statistics.max)]
    return b"\n".join(parts)


def _flat(values):
    return b"\n".join(_bytes(value) for value in values)


def _bytes(value):
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return b"\n".join(_bytes(one) for pair in value.items() for one in pair)
    if isinstance(value, (list, tuple)):
        return _flat(value)
    return json.dumps(value, default=str).encode()
