#!/usr/bin/env python3
"""Draws what the chaos test wrote: answers, refusals, freshness and backlog over time, with the faults. Without matplotlib the CSV files
are all there is.

Usage: plot.py FOLDER
"""

import csv
import sys
from pathlib import Path

KNOWN = {"second", "answered", "waiting_s", "journal_bytes", "shipper_lag", "ingest_lag", "partitions", "tail_rows"}


def read(file):
    with open(file, newline="") as lines:
        return list(csv.DictReader(lines))


def main(folder):
    try:
        import matplotlib
    except ImportError:
        print(f"no matplotlib: the series are in {folder}/*.csv")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    series, faults, fresh = read(folder / "series.csv"), read(folder / "faults.csv"), read(folder / "freshness.csv")
    column = lambda name: [float(row[name]) for row in series]
    seconds = column("second")
    codes = [name for name in series[0] if name not in KNOWN and not name.endswith("_ready")]
    figure, (load, refused, age, backlog) = pyplot.subplots(4, 1, figsize=(16, 14), sharex=True)
    load.plot(seconds, column("answered"), linewidth=0.8)
    load.set_ylabel("answered / s")
    if codes:
        refused.stackplot(seconds, [column(code) for code in codes], labels=codes)
        refused.legend(loc="upper right", fontsize=7)
    refused.set_ylabel("not answered / s")
    age.semilogy([float(row["second"]) for row in fresh], [float(row["freshness_s"]) for row in fresh], ".", markersize=3)
    age.set_ylabel("freshness, s")
    for name, label in (("shipper_lag", "not in Kafka"), ("ingest_lag", "not in the lake")):
        backlog.plot(seconds, column(name), linewidth=0.8, label=f"{label}, records")
    backlog.set_yscale("symlog")
    backlog.legend(loc="upper right", fontsize=7)
    backlog.set_xlabel("seconds")
    mark(faults, (load, refused, age, backlog))
    figure.tight_layout()
    figure.savefig(folder / "plot.png", dpi=90)
    print(f"plot: {folder}/plot.png")


def mark(faults, axes):
    for fault in faults:
        began, ended = float(fault["began_s"]), float(fault["ended_s"])
        for axis in axes:
            axis.axvspan(began, ended, color="orange", alpha=0.15, linewidth=0)
        axes[0].text(began, axes[0].get_ylim()[1] * 1.01, fault["kind"], rotation=90, fontsize=5, va="bottom")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
