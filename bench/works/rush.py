"""The deadline rush: many students hand in at once, and each looks whether it arrived."""

import asyncio
import math
import secrets
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import bodies, checks, disk, usage
from bench.bodies import SUBMISSION
from bench.client import Address, Answer, Client, Wrong
from bench.figures import Target, of, ratio
from bench.load import Measured, begin_together, in_own_process
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, expected_list, students
from bench.works import Options, Work, times

COURSE, ASSIGNMENT = "math", "ps1"
CLIENTS = 50
STUDENTS = 200
PAIRS = 2000
WARM_UP = 300
EARLIER = 20  # submissions of each student that are there
DIFFERENT = 4  # works; each submission is a copy of its own
DOWNLOADS = 20


@dataclass(frozen=True)
class Plan:
    """A rush.

    Args:
        students: who hand in; never the same one twice at a time.
        pairs: how many submissions are made, each followed by the list of the student's own.
        warm_up: pairs before, which do not count.
        earlier: how many submissions of each student are there.
        stores: whether lists and files can be compared with what was handed in.
        together: whether it begins together with other loads, or when it is told to.
        seconds: after which it ends, if `pairs` are not done before.
        server: the process whose processor time is measured meanwhile; 0 for none.
    """

    students: int
    pairs: int
    clients: int = CLIENTS
    warm_up: int = WARM_UP
    earlier: int = 0
    stores: bool = True
    together: bool = False
    seconds: float = math.inf
    server: int = 0


