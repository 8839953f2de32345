"""What a server and all its processes use, from /proc."""

import os
from pathlib import Path

MIB = 2**20
TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process, its children, theirs, ..."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def cpu_seconds(pid: int) -> float:
    """Processor time so far: all threads, and processes that have ended and were waited for."""
    total = 0
    for member in family(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / TICKS


def resident(pid: int) -> float:
    """Resident memory in MiB."""
    return sum(_status(member, "VmRSS") for member in family(pid))


def proportional(pid: int) -> float:
    """Memory in MiB, what processes share being divided among them."""
    total = 0
    for member in family(pid):
        rollup = Path(f"/proc/{member}/smaps_rollup").read_text()
        total += int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
    return total / 1024


def peak(pid: int) -> float:
    """The most resident memory in MiB since the start or the last `forget_peak`."""
    return sum(_status(member, "VmHWM") for member in family(pid))


def forget_peak(pid: int) -> None:
    """Let `peak` begin anew."""
    for member in family(pid):
        Path(f"/proc/{member}/clear_refs").write_text("5")


def _status(pid: int, key: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(key + ":")), 0) / 1024
