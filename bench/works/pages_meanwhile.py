"""Before the deadline: 500 students look at their pages while work is handed in."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from pathlib import Path

from bench.client import Address, Client
from bench.figures import Target, of, ratio
from bench.load import Measured, begin_together, in_own_processes
from bench.rivals import Rival
from bench.sample import Course, Sample, students
from bench.works import Options, Work, pages, rush, times

STUDENTS = 500
SECONDS = 12
WAITS = 5.0  # seconds from one look of a student to the next


def looks(student: str) -> dict[str, tuple[str, str, str]]:
    """What a student opens, one after the other: see `pages.pages`."""
    there = f"{rush.COURSE}/{rush.ASSIGNMENT}"
    return {
        "home": ("", student, rush.COURSE),
        "assignment": (f"pages/assignment/{there}", student, rush.ASSIGNMENT),
        "submissions": (f"pages/submissions/{there}/{student}", student, rush.ASSIGNMENT),
    }


async def look(address: Address, names: list[str], seconds: float) -> Measured:
    """Each student opens one page after the other; together they come evenly."""
    measured, client = Measured(), Client(address)
    end = await begin_together() + seconds

    async def one(number: int, student: str) -> None:
        await asyncio.sleep(min(WAITS, seconds) * number / len(names))
        of_each = itertools.cycle(looks(student).items())
        for kind, page in itertools.islice(of_each, number % 3, None):
            began = time.perf_counter()
            if began >= end:
                return
            path, user, has = page
            answer = await client.ask("GET", path, user=user)
            measured.note(kind, answer)
            with measured.checking(f"GET {path}"):
                pages.check(answer, has)
            await asyncio.sleep(max(0.0, began + WAITS - time.perf_counter()))

    with measured.timed():
        await asyncio.gather(*(one(number, student) for number, student in enumerate(names)))
    return measured


class PagesMeanwhile(Work):
    """See above."""

    title = f"pages meanwhile: {STUDENTS} students open one each {WAITS:.0f} s, beside the rush and without it"
    rivals = ("ours", "ours-2")
    rows = (
        ("home alone", "the first page, nobody hands in: p99, ms"),
        ("home", "the first page beside the rush: p50, ms"),
        ("home p99", "the first page beside the rush: p99, ms"),
        ("assignment p99", "an assignment's page: p99, ms"),
        ("submissions p99", "what one has handed in: p99, ms"),
        ("pages", "pages/s"),
        ("per second", "submissions/s beside the pages"),
        ("alone", "submissions/s without them"),
        ("POST p99", "a submission beside the pages: p99, ms"),
    )
    targets = (
        Target("a page beside the rush: p99 within 1 s", of("ours", "home p99"), 1000, unit="ms"),
        Target("the rush keeps half its speed", ratio("per second", "ours", "ours", "alone"), 0.5, at_least=True),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = students(options.scaled(STUDENTS, 20))
        self.seconds = max(SECONDS * options.scale, 0.5)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        sample = Sample([Course(rush.COURSE, self.students, [rush.ASSIGNMENT])])
        return {"alone": sample, "beside": sample}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        plan = rush.Plan(len(self.students), 10**9, together=True, seconds=self.seconds)
        with rival.running(folders["alone"]) as server:
            looking = (look, server.address, self.students, self.seconds)
            alone, handed_in = (in_own_processes(each)[0] for each in (looking, (rush.load, server.address, plan)))
        with rival.running(folders["beside"]) as server:
            looking = (look, server.address, self.students, self.seconds)
            looked, beside = in_own_processes(looking, (rush.load, server.address, plan))
        seen = times(looked)
        figures = {
            "home alone": times(alone)["home p99"],
            "home": seen["home p50"],
            **{f"{kind} p99": seen[f"{kind} p99"] for kind in looks("")},
            "pages": sum(map(len, looked.milliseconds.values())) / looked.seconds,
            "per second": beside.facts["per second"],
            "alone": handed_in.facts["per second"],
            "POST p99": times(beside)["POST p99"],
        }
        return figures, [alone, handed_in, looked, beside]


WORK = PagesMeanwhile
