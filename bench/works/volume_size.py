"""Ten times as many courses, with 200,000 submissions in all: is anybody to notice?

Every student takes five courses in both volumes, so that all answers are the same.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench import checks, usage
from bench.bodies import KIB, checksums, make_files
from bench.client import Address, Client, Wrong
from bench.figures import Round, Target
from bench.load import Measured, in_own_process, repeat
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, expected_list
from bench.works import Options, Work, times

COURSES = {"small": 5, "large": 50}
TOGETHER = 5  # courses that have the same students
STUDENTS = 200
ASSIGNMENTS = 20
REQUESTS = 100
SECONDS = 4
SEED = 1
KINDS = {
    "own": "own list of a student",
    "listing": "list of an assignment",
    "courses": "courses of a student",
    "fetch": "fetch of a release of 100 KiB",
}


class Reader:
    """Asks one of the two volumes.

    Args:
        size: which one.
        courses: those of one student; all lists are asked of the last one.
    """

    def __init__(self, measured: Measured, size: str, address: Address, courses: list[Course]) -> None:
        self._measured, self._size, self._client = measured, size, Client(address)
        self._courses, self._course = courses, courses[-1]
        self._student = self._course.students[0]
        self._path = f"{self._course.name}/{self._course.assignments[-1]}"
        self._all = expected_list(self._course)
        self._files = checksums(dict(self._course.released))

    async def visit(self) -> None:
        """Ask each of the courses once, so that whatever is kept of them is kept."""
        for course in self._courses:
            await self._listed("visit", f"{course.name}/{course.assignments[-1]}", INSTRUCTOR, self._all)

    async def own(self) -> None:
        """The student's own list."""
        own = [entry for entry in self._all if entry[0] == self._student]
        await self._listed("own", f"{self._path}/{self._student}", self._student, own)

    async def listing(self) -> None:
        """The list of an assignment."""
        await self._listed("listing", self._path, INSTRUCTOR, self._all)

    async def courses(self) -> None:
        """The student's courses."""
        answer = await self._client.ask("GET", "courses", user=self._student)
        self._measured.note(f"{self._size} courses", answer)
        with self._measured.checking("GET courses"):
            if sorted(checks.names_in(answer, "courses")) != sorted(course.name for course in self._courses):
                raise Wrong(f"other courses: {bytes(answer.body[:200])!r}")

    async def fetch(self) -> None:
        """The release."""
        answer = await self._client.ask("GET", f"assignment/{self._path}", user=self._student)
        self._measured.note(f"{self._size} fetch", answer)
        with self._measured.checking("GET assignment"):
            checks.has_files(answer, self._files)

    async def _listed(self, kind: str, path: str, user: str, expected: list[tuple[str, str]]) -> None:
        answer = await self._client.ask("GET", f"submissions/{path}", user=user)
        self._measured.note(f"{self._size} {kind}", answer)
        with self._measured.checking(f"GET submissions/{path}"):
            checks.lists_exactly(answer, expected)


async def load(addresses: dict[str, Address], courses: dict[str, list[Course]], requests: int) -> Measured:
    """Ask both volumes in turns, so that a busy moment of the machine hits both."""
    measured = Measured()
    readers = [Reader(measured, size, addresses[size], courses[size]) for size in addresses]
    with measured.timed():
        for reader in readers:
            await reader.visit()
        for kind in KINDS:

            async def ask_both(kind: str = kind) -> None:
                for reader in readers:
                    await getattr(reader, kind)()

            await repeat(ask_both, requests, SECONDS)
    return measured


def _grows(kind: str) -> Target:
    def times_as_long(figures: Round) -> float:
        return figures["ours"][f"large {kind}"] / figures["ours"][f"small {kind}"]

    return Target(f"{KINDS[kind]}: the same (×1.25 is noise)", times_as_long, 1.25, unit="×")


def _memory(figures: Round) -> float:
    return figures["ours"]["large rss"] / figures["ours"]["small rss"]


class VolumeSize(Work):
    """See above."""

    title = "200,000 submissions in 50 courses: beside 20,000 in 5"
    rivals = ("ngshare", "ours")
    fresh = False
    rows = (
        *(
            (f"{size} {kind}", f"{label}, {COURSES[size]} courses: p50, ms")
            for kind, label in KINDS.items()
            for size in COURSES
        ),
        ("small rss", "RSS afterwards, 5 courses, MiB"),
        ("large rss", "RSS afterwards, 50 courses, MiB"),
    )
    targets = (
        *(_grows(kind) for kind in KINDS),
        Target("memory does not grow (×1.1 is noise)", _memory, 1.1, unit="×"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.courses = {size: self._make(how_many) for size, how_many in COURSES.items()}

    def _make(self, how_many: int) -> list[Course]:
        each = self.options.scaled(STUDENTS, 3)
        assignments = [f"ps{number}" for number in range(1, self.options.scaled(ASSIGNMENTS, 2) + 1)]
        files = make_files([60 * KIB, 30 * KIB, 10 * KIB], SEED)
        courses = []
        for number in range(how_many):
            block = number // TOGETHER
            who = [f"student-{block:02}-{person:03}" for person in range(each)]
            courses.append(Course(f"course-{number:02}", who, assignments, submitting=each, released=files))
        return courses

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {size: Sample(courses) for size, courses in self.courses.items()}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures: dict[str, float] = {}
        with ExitStack() as stack:
            servers = {size: stack.enter_context(rival.running(folders[size])) for size in COURSES}
            addresses = {size: server.address for size, server in servers.items()}
            asked = {size: self.courses[size][-TOGETHER:] for size in COURSES}
            measured = in_own_process(load, addresses, asked, self.options.scaled(REQUESTS, 2))
            for size, server in servers.items():
                figures[f"{size} rss"] = usage.resident(server.pid)
        found = times(measured)
        figures |= {f"{size} {kind}": found[f"{size} {kind} p50"] for kind in KINDS for size in COURSES}
        return figures, [measured]


WORK = VolumeSize