class Rush:
    """What the clients share, and what they have been promised."""

    def __init__(self, address: Address, plan: Plan) -> None:
        self.client, self.plan = Client(address), plan
        self.behind_hub = address.behind_hub
        self.works = [bodies.Work(SUBMISSION, seed) for seed in range(DIFFERENT)]
        self.idle = deque(students(plan.students))
        self.promised: dict[str, list[str]] = {student: [] for student in self.idle}
        if plan.stores:
            for student, moment in expected_list(course(plan.students, plan.earlier)):
                self.promised[student].append(moment)
        self.latest: dict[str, int] = {}
        self.left = 0
        self.until = math.inf
        self.made = 0

    async def pairs(self, how_many: int, measured: Measured) -> None:
        """Make pairs by all clients."""
        self.left = how_many
        clients = min(self.plan.clients, self.plan.students)
        await asyncio.gather(*(self._one_client(measured) for _ in range(clients)))

    async def _one_client(self, measured: Measured) -> None:
        while self.left > 0 and time.perf_counter() < self.until:
            self.left -= 1
            student = self.idle.popleft()
            await self._pair(student, measured)
            self.idle.append(student)

    async def _pair(self, student: str, measured: Measured) -> None:
        copy = self.made
        self.made += 1
        path = f"submission/{COURSE}/{ASSIGNMENT}"
        answer = await self._submit(path, student, copy)
        measured.note("POST", answer)
        with measured.checking(f"POST {path} by {student}"):
            self.promised[student].append(checks.acknowledged(answer, self.promised[student]))
            self.latest[student] = copy
        path = f"submissions/{COURSE}/{ASSIGNMENT}/{student}"
        answer = await self.client.ask("GET", path, user=student)
        measured.note("GET", answer)
        with measured.checking(f"GET {path}"):
            checks.lists_exactly(answer, [(student, moment) for moment in self.promised[student]])

    async def _submit(self, path: str, student: str, copy: int) -> Answer:
        work = self.works[copy % DIFFERENT]
        if not self.behind_hub:
            body = work.urlencoded(copy, {"user": student})
            return await self.client.ask("POST", path, body.content, encoding=body.encoding)
        # What the plug-ins say beside the tree: a key of this submission's own, and which one they knew as the newest.
        fields = {"key": secrets.token_hex(16)}
        if self.promised[student]:
            fields["after"] = self.promised[student][-1] + " UTC"
        body = work.multipart(copy, fields)
        return await self.client.ask("POST", path, body.content, user=student, encoding=body.encoding)

    async def look_afterwards(self, measured: Measured) -> None:
        """Whether the instructor finds all that was acknowledged, and nothing else."""
        path = f"submissions/{COURSE}/{ASSIGNMENT}"
        answer = await self.client.ask("GET", path, user=INSTRUCTOR)
        with measured.checking(f"GET {path}"):
            wanted = [(student, moment) for student, moments in self.promised.items() for moment in moments]
            checks.lists_exactly(answer, wanted)
        for student in list(self.latest)[:: max(len(self.latest) // DOWNLOADS, 1)]:
            path = f"submission/{COURSE}/{ASSIGNMENT}/{student}"
            answer = await self.client.ask("GET", path, user=INSTRUCTOR)
            with measured.checking(f"GET {path}"):
                copy = self.latest[student]
                said = checks.has_files(answer, self.works[copy % DIFFERENT].checksums(copy))
                if checks.timestamp_in(said) != self.promised[student][-1]:
                    raise Wrong(f"not the latest, of {self.promised[student][-1]}")


async def load(address: Address, plan: Plan) -> Measured:
    """Play a rush."""
    rush = Rush(address, plan)
    measured, warm_up = Measured(), Measured()
    await rush.pairs(min(plan.warm_up, plan.pairs), warm_up)
    made = rush.made
    if plan.together:
        rush.until = await begin_together() + plan.seconds
    used = usage.cpu_seconds(plan.server) if plan.server else 0.0
    with measured.timed():
        await rush.pairs(plan.pairs, measured)
    if plan.server:
        used = usage.cpu_seconds(plan.server) - used
        measured.facts["cpu ms per pair"] = 1000 * used / (rush.made - made)
    measured.facts["per second"] = (rush.made - made) / measured.seconds
    # As long as nobody pauses, this is so whoever is served first (Little's law).
    measured.facts["each pair"] = 1000 * min(plan.clients, plan.students) / measured.facts["per second"]
    for what in warm_up.wrong:
        measured.blame(what)
    if plan.stores:
        await rush.look_afterwards(measured)
    measured.facts["refused"] = rush.client.refused
    return measured


def course(how_many: int, earlier: int = 0) -> Course:
    """A course for a rush, in which each student has handed in some times before."""
    names = students(how_many)
    small = {name: b'{"cells": []}\n' for name in bodies.NAMES}
    return Course(COURSE, names, [ASSIGNMENT], submitting=how_many if earlier else 0, times=earlier, submitted=small)


def sample(how_many: int, earlier: int = 0) -> Sample:
    """What is there before a rush."""
    return Sample([course(how_many, earlier)])


class DeadlineRush(Work):
    """See above."""

    title = f"deadline rush: {CLIENTS} clients, 100 KiB in 3 files, POST then GET of the own list"
    rivals: Sequence[str] = (
        *("ngshare-as-deployed", "ours-as-deployed", "decode-multipart"),
        *("ngshare", "ours", "ours-2", "read", "decode"),
    )
    rows = (
        ("per second", "submissions/s"),
        ("each pair", "a pair on average: clients / pairs per second, ms"),
        ("POST p50", "POST p50, ms"),
        ("POST p99", "POST p99, ms"),
        ("GET p50", "GET p50, ms"),
        ("GET p99", "GET p99, ms"),
        ("cpu ms per pair", "server CPU per pair, ms"),
        ("peak MiB", "peak RSS, MiB"),
        ("generator", "generator, % of a core"),
        ("flush p50", "flush of 100 KiB on the idle disk just before, ms"),
    )
    targets: Sequence[Target] = (
        Target(
            "as deployed: 7 × ngshare",
            ratio("per second", "ours-as-deployed", "ngshare-as-deployed"),
            7,
            at_least=True,
            unit="×",
        ),
        Target("as deployed: 2.8 ms of processor a pair", of("ours-as-deployed", "cpu ms per pair"), 2.8, unit="ms"),
        Target(
            "as deployed: within 10 % of stand-alone",
            ratio("per second", "ours-as-deployed", "ours"),
            0.9,
            at_least=True,
            unit="×",
        ),
        Target(
            "as deployed: p99 of POST 1.5 × that of the floor that decodes",
            ratio("POST p99", "ours-as-deployed", "decode-multipart"),
            1.5,
            unit="× the floor",
        ),
        Target("stand-alone: 6 × ngshare", ratio("per second", "ours", "ngshare"), 6, at_least=True, unit="×"),
        Target(
            "stand-alone: p99 of POST 1.5 × that of the floor that decodes",
            ratio("POST p99", "ours", "decode"),
            1.5,
            unit="× the floor",
        ),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = options.scaled(STUDENTS, CLIENTS)
        self.pairs = options.scaled(PAIRS, 2 * CLIENTS)
        self.warm_up = options.scaled(WARM_UP, 10)
        self.earlier = options.scaled(EARLIER, 2)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": sample(self.students, self.earlier)}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures = {"flush p50": disk.flush_milliseconds(folders[""])}
        with rival.running(folders[""]) as server, server.using(figures):
            plan = Plan(
                self.students,
                self.pairs,
                warm_up=self.warm_up,
                earlier=self.earlier,
                stores=rival.stores,
                server=server.pid,
            )
            measured = in_own_process(load, server.address, plan)
        return {**figures, **times(measured)}, [measured]


WORK = DeadlineRush
