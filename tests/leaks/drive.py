#!/usr/bin/env python3
"""The leak scan: canaries and the public sets of personal data and secrets go through every way into Custody, then every place that it
writes to is opened and searched. No text may be found anywhere.

Usage: drive.py BINARY [embedded|distributed] [--control] [--rows N] [--memory] [--keep]
--control: the binary is a control build, which seals and redacts nothing; then every surface must have hits.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from canaries import Canaries, public_rows, some_public_rows
from echo import Echo
from embedded import Embedded
from memory import cores_are_files
from scan import Scan
from ways import Ways


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary", type=Path)
    options.add_argument("parts", nargs="?", default="embedded", choices=["embedded", "distributed"])
    options.add_argument("--control", action="store_true", help="the binary is a control build: every surface must have hits")
    options.add_argument("--rows", type=int, help="so many rows of the public data instead of all")
    options.add_argument("--memory", action="store_true", help="look into the memory of the running process too, and say what stands there")
    options.add_argument("--keep", action="store_true", help="keep the folder")
    options = options.parse_args()
    if options.control:
        os.environ["CUSTODY_UNSEALED"] = "yes"
    work = Path(tempfile.mkdtemp(prefix="custody-leaks-"))
    try:
        return drive(options, work)
    finally:
        print(f"kept: {work}") if options.keep else shutil.rmtree(work, ignore_errors=True)


def drive(options, work):
    began = time.monotonic()
    echo = Echo()
    make = Embedded
    if options.parts == "distributed":
        from distributed import Distributed as make
    site = make(options.binary.resolve(), work, echo)
    try:
        rows = some_public_rows(options.rows) if options.rows else list(public_rows())
        canaries = Canaries()
        site.start()
        ways = Ways(site.address, site.keys, canaries)
        count = ways.all(rows)
        denied, told = site.office().all(ways, canaries)
        ways.others += denied
        killed = canaries.text("killed in the middle")
        wanted = [*canaries.needles(), *values_not_in(work, rows)]
        scan = Scan(wanted)
        print(f"{count} requests, {dict(sorted(ways.statuses.items(), key=str))}; {len(canaries.all)} canaries and "
              f"{len({name for name, _ in wanted}) - len(canaries.all)} public values in {len(scan.patterns)} forms, {time.monotonic() - began:.1f} s")
        for at, said in enumerate(told):
            scan.look("SQL and commands", f"desk {at}", said)
        site.while_running(scan, ways)
        if options.memory:
            report_memory(wanted, site, "after the last request")
        site.stop()
        if not cores_are_files():
            print("this machine does not write cores into the folder of who dies: whether one would be written cannot be seen here")
        cores = site.killed(scan, ways, killed)
        site.at_rest(scan)
        print("\n".join([*scan.table(), *scan.told()]))
        print(f"cores written: {cores}; {time.monotonic() - began:.1f} s in all")
        for one in ways.unanswered:
            print(f"UNANSWERED {one}")
        return 1 if ways.unanswered else verdict(options, site, scan)
    finally:
        site.kill()
        echo.close()


def values_not_in(work, rows):
    """The public values, less those that stand somewhere before anything was sent."""
    values = sorted({(kind, value) for kind, _, values in rows for value in values})
    named = [(f"{kind} {at} ({len(value)} characters)", value) for at, (kind, value) in enumerate(values)]
    before = Scan(named)
    before.look_in("workspace", work / ("data/workspace" if (work / "data").exists() else "seed/workspace"))
    for at, name in enumerate(("ways.py", "echo.py", "governed.py")):
        before.look("code", str(at), (Path(__file__).parent / name).read_bytes())
    known = {name for found in before.hits.values() for name in found}
    return [one for one in named if one[0] not in known]


def report_memory(wanted, site, when):
    scan = Scan(wanted)
    for at, piece in enumerate(site.memory()):
        scan.look(f"memory, {when}", str(at), piece)
    print("\n".join(scan.table()))


def verdict(options, site, scan):
    if not options.control:
        missing = [surface for surface in site.surfaces if surface not in scan.bytes]
        for surface in missing:
            print(f"MISSING {surface}: it was not there to be searched")
        print(f"leak scan, {options.parts}: {scan.total()} hits")
        return 1 if scan.total() or missing else 0
    silent = [surface for surface in site.surfaces if not scan.hits[surface]]
    for surface in silent:
        print(f"SILENT {surface}: the scan found nothing where everything is in the clear")
    print(f"control, {options.parts}: {len(site.surfaces) - len(silent)} of {len(site.surfaces)} surfaces have hits")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
