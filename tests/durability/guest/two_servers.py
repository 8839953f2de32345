"""Two servers on two machines that share a volume by NFS: whether they agree, and when they see each other's changes.

    python -m tests.durability.guest.two_servers OPTIONS SECONDS DISK DELAY [first-fault]

in a guest; OPTIONS are those of both mounts, DISK what the server exports (see `nfs.py`), DELAY milliseconds that every
packet takes from the server to a client; `first-fault`: only whether anything is wrong. Prints what was found as JSON;
`tests.durability.mount_options` runs it for a row of options.
"""

import contextlib
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.durability.calls import ask, call, files_of, people_in
from tests.durability.guest.nfs import Nfs
from tests.durability.linearizability import TooHard
from tests.durability.random_clients import CLIENTS, busy, prepare
from tests.durability.seen_and_stored import judge
from tests.servers import Server, start
from tests.trees import tree

# With the defaults of NFS, each of ten such rounds on a busy machine had several things wrong; of eight with half of
# these seconds, one had nothing.
ROUND_SECONDS = 6
WRONG = frozenset(
    {"unexplained", "wrong answers", "submissions lost", "findings", "mounts differ", "torn", "undecided"}
)
CHANGES = 6
# Longer than a client keeps anything by default.
SEEN_WITHIN = 90
# Between looks: they take the processor from what they wait for.
PAUSE = 0.05
PERSON = {"first_name": "", "last_name": ""}


class Round:
    """Two servers of one new volume."""

    def __init__(self, here: Path, there: Path, logs: Path) -> None:
        self.places = [mount / logs.name / "data" for mount in (here, there)]
        self.places[0].parent.mkdir()
        logs.mkdir()
        # A mount may know for a while that a name is not there.
        deadline = time.monotonic() + SEEN_WITHIN
        while not self.places[1].parent.exists():
            assert time.monotonic() < deadline, f"{self.places[1].parent} is never seen"
            time.sleep(0.1)
        self.servers: list[Server] = []
        for number, place in enumerate(self.places):
            self.servers.append(start(place, logs / f"{number}.log"))

    def __enter__(self) -> "Round":
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.stop()


def judged(rounds: Iterator[Round], seconds: float, first_fault: bool = False) -> dict[str, Any]:
    """Let random clients at work, round after round, and judge each of them.

    Args:
        seconds: for how long clients work, at least.
        first_fault: whether to stop after a round in which a server said what is wrong.
    """
    found: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    examples: list[str] = []
    while found["seconds"] < seconds and not (first_fault and (found["unexplained"] or found["wrong answers"])):
        with next(rounds) as both:
            history = prepare(both.servers[0])
            seed = random.SystemRandom().randrange(2**32)
            began = time.monotonic()
            with busy(both.servers, seed, history):
                time.sleep(ROUND_SECONDS)
            found["seconds"] += round(time.monotonic() - began)
            found["operations"] += len(history)
            found["judged"] += len(history.by_key)
            try:
                verdict = judge(history, *both.places)
            except TooHard:
                found["undecided"] += 1
                continue
            except AssertionError as torn:  # what no server ever stores
                found["torn"] += 1
                examples.append(str(torn)[:300])
                continue
            found["unexplained"] += len(verdict.unexplained)
            found["wrong answers"] += len(verdict.wrong)
            found["5xx"] += sum(": 5" in answer for answer in verdict.wrong)
            found["submissions lost"] += len(verdict.lost)
            found["findings"] += len(verdict.findings)
            found["mounts differ"] += verdict.differing
            kinds.update(key[0] for key in verdict.unexplained)
            examples += [str(each)[-1500:] for each in verdict.unexplained.values()] + verdict.wrong[:2]
    found += Counter()
    return {**found, "unexplained by kind": dict(kinds), "examples": examples[:4]}


