"""The table of texts as somebody with write access to the lake sees it: rows read and rewritten in place, below the table's log."""

import json

import pyarrow.parquet as parquet


class ContentTable:
    def __init__(self, folder):
        self.folder = folder

    def rows(self):
        return [row for file in self._files() for row in parquet.ParquetFile(file).read().to_pylist()]

    def of(self, request, part="prompt"):
        found = [row for row in self.rows() if row["request_id"] == request and row["part"] == part]
        assert len(found) == 1, f"{len(found)} rows of {part} of {request}"
        return found[0]

    def change(self, request, part="prompt", **columns):
        """Sets columns of one row, and the file's size in the log to what it then is."""
        for file in self._files():
            table = parquet.ParquetFile(file).read()
            rows = table.to_pylist()
            mine = [row for row in rows if row["request_id"] == request and row["part"] == part]
            if mine:
                mine[0].update(columns)
                parquet.write_table(type(table).from_pylist(rows, schema=table.schema), file, compression="zstd")
                self._say_size(file)
                return
        raise AssertionError(f"no row of {part} of {request}")

    def _commits(self):
        return sorted((self.folder / "_delta_log").glob("*.json"))

    def _files(self):
        """The files of the newest version. Checkpoints come after many commits only, more than a drill makes."""
        files = {}
        for commit in self._commits():
            for line in commit.read_text().splitlines():
                action = json.loads(line)
                if "add" in action:
                    files[action["add"]["path"]] = None
                if "remove" in action:
                    files.pop(action["remove"]["path"], None)
        return [self.folder / path for path in files]

    def _say_size(self, file):
        for commit in self._commits():
            lines = [json.loads(line) for line in commit.read_text().splitlines()]
            for line in lines:
                if "add" in line and self.folder / line["add"]["path"] == file:
                    line["add"]["size"] = file.stat().st_size
            commit.write_text("".join(json.dumps(line) + "\n" for line in lines))
