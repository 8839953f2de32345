"""Lists of submissions: 20 assignments, 2,000 students, the more of whom have handed in the longer the list."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench import checks
from bench.client import Address, Client, Wrong
from bench.figures import Round, Target, of
from bench.load import Measured, in_own_process, repeat
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, expected_list, students
from bench.works import Options, Work, times

STUDENTS = 2000
ASSIGNMENTS = 20
PER_ASSIGNMENT = (50, 200, 800, 2000)
SMALLEST, LARGEST = "0", str(len(PER_ASSIGNMENT) - 1)
REQUESTS = 30
SECONDS = 4
SMALL = 50  # submissions in a second course, which is the same in all volumes


async def load(address: Address, course: Course, requests: int) -> Measured:
    """Ask for lists, one after the other."""
    measured, client = Measured(), Client(address)
    assignment = course.assignments[len(course.assignments) // 2]
    wanted = expected_list(course)

    async def listed(kind: str, path: str, user: str, expected: list[tuple[str, str]]) -> None:
        answer = await client.ask("GET", f"submissions/{path}", user=user)
        measured.note(kind, answer)
        with measured.checking(f"GET submissions/{path}"):
            checks.lists_exactly(answer, expected)

    async def roster() -> None:
        answer = await client.ask("GET", f"students/{course.name}", user=INSTRUCTOR)
        measured.note("roster", answer)
        with measured.checking("GET students"):
            if sorted(entry["username"] for entry in answer.json()["students"]) != sorted(course.students):
                raise Wrong("other students")

    async def assignments() -> None:
        answer = await client.ask("GET", f"assignments/{course.name}", user=student)
        measured.note("assignments", answer)
        with measured.checking("GET assignments"):
            if sorted(checks.names_in(answer, "assignments")) != sorted(course.assignments):
                raise Wrong("other assignments")

    student = course.students[0]
    own = [entry for entry in wanted if entry[0] == student]
    path = f"{course.name}/{assignment}"
    await listed("cold", path, INSTRUCTOR, wanted)
    with measured.timed():
        await repeat(lambda: listed("list", path, INSTRUCTOR, wanted), requests, SECONDS)
        await repeat(lambda: listed("own", f"{path}/{student}", student, own), requests, SECONDS)
        await repeat(assignments, requests, SECONDS)
        await repeat(roster, requests, SECONDS)
    return measured


async def load_small(addresses: dict[str, Address], course: Course, requests: int) -> Measured:
    """Ask for the same small list beside little and beside much, in turns."""
    measured = Measured()
    clients = {name: Client(address) for name, address in addresses.items()}
    path, wanted = f"submissions/{course.name}/{course.assignments[0]}", expected_list(course)

    async def ask_all() -> None:
        for name, client in clients.items():
            answer = await client.ask("GET", path, user=INSTRUCTOR)
            measured.note(f"small {name}", answer)
            with measured.checking(f"GET {path}"):
                checks.lists_exactly(answer, wanted)

    with measured.timed():
        await repeat(ask_all, requests, SECONDS)
    return measured


def _growth(figures: Round) -> float:
    return figures["ours"][f"small {LARGEST}"] / figures["ours"][f"small {SMALLEST}"]


class Listings(Work):
    """See above."""

    title = "listings: 20 assignments, 2,000 students, up to 40,000 submissions in all"
    rivals = ("ngshare", "ours")
    fresh = False
    rows = (
        *(
            (f"list {n}", f"list of {each:,} of {ASSIGNMENTS * each:,}: p50, ms")
            for n, each in enumerate(PER_ASSIGNMENT)
        ),
        ("list p99", "the last one: p99, ms"),
        ("cold", "the last one as the first request to a fresh process, ms"),
        ("small 0", f"list of {SMALL} of another course beside 1,000: p50, ms"),
        ("small 3", f"list of {SMALL} of another course beside 40,000: p50, ms"),
        ("own", "own list of a student, 40,000: p50, ms"),
        ("assignments", "assignments, 40,000: p50, ms"),
        ("roster", "roster of 2,000: p50, ms"),
    )
    targets = (
        Target("list of 2,000 of 40,000 within 8 ms", of("ours", "list 3"), 8, unit="ms"),
        Target(
            "cost follows the answer's size: 50 beside 40,000 as fast as beside 1,000 (×1.25 is noise)",
            _growth,
            1.25,
            unit="×",
        ),
    )

    def _courses(self, each: int) -> tuple[Course, Course]:
        everybody = students(self.options.scaled(STUDENTS, 10))
        assignments = [f"ps{number}" for number in range(1, ASSIGNMENTS + 1)]
        submitting = self.options.scaled(each, 2)
        large = Course("math", everybody, assignments, submitting=min(submitting, len(everybody)))
        return large, Course("small", students(SMALL), ["ps1"], submitting=SMALL)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.courses = {str(number): self._courses(each) for number, each in enumerate(PER_ASSIGNMENT)}

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {name: Sample(courses) for name, courses in self.courses.items()}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures: dict[str, float] = {}
        loads = []
        requests = self.options.scaled(REQUESTS, 2)
        for name, (course, _) in self.courses.items():
            with rival.running(folders[name]) as server:
                loads.append(in_own_process(load, server.address, course, requests))
            found = times(loads[-1])
            figures[f"list {name}"] = found["list p50"]
            # Of the largest volume, which comes last.
            figures |= {"list p99": found["list p99"], "cold": found["cold p50"], "own": found["own p50"]}
            figures |= {"assignments": found["assignments p50"], "roster": found["roster p50"]}
        with ExitStack() as stack:
            ends = (SMALLEST, LARGEST)
            servers = {name: stack.enter_context(rival.running(folders[name])).address for name in ends}
            loads.append(in_own_process(load_small, servers, self.courses[SMALLEST][1], 3 * requests))
        found = times(loads[-1])
        figures |= {f"small {name}": found[f"small {name} p50"] for name in ends}
        return figures, loads


WORK = Listings