def changes_lost(both: Round, times: int = 4) -> dict[str, int]:
    """All clients change one roster at once: how many of the changes are not there afterwards."""
    course = "all at once"
    together = threading.Barrier(CLIENTS)
    call(both.servers[0], "POST", "course", course)
    refused = Counter[int]()

    def change(number: int) -> list[str]:
        accepted = []
        for count in range(times):
            name = f"{number} {count}"
            together.wait()
            server = both.servers[(number + count) % 2]
            answer = ask(server.url, "POST", ("student", course, name), "root", {**PERSON, "email": ""})
            assert answer is not None, server.log
            if answer[0] == 200:
                accepted.append(name)
            else:
                refused[answer[0]] += 1
        return accepted

    with ThreadPoolExecutor(CLIENTS) as pool:
        accepted = {name for names in pool.map(change, range(CLIENTS)) for name in names}
    time.sleep(SEEN_WITHIN if refused else 0)
    listed = {name for name, _ in people_in(call(both.servers[0], "GET", "students", course))}
    return {"made": len(accepted), "lost": len(accepted - listed), "refused": sum(refused.values())}


def seconds_until_seen(both: Round) -> dict[str, float]:
    """After how long the second server tells of what the first one has acknowledged; the latest of some changes each.

    It has told before how things were, and some seconds have gone by since, as between two people.
    """
    first, second = both.servers
    names = [f"late {number}" for number in range(CHANGES)]
    course = "late"
    call(first, "POST", "course", course)
    for name in names:
        call(first, "POST", "student", course, name, **PERSON, email="")
        call(first, "POST", "assignment", course, name, files=tree(files_of(name)))
        call(first, "POST", "submission", course, name, user=name, files=tree(files_of(f"first {name}")))
        call(first, "POST", "course", name)
    other_courses = [f"also {name}" for name in names]

    def roster(name: str) -> Any:
        return len(call(second, "GET", "students", name)["students"])

    def work(name: str) -> Any:
        return len(call(second, "GET", "submissions", course, name, name)["submissions"])

    def released(name: str) -> Any:
        return call(second, "GET", "assignment", course, name)["files"]

    def is_course(name: str) -> Any:
        return name in call(second, "GET", "courses")["courses"]

    def enrol(name: str) -> object:
        return call(first, "POST", "student", name, "somebody", **PERSON, email="")

    def hand_in(name: str) -> object:
        return call(first, "POST", "submission", course, name, user=name, files=tree(files_of(f"second {name}")))

    def release_again(name: str) -> object:
        return call(first, "PUT", "assignment", course, name, files=tree(files_of(f"again {name}")))

    def make_course(name: str) -> object:
        return call(first, "POST", "course", name)

    cases: dict[str, tuple[Callable[[str], Any], Callable[[str], object], list[str]]] = {
        "a submission": (work, hand_in, names),
        "a roster's change": (roster, enrol, names),
        "a release": (released, release_again, names),
        "a course": (is_course, make_course, other_courses),
    }
    for _ in range(2):
        told = {(what, name): look(name) for what, (look, _, those) in cases.items() for name in those}
        time.sleep(4)
    made = {}
    for what, (_, change, those) in cases.items():
        for name in those:
            change(name)
            made[what, name] = time.monotonic()
    # What counts is the last look that still showed how things were.
    found = dict.fromkeys(cases, 0.0)
    while made:
        for (what, name), since in list(made.items()):
            asked = time.monotonic()
            if cases[what][0](name) != told[what, name] or asked - since > SEEN_WITHIN:
                del made[what, name]
            else:
                found[what] = max(found[what], asked - since)
        time.sleep(PAUSE)
    return {what: round(seconds, 1) for what, seconds in found.items()}


def main(options: str, seconds: float, disk: str, delay: float, first_fault: bool) -> dict[str, Any]:
    """Everything there is to say of some mount options, or only whether anything is wrong with them."""
    began = time.monotonic()
    nfs = Nfs(disk=disk)
    if delay:
        nfs.delay(delay)
    here, there = (nfs.mount(client, options) for client in ("a", "b"))
    logs = Path(tempfile.mkdtemp())

    def rounds() -> Iterator[Round]:
        for number in range(10_000):
            yield Round(here, there, logs / f"volume-{number}")

    found: dict[str, Any] = {"options": options, "disk": disk, "delay": delay}
    new = rounds()
    if not first_fault:
        with next(new) as both:
            found["seconds until seen"] = seconds_until_seen(both)
            found["roster at once"] = changes_lost(both)
    with contextlib.suppress(KeyboardInterrupt):
        found["judged"] = judged(new, seconds, first_fault)
    found["took"] = round(time.monotonic() - began)
    return found


if __name__ == "__main__":
    options, seconds, disk, delay, *only = sys.argv[1:]
    print(json.dumps(main(options, float(seconds), disk, float(delay), bool(only))))
