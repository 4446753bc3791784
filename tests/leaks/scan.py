#!/usr/bin/env python3
"""Searches places for texts that must not stand there, in every form and through every container.

Usage: scan.py NEEDLES.json SURFACE=PATH…    NEEDLES.json is a list of [name, text]; a path is a file or a folder
Prints a table, and every hit with its place. Ends with 1 where there is a hit.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import ahocorasick_rs

from containers import opened
from forms import needles, views


class Scan:
    """Finds, and counts what it read and found."""

    def __init__(self, wanted):
        """`wanted`: pairs of name and text."""
        self.patterns, self.meant = [], []
        known = set()
        for name, text in wanted:
            for form, needle in needles(text):
                # Shorter ones come by chance.
                if len(needle) >= 12 and (name, needle) not in known:
                    known.add((name, needle))
                    self.patterns.append(needle)
                    self.meant.append((name, form))
        self.automaton = ahocorasick_rs.BytesAhoCorasick(self.patterns)
        self.places, self.bytes = defaultdict(int), defaultdict(int)
        # Surface, then name of what was found, then its forms and one place.
        self.hits = defaultdict(dict)

    def look(self, surface, name, data):
        """Looks through one piece of a surface, and everything in it. What was found, as names."""
        self.places[surface] += 1
        found = set()
        for place, piece in opened(name, data):
            self.bytes[surface] += len(piece)
            # Files that are made in advance end in nothing.
            for view in views(piece.rstrip(b"\0")):
                for index, _, _ in self.automaton.find_matches_as_indexes(view, overlapping=True):
                    wanted, form = self.meant[index]
                    forms, _ = self.hits[surface].setdefault(wanted, (set(), place))
                    forms.add(form)
                    found.add(wanted)
        return found

    def look_in(self, surface, path):
        """Looks through a file, or through all files under a folder; names of files and folders count too."""
        path = Path(path)
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            name = str(file.relative_to(path)) if path.is_dir() else file.name
            if file.is_symlink() or not file.is_file():
                self.look(surface, "name of a file", name.encode())
                continue
            self.look(surface, "name of a file", name.encode())
            self.look(surface, name, file.read_bytes())

    def seen(self, surface):
        """That a surface was there at all is said by whoever asked for it."""
        self.places[surface] += 0
        self.bytes[surface] += 0

    def table(self):
        width = max(map(len, self.bytes), default=8) + 2
        yield f"{'surface':{width}} {'pieces':>8} {'bytes read':>14} {'found':>8}"
        for surface in self.bytes:
            yield f"{surface:{width}} {self.places[surface]:>8} {self.bytes[surface]:>14} {len(self.hits[surface]):>8}"

    def told(self, most=20):
        """Each hit: what, where, how. Never the text."""
        for surface, found in self.hits.items():
            for name, (forms, place) in list(found.items())[:most]:
                yield f"HIT {surface}: {name} as {', '.join(sorted(forms))} in {place}"
            if len(found) > most:
                yield f"HIT {surface}: and {len(found) - most} more"

    def total(self):
        return sum(map(len, self.hits.values()))


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    scan = Scan(map(tuple, json.loads(Path(sys.argv[1]).read_text())))
    for place in sys.argv[2:]:
        surface, path = place.split("=", 1)
        scan.look_in(surface, path)
    print("\n".join([*scan.table(), *scan.told()]))
    return 1 if scan.total() else 0


if __name__ == "__main__":
    sys.exit(main())
