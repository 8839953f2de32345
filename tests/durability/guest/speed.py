"""What a server's calls cost on a volume that lies on NFS, beside one on the file server's own disk.

    python -m tests.durability.guest.speed OPTIONS|local DISK DELAY

in a guest; the arguments are those of `two_servers.py`, `local` is no NFS at all. Prints what was found as JSON.
"""

import json
import os
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import our_data
from bench.sample import INSTRUCTOR, Course, Sample, students
from tests.durability.calls import call
from tests.durability.guest.nfs import EXPORTED, Nfs
from tests.servers import Server, start
from tests.trees import tree

LOCAL = "local"
COURSE, ASSIGNMENT = "course", "ps1"
LISTED = 2000
CALLS = 40
# The rush: so many at once hand in, and then look at their own list, so many in all.
AT_ONCE, IN_ALL = 8, 160
PERSON = {"first_name": "", "last_name": ""}


def round_trips(mount: Path) -> Counter[str]:
    """How many calls this mount has sent to its file server, by kind."""
    parts = [part for part in Path("/proc/self/mountstats").read_text().split("\ndevice ") if f" {mount} " in part]
    found = re.findall(r"^\s+([A-Z_]+): (\d+) ", "".join(parts), re.MULTILINE)
    return Counter({name: int(sent) for name, sent in found})


class Meter:
    """Takes the time and counts the calls to the file server.

    Args:
        mount: the volume's.
    """

    def __init__(self, mount: Path) -> None:
        self._mount = mount
        self.found: dict[str, dict[str, Any]] = {}

    def measure(self, what: str, make: Callable[[int], object], times: int = CALLS) -> None:
        """Make a call so many times: milliseconds (median), and calls to the file server on average."""
        before = round_trips(self._mount)
        took = []
        for number in range(times):
            began = time.monotonic()
            make(number)
            took.append(1000 * (time.monotonic() - began))
        sent = round_trips(self._mount) - before
        self.found[what] = {
            "ms": round(statistics.median(took), 1),
            "calls": round(sum(sent.values()) / times, 1),
            "by kind": {name: round(count / times, 1) for name, count in sent.most_common() if count >= times / 10},
        }


def work(server: Server, meter: Meter) -> None:
    """All that is measured of a running server."""
    names = students(LISTED)
    student = names[0]
    # Numbers, since what is drawn at random is encoded at some expense.
    content = tree({f"problem{number}.ipynb": str(random.random()).encode() * 1300 for number in range(3)})

    def hand_in(number: int) -> object:
        return call(server, "POST", "submission", COURSE, ASSIGNMENT, user=names[-1 - number], files=content)

    def own_list(number: int) -> object:
        return call(server, "GET", "submissions", COURSE, ASSIGNMENT, names[-1 - number], user=names[-1 - number])

    def pair(number: int) -> object:
        return hand_in(number), own_list(number)

    def rush(_: int) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(pair, range(IN_ALL)))

    meter.measure(f"list of {LISTED:,}, the first", lambda _: list_all(server), 1)
    meter.measure(f"list of {LISTED:,}, again", lambda _: list_all(server), 10)
    hand_in(CALLS)
    meter.measure("hand in 75 KB in 3 files", hand_in)
    meter.measure("own list", own_list)
    meter.measure("fetch", lambda _: call(server, "GET", "assignment", COURSE, ASSIGNMENT, user=student))
    meter.measure("collect one", lambda number: collect(server, names[number]))
    meter.measure("list of assignments", lambda _: call(server, "GET", "assignments", COURSE, user=student))
    meter.measure("change the roster", lambda number: change_roster(server, student, number), 10)
    meter.measure(f"rush: {IN_ALL} pairs, {AT_ONCE} at once", rush, 1)


def list_all(server: Server) -> object:
    """What an instructor asks for."""
    return call(server, "GET", "submissions", COURSE, ASSIGNMENT, user=INSTRUCTOR)


def collect(server: Server, name: str) -> object:
    """One student's work."""
    return call(server, "GET", "submission", COURSE, ASSIGNMENT, name, user=INSTRUCTOR)


def change_roster(server: Server, name: str, number: int) -> object:
    """One student's address."""
    return call(server, "POST", "student", COURSE, name, **PERSON, email=f"{number}@uni.example")


def main(options: str, disk: str, delay: float) -> dict[str, Any]:
    """Everything that is measured."""
    nfs = Nfs(disk=disk)
    if delay:
        nfs.delay(delay)
    # By nobody who measures: the file server has it on its own disk, and the mount has seen nothing of it.
    our_data.write(EXPORTED / "data", Sample([Course(COURSE, students(LISTED), submitting=LISTED)]))
    os.sync()
    place = EXPORTED if options == LOCAL else nfs.mount("a", options)
    meter = Meter(place)
    started: list[Server] = []
    meter.measure("start", lambda _: started.append(start(place / "data", Path("/tmp/log"))), 1)
    try:
        work(started[0], meter)
    finally:
        started[0].stop()
    return {"options": options, "disk": disk, "delay": delay, "costs": meter.found}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
