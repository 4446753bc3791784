"""What stands in a process's memory, and whether a killed process leaves it on a disk."""

import os
import re
import resource
from pathlib import Path

MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (..)..")


def cores_allowed():
    """In a process about to be started: as large a core as there is. What it then does about that is its own."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def cores_are_files():
    """Whether this machine writes cores into the process's folder; a pipe would take them elsewhere."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    return not pattern.startswith("|") and "/" not in pattern


def of(process):
    """Every readable and writable piece of a running process's memory, as root may read it."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            first, last, rights = MAPPING.match(line).groups()
            if rights != "rw":
                continue
            try:
                os.lseek(memory.fileno(), int(first, 16), os.SEEK_SET)
                yield memory.read(int(last, 16) - int(first, 16))
            except (OSError, OverflowError, ValueError):
                continue
