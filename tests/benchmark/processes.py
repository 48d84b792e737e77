"""What Linux tells of a process: its memory, and the time that it computed."""

import os
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path


def memory(process: int) -> int:
    """Give the bytes that a process holds in memory now."""
    status = Path(f"/proc/{process}/status").read_text()
    [kilobytes] = re.findall(r"VmRSS:\s+(\d+) kB", status)
    return int(kilobytes) * 1024


def processor_seconds(process: int) -> float:
    """Give the time that a process and its descendants computed, whatever else the machine did."""
    ticks, children = _processes()
    family = [process]
    for member in family:  # which grows as it is read
        family += children[member]
    return sum(ticks[member] for member in family) / os.sysconf("SC_CLK_TCK")


def _processes() -> tuple[dict[int, int], defaultdict[int, list[int]]]:
    """Give the ticks that each process computed, and its children."""
    ticks, children = {}, defaultdict[int, list[int]](list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = path.read_text().rpartition(")")[2].split()
            ticks[int(path.parent.name)] = int(fields[11]) + int(fields[12])
            children[int(fields[1])].append(int(path.parent.name))
    return ticks, children
