"""What the processes of this server hold: memory, open files. Prometheus' library reads it from /proc."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress

from prometheus_client import ProcessCollector

RESIDENT = "process_resident_memory_bytes"
OPEN_FILES = "process_open_fds"
STARTED = "process_start_time_seconds"


def figures_of(processes: Iterable[tuple[str, int]]) -> Mapping[str, Mapping[str, float]]:
    """The sum over all processes of a role, and when the first of them started; by metric and role.

    Args:
        processes: role and number; one that has just ended is left out.
    """
    found: dict[str, dict[str, float]] = {name: defaultdict(float) for name in (RESIDENT, OPEN_FILES)}
    started: dict[str, float] = {}
    for role, number in processes:
        for name, value in _figures_of(number).items():
            if name in found:
                found[name][role] += value
            elif name == STARTED:
                started[role] = min(value, started.get(role, value))
    return {**found, STARTED: started}


def _figures_of(number: int) -> Mapping[str, float]:
    collector = ProcessCollector(pid=lambda: number, registry=None)
    with suppress(ValueError):  # it takes "unlimited" open files for a number
        return {sample.name: sample.value for family in collector.collect() for sample in family.samples}
    return {}
