"""The one table of what is counted; `docs/operators.md` has the same for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

PREFIX = "ngshare_fs_"
# Metrics whose names begin so have the names that Prometheus' libraries give them in every program.
OF_PROCESSES = "process_"


class Kind(Enum):
    """What a metric is, and how the values of several processes become one."""

    COUNTER = "summed, those of processes that are gone too"
    HISTOGRAM = "likewise"
    GAUGE = "summed over the processes that are there"
    LATEST = "the greatest of the processes that are there"


@dataclass(frozen=True)
class Metric:
    """A row of the table.

    Args:
        kind: what it is.
        help: what it says.
        labels: their names.
        buckets: of a histogram, the upper limits; there is one more, without.
    """

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


OF_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
OF_THE_DISK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OF_BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)

METRICS: Mapping[str, Metric] = {
    "http_requests_total": Metric(
        Kind.COUNTER, "Requests answered; 499 is a client that was gone", ("method", "route", "code")
    ),
    "http_request_duration_seconds": Metric(
        Kind.HISTOGRAM, "From a request's head to the end of its answer", ("method", "route"), OF_REQUESTS
    ),
    "http_requests_in_flight": Metric(Kind.GAUGE, "Requests under way"),
    "received_bytes_total": Metric(Kind.COUNTER, "Bytes of requests' bodies"),
    "sent_bytes_total": Metric(Kind.COUNTER, "Bytes of answers, with their heads"),
    "submissions_total": Metric(
        Kind.COUNTER,
        "Submissions: `stored` in time or without a due date, stored `late`, `repeated` by a client without an answer, "
        "refused as `closed`",
        ("result",),
    ),
    "releases_total": Metric(Kind.COUNTER, "Releases and withdrawals of assignments", ("kind",)),
    "feedback_total": Metric(Kind.COUNTER, "Pieces of feedback stored"),
    "deletions_total": Metric(Kind.COUNTER, "What was moved to the trash", ("kind",)),
    "publish_duration_seconds": Metric(
        Kind.HISTOGRAM, "From staging a tree to the end of its last flush", ("kind",), OF_THE_DISK
    ),
    "flush_duration_seconds": Metric(
        Kind.HISTOGRAM, "Flushes: of the whole file system together, or of what each write has", ("way",), OF_THE_DISK
    ),
    "flush_batch_size": Metric(Kind.HISTOGRAM, "Writes that shared a flush of the whole file system", (), OF_BATCHES),
    "lock_wait_seconds": Metric(Kind.HISTOGRAM, "Waits for locks on the volume", (), OF_THE_DISK),
    "lock_timeouts_total": Metric(Kind.COUNTER, "Locks that were not had in time"),
    "locks_lost_total": Metric(Kind.COUNTER, "Locks that a shared file system gave up while they were held"),
    "hub_requests_total": Metric(Kind.COUNTER, "Calls to the hub: answered, refused (4xx) or failed", ("result",)),
    "hub_request_duration_seconds": Metric(Kind.HISTOGRAM, "Calls to the hub", (), OF_REQUESTS),
    "hub_last_answer_timestamp_seconds": Metric(Kind.LATEST, "When the hub answered for the last time"),
    "hub_last_failure_timestamp_seconds": Metric(Kind.LATEST, "When it did not for the last time"),
    "group_sync_timestamp_seconds": Metric(Kind.LATEST, "When rosters were last brought in step with the hub's groups"),
    "group_sync_problems": Metric(Kind.GAUGE, "Courses whose rosters did not follow then; the log says why"),
    "auth_refusals_total": Metric(
        Kind.COUNTER, "Requests refused with 403, by the message, but for what came after a close date", ("reason",)
    ),
    "auth_cached_tokens": Metric(Kind.GAUGE, "Tokens whose owners are in memory"),
    "worker_restarts_total": Metric(
        Kind.COUNTER, "Workers that ended unasked, or were killed because they hung", ("reason",)
    ),
    "process_cpu_seconds_total": Metric(Kind.COUNTER, "Processor time, of processes that are gone too", ("role",)),
    "processes": Metric(Kind.GAUGE, "Processes that count: servers, their writers, a supervisor", ("role",)),
    "courses": Metric(Kind.GAUGE, "Courses on the volume"),
    "assignments": Metric(Kind.GAUGE, "Assignments on the volume"),
    "submissions_stored": Metric(Kind.GAUGE, "Submissions on the volume"),
    "stored_files": Metric(Kind.GAUGE, "Files on the volume", ("kind",)),
    "stored_bytes": Metric(Kind.GAUGE, "Bytes of the files on the volume", ("kind",)),
    "staging_entries": Metric(Kind.GAUGE, "Uploads that are not published yet"),
    "collected_timestamp_seconds": Metric(Kind.LATEST, "When courses, submissions and sizes were counted"),
    "collection_duration_seconds": Metric(Kind.GAUGE, "How long that took"),
}


def full_name(name: str) -> str:
    """What Prometheus calls a metric."""
    return name if name.startswith(OF_PROCESSES) else PREFIX + name
