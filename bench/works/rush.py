"""The deadline rush: many students hand in at once, and each looks whether it arrived."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import checks, disk
from bench.bodies import SUBMISSION, make_work, user_part
from bench.bodies import Work as HandedIn
from bench.client import Client, Wrong
from bench.figures import Target, of, ratio
from bench.load import Measured, begin_together, in_own_process
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, students
from bench.works import Options, Work, times

COURSE, ASSIGNMENT = "math", "ps1"
CLIENTS = 50
STUDENTS = 200
PAIRS = 2000
WARM_UP = 200
DIFFERENT = 8  # bodies; each is handed in by many
DOWNLOADS = 20


@dataclass(frozen=True)
class Plan:
    """A rush.

    Args:
        students: who hand in; never the same one twice at a time.
        pairs: how many submissions are made, each followed by the list of the student's own.
        stores: whether lists and files can be compared with what was handed in.
        seconds: after which it ends, if `pairs` are not done before; begins together with other loads.
    """

    students: int
    pairs: int
    clients: int = CLIENTS
    stores: bool = True
    seconds: float | None = None


class Rush:
    """What the clients share, and what they have been promised."""

    def __init__(self, url: str, plan: Plan) -> None:
        self.client, self.plan = Client(url), plan
        self.works = [make_work(SUBMISSION, seed) for seed in range(DIFFERENT)]
        self.idle = deque(students(plan.students))
        self.promised: dict[str, list[str]] = {student: [] for student in self.idle}
        self.latest: dict[str, HandedIn] = {}
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
        work = self.works[self.made % DIFFERENT]
        self.made += 1
        path = f"submission/{COURSE}/{ASSIGNMENT}"
        answer = await self.client.ask("POST", path, user_part(student), work.form)
        measured.note("POST", answer)
        with measured.checking(f"POST {path} by {student}"):
            self.promised[student].append(checks.acknowledged(answer, self.promised[student]))
            self.latest[student] = work
        path = f"submissions/{COURSE}/{ASSIGNMENT}/{student}"
        answer = await self.client.ask("GET", f"{path}?user={student}")
        measured.note("GET", answer)
        with measured.checking(f"GET {path}"):
            checks.lists_exactly(answer, [(student, moment) for moment in self.promised[student]])

    async def look_afterwards(self, measured: Measured) -> None:
        """Whether the instructor finds all that was acknowledged, and nothing else."""
        path = f"submissions/{COURSE}/{ASSIGNMENT}?user={INSTRUCTOR}"
        answer = await self.client.ask("GET", path)
        with measured.checking(f"GET {path}"):
            wanted = [(student, moment) for student, moments in self.promised.items() for moment in moments]
            checks.lists_exactly(answer, wanted)
        for student in list(self.latest)[:: max(len(self.latest) // DOWNLOADS, 1)]:
            path = f"submission/{COURSE}/{ASSIGNMENT}/{student}?user={INSTRUCTOR}"
            answer = await self.client.ask("GET", path)
            with measured.checking(f"GET {path}"):
                said = checks.has_files(answer, self.latest[student].checksums)
                if checks.timestamp_in(said) != self.promised[student][-1]:
                    raise Wrong(f"not the latest, of {self.promised[student][-1]}")


async def load(url: str, plan: Plan) -> Measured:
    """Play a rush."""
    rush = Rush(url, plan)
    measured, warm_up = Measured(), Measured()
    await rush.pairs(min(WARM_UP, plan.pairs), warm_up)
    made = rush.made
    if plan.seconds is not None:
        rush.until = await begin_together() + plan.seconds
    with measured.timed():
        await rush.pairs(plan.pairs, measured)
    measured.facts["per second"] = (rush.made - made) / measured.seconds
    for what in warm_up.wrong:
        measured.blame(what)
    if plan.stores:
        await rush.look_afterwards(measured)
    return measured


def sample(how_many: int) -> Sample:
    """A course for a rush."""
    return Sample([Course(COURSE, students(how_many), [ASSIGNMENT])])


class DeadlineRush(Work):
    """See above."""

    title = f"deadline rush: {CLIENTS} clients, 100 KiB in 3 files, POST then GET of the own list"
    rivals: Sequence[str] = ("ngshare", "ours", "ours-2", "read", "decode")
    rows = (
        ("per second", "submissions/s"),
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
        Target("6 × ngshare", ratio("per second", "ours", "ngshare"), 6, at_least=True, unit="×"),
        Target(
            "no slower than the floor that decodes",
            ratio("per second", "ours", "decode"),
            1,
            at_least=True,
            unit="× the floor",
        ),
        Target("p99 of POST below 150 ms", of("ours", "POST p99"), 150, unit="ms"),
        Target("two workers faster than one", ratio("per second", "ours-2", "ours"), 1, at_least=True, unit="×"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = options.scaled(STUDENTS, CLIENTS)
        self.pairs = options.scaled(PAIRS, 2 * CLIENTS)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": sample(self.students)}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures = {"flush p50": disk.flush_milliseconds(folders[""])}
        plan = Plan(self.students, self.pairs, stores=rival.stores)
        with rival.running(folders[""]) as server, server.using(figures):
            measured = in_own_process(load, server.url, plan)
        figures |= times(measured)
        figures["cpu ms per pair"] = 1000 * figures["cpu seconds"] / (self.pairs + WARM_UP)
        return figures, [measured]


WORK = DeadlineRush
