"""From the command to the first answer, and what an idle server holds, with 40,000 submissions."""

import statistics
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from bench import usage
from bench.figures import Target, of
from bench.load import Measured
from bench.rivals import Rival
from bench.sample import Course, Sample, students
from bench.works import Options, Work

STUDENTS = 2000
ASSIGNMENTS = 20
STARTS = 3
IDLE_SECONDS = 2
GIVE_UP_SECONDS = 60


def wait_for_health(url: str) -> None:
    """Ask until the server says that it is well."""
    parts = urlsplit(url)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        connection = HTTPConnection(parts.netloc, timeout=GIVE_UP_SECONDS)
        try:
            connection.request("GET", parts.path + "healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    raise AssertionError(f"{url} never became healthy")


class Start(Work):
    """See above."""

    title = "start with 40,000 submissions: from the command to healthz; memory when idle"
    rivals = ("ngshare", "ours")
    fresh = False
    rows = (
        ("seconds", "to the first answer of healthz, s"),
        ("rss", "idle: RSS, MiB"),
        ("pss", "idle: PSS, MiB"),
    )
    targets = (
        Target("within 0.4 s", of("ours", "seconds"), 0.4, unit="s"),
        Target("45 MiB idle (RSS)", of("ours", "rss"), 45, unit="MiB"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        who = students(options.scaled(STUDENTS, 10))
        assignments = [f"ps{number}" for number in range(1, ASSIGNMENTS + 1)]
        self.course = Course("math", who, assignments, submitting=len(who))

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": Sample([self.course])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        found = []
        figures: dict[str, float] = {}
        for number in range(STARTS):
            started = time.perf_counter()
            with rival.running(folders[""]) as server:
                wait_for_health(server.url)
                found.append(time.perf_counter() - started)
                if number == STARTS - 1:
                    time.sleep(IDLE_SECONDS * min(self.options.scale * 10, 1))
                    figures = {"rss": usage.resident(server.pid), "pss": usage.proportional(server.pid)}
        return {**figures, "seconds": statistics.median(found)}, []


WORK = Start
