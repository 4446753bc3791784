#!/usr/bin/env python3
"""What a trace must cost, worked out apart from Custody.

Reads a trace and a price book and prints, per tenant, the requests, the input tokens, the output tokens and the cost, as CSV sorted
by tenant. Tests compare this with what SQL says of the same trace after a replay. It shares no code with the product, on purpose:
its own reading, its own arithmetic (whole numbers and decimals, never a float).

Trace forms, told apart by their header:
  azure     TIMESTAMP,ContextTokens,GeneratedTokens              has no tenant: give --tenant
  servegen  ts_s,tenant,model,input_tokens,output_tokens

Example:
  sums.py trace.csv --book examples/workspace/prices/2026-11.toml --provider simulator --model sim-small --tenant acme
"""

import argparse
import csv
import sys
import tomllib
from collections import defaultdict
from datetime import date, datetime, time, timezone
from decimal import Context, Decimal, Inexact, localcontext

AZURE = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
SERVEGEN = ["ts_s", "tenant", "model", "input_tokens", "output_tokens"]
MILLION = 1_000_000
PICO = Decimal("0.000000000001")
EXACT = Context(prec=60, traps=[Inexact])


def main():
    options = arguments()
    entry = price_entry(options)
    per_million = entry["per_million_tokens"]
    input_price, output_price = Decimal(per_million["input"]), Decimal(per_million["output"])
    sums = defaultdict(lambda: [0, 0, 0])
    for tenant, input_tokens, output_tokens in requests(options):
        row = sums[tenant]
        row[0] += 1
        row[1] += input_tokens
        row[2] += output_tokens
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["tenant", "requests", "input_tokens", "output_tokens", "cost_usd"])
    with localcontext(EXACT):
        for tenant in sorted(sums):
            count, input_tokens, output_tokens = sums[tenant]
            cost = (input_tokens * input_price + output_tokens * output_price) / MILLION
            out.writerow([tenant, count, input_tokens, output_tokens, f"{cost.quantize(PICO):f}"])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", help="CSV file")
    parser.add_argument("--book", required=True, help="price book (TOML)")
    parser.add_argument("--provider", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--tenant", help="whom the requests of an azure trace belong to")
    parser.add_argument("--at", help="UTC date or ISO date-time of the replay; needed when the book has several prices over time")
    parser.add_argument("--limit", type=int, help="only this many requests from the start")
    return parser.parse_args()


def price_entry(options):
    with open(options.book, "rb") as file:
        book = tomllib.load(file)
    entries = [e for e in book["entries"] if (e["provider"], e["model"]) == (options.provider, options.model)]
    if options.at:
        at = moment(datetime.fromisoformat(options.at))
        entries = [e for e in entries if moment(e["effective_from"]) <= at < moment(e.get("effective_to"))]
    if len(entries) != 1:
        names = ", ".join(e["id"] for e in entries) or "none"
        sys.exit(f"sums.py: {options.provider} {options.model} needs exactly one price, found {names}; use --at to choose a time")
    return entries[0]


def moment(written):
    """A date is midnight UTC; no end is the end of time."""
    if written is None:
        return datetime.max.replace(tzinfo=timezone.utc)
    if isinstance(written, datetime):
        return written if written.tzinfo else written.replace(tzinfo=timezone.utc)
    assert isinstance(written, date)
    return datetime.combine(written, time(), timezone.utc)


def requests(options):
    with open(options.trace, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        header = next(rows)
        if header == AZURE and not options.tenant:
            sys.exit("sums.py: an azure trace names no tenant; use --tenant")
        if header == SERVEGEN and options.tenant:
            sys.exit("sums.py: a servegen trace names its tenants; leave --tenant out")
        if header not in (AZURE, SERVEGEN):
            sys.exit(f"sums.py: unknown trace header {','.join(header)}")
        for count, row in enumerate(row for row in rows if row):
            if count == options.limit:
                return
            if header == AZURE:
                yield options.tenant, int(row[1]), int(row[2])
            else:
                yield row[1], int(row[3]), int(row[4])


if __name__ == "__main__":
    main()
