"""The beginning of a lesson: everybody fetches the release."""

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from bench import checks
from bench.bodies import KIB, checksums, make_files
from bench.client import Address, Client
from bench.figures import Target, ratio
from bench.load import Measured, in_own_process
from bench.rivals import Rival
from bench.sample import Course, Sample, students
from bench.works import Options, Work, times

COURSE, ASSIGNMENT = "math", "ps1"
SIZES = (700 * KIB, 200 * KIB, 100 * KIB, 20 * KIB, 4 * KIB)
STUDENTS = 200
CLIENTS = 50
TURNS = 3  # of all students: one alone is over too soon to be measured
SEED = 1


async def load(address: Address, who: list[str], turns: int) -> Measured:
    """Everybody fetches, `CLIENTS` at once."""
    measured, client = Measured(), Client(address)
    wanted = checksums(make_files(SIZES, SEED))
    good = bytearray()

    async def fetch(student: str, note: Measured) -> None:
        answer = await client.ask("GET", f"assignment/{COURSE}/{ASSIGNMENT}", user=student)
        note.note("fetch", answer)
        # Decoding each answer would keep the generator busier than the server: the same bytes are as good.
        if answer.status != 200 or answer.body != good:
            with measured.checking(f"GET assignment by {student}"):
                checks.has_files(answer, wanted)
                good[:] = answer.body

    async def one_client() -> None:
        while left:
            await fetch(left.popleft(), measured)

    for student in who[:5]:
        await fetch(student, Measured())
    left = deque(who * turns)
    with measured.timed():
        await asyncio.gather(*(one_client() for _ in range(CLIENTS)))
    measured.facts["refused"] = client.refused
    measured.facts["per second"] = len(who) * turns / measured.seconds
    return measured


class Fetch(Work):
    """See above."""

    title = "fetch: 200 students fetch a 1 MiB release in 5 files, 50 at once"
    rivals = ("ngshare", "ours", "static")
    rows = (
        ("per second", "fetches/s"),
        ("fetch p50", "p50, ms"),
        ("fetch p99", "p99, ms"),
        ("cpu ms per fetch", "server CPU per fetch, ms"),
        ("peak MiB", "peak RSS, MiB"),
        ("generator", "generator, % of a core"),
    )
    targets = (
        Target("5 × ngshare", ratio("per second", "ours", "ngshare"), 5, at_least=True, unit="×"),
        Target(
            "near the floor of a ready-made file (0.8 of it)",
            ratio("per second", "ours", "static"),
            0.8,
            at_least=True,
            unit="× the floor",
        ),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = students(options.scaled(STUDENTS, 10))

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": Sample([Course(COURSE, self.students, [ASSIGNMENT], released=make_files(SIZES, SEED))])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures: dict[str, float] = {}
        with rival.running(folders[""]) as server, server.using(figures):
            measured = in_own_process(load, server.address, self.students, TURNS)
        figures |= times(measured)
        figures["cpu ms per fetch"] = 1000 * figures["cpu seconds"] / len(measured.milliseconds["fetch"])
        return figures, [measured]


WORK = Fetch
