"""The processes of a server: the one that was started and all that came of it; and what the kernel tells of them."""

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PARENT, SESSION, USER, SYSTEM, RESIDENT = 1, 3, 11, 12, 21
"""Where /proc/PID/stat has them, counted from the state."""


def family(leader: int) -> list[int]:
    """Find every process of a session, and their descendants, which may have sessions of their own."""
    stats = {int(path.name): stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = {process for process, fields in stats.items() if fields and int(fields[SESSION]) == leader}
    while more := {p for p, fields in stats.items() if fields and int(fields[PARENT]) in found} - found:
        found |= more
    return sorted(found)


def cpu_seconds(leader: int) -> float:
    """Add up the processor time that a server has taken so far, user's and kernel's, in seconds."""
    return sum(int(fields[USER]) + int(fields[SYSTEM]) for fields in map(stat, family(leader)) if fields) * TICK


def resident(leader: int) -> int:
    """Add up the resident memory of a server, in bytes; what its processes share counts in each."""
    return sum(int(fields[RESIDENT]) for fields in map(stat, family(leader)) if fields) * PAGE


def stat(process: int) -> list[str]:
    """Read what the kernel tells of a process, from its state on; nothing if it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
