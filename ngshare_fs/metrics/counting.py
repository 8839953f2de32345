"""Counting, in this process; and what all processes of the server have counted."""

import logging
import os
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping

from ngshare_fs.metrics.board import Board, Key, NoPlace
from ngshare_fs.metrics.table import METRICS, Kind

logger = logging.getLogger(__name__)

# The last part of a histogram's key: the number of a bucket, or this.
SUM = "sum"

# In a place, the number of the process that has it, beside its role; for nobody but `processes`.
_PROCESS = "process"

_board: Board | None = None
_role = ""
_counting_time = threading.Lock()
_time_counted = 0.0


def start(descriptor: int, role: str) -> None:
    """Count from now on.

    Args:
        descriptor: of `board.make`, the same for all processes of the server.
        role: what this process is.
    """
    global _board, _role, _time_counted
    try:
        _board = Board(descriptor, is_volatile)
    except NoPlace:
        logger.error("there are too many processes: what this one does is not counted")
        return
    _role, _time_counted = role, 0.0
    gauge("processes", 1, role)
    gauge(_PROCESS, os.getpid(), role)
    count_processor_time()


def started() -> bool:
    """Whether this process counts."""
    return _board is not None


def count(name: str, *labels: str, by: float = 1) -> None:
    """Add to a counter, or to a gauge.

    Args:
        name: of `METRICS`.
        labels: the values of its labels.
    """
    if _board is not None:
        _board.add({(name, *labels): by})


def observe(name: str, value: float, *labels: str) -> None:
    """Add to a histogram."""
    if _board is not None:
        bucket = bisect_left(METRICS[name].buckets, value)
        _board.add({(name, *labels, str(bucket)): 1, (name, *labels, SUM): value})


def gauge(name: str, value: float, *labels: str) -> None:
    """Set a gauge of this process."""
    if _board is not None:
        _board.put((name, *labels), value)


def count_processor_time() -> None:
    """Count what this process has used of the processors since the last time.

    Called after pieces of work. What a process has used is known to itself alone once it is gone, and a sum over those
    that are there would go down whenever one ends.
    """
    global _time_counted
    if _board is not None:
        with _counting_time:
            used = time.process_time()
            count("process_cpu_seconds_total", _role, by=used - _time_counted)
            _time_counted = used


def processes() -> list[tuple[str, int]]:
    """The processes that count and are there: role and number."""
    found = []
    if _board is not None:
        for is_there, records in _board.all():
            numbers = [(key[1], int(value)) for key, value in records if key[0] == _PROCESS]
            found += [each for each in numbers if is_there and each[1]]  # 0: an earlier owner had another role
    return found


def leads() -> bool:
    """Whether this is the process of the server that does what one is enough for."""
    return _board is not None and _board.leads()


def collect() -> Mapping[Key, float]:
    """What all have counted: by the name of the metric and the values of its labels.

    Of a histogram, a last part is the number of a bucket, with what is in that one alone, or `SUM`.
    """
    found: dict[Key, float] = defaultdict(float)
    if _board is not None:
        for is_there, records in _board.all():
            for key, value in records:
                kind = METRICS[key[0]].kind if key[0] in METRICS else None  # of another version of the program
                if kind in (Kind.COUNTER, Kind.HISTOGRAM) or (kind is Kind.GAUGE and is_there):
                    found[key] += value
                elif kind is Kind.LATEST and is_there:
                    found[key] = max(found[key], value)
    return found


def is_volatile(key: Key) -> bool:
    """Whether what a key says ends with its process."""
    return key[0] not in METRICS or METRICS[key[0]].kind in (Kind.GAUGE, Kind.LATEST)
