"""What is counted while the server works. Off, and next to free, unless somebody has called `start`.

Whoever does something counts it where it happens: `count`, `observe`, `gauge`, with a name of `table`. The process that
answers `/metrics` reads what all of them have counted: `collect`. No label is ever the name of a user, a course or an
assignment.
"""

from ngshare_fs.metrics.counting import (
    collect,
    count,
    count_processor_time,
    gauge,
    leads,
    observe,
    processes,
    start,
    started,
)

__all__ = [
    "collect",
    "count",
    "count_processor_time",
    "gauge",
    "leads",
    "observe",
    "processes",
    "start",
    "started",
]
