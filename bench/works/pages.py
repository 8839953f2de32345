"""Pages in a browser: of a course of 2,000 students, and the first page of somebody in many courses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.client import Address, Answer, Client, Wrong
from bench.figures import Target, of
from bench.load import Measured, in_own_process, repeat
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, students
from bench.works import Options, Work, times

STUDENTS = 2000
ASSIGNMENTS = 20
COURSES = 30  # that one student takes besides
REQUESTS = 30
SECONDS = 4
LARGE = "math"
LIMIT = 100


def pages(student: str, assignment: str) -> dict[str, tuple[str, str, str]]:
    """The pages by short names: path, who looks at it, what has to be on it."""
    filtered = f"pages/class/{LARGE}?show=no-feedback&of.{assignment}=1"
    return {
        "course": (f"pages/course/{LARGE}", INSTRUCTOR, assignment),
        "class": (f"pages/class/{LARGE}", INSTRUCTOR, student),
        "part": (f"pages/class/{LARGE}?part=3", INSTRUCTOR, assignment),
        "filter": (filtered, INSTRUCTOR, student),
        "student": (f"pages/student/{LARGE}/{student}", INSTRUCTOR, assignment),
        "collect": (f"pages/collect/{LARGE}/{assignment}", INSTRUCTOR, assignment),
        "roster": (f"pages/roster/{LARGE}", INSTRUCTOR, student),
        "manage": (f"pages/manage/{LARGE}/{assignment}", INSTRUCTOR, assignment),
        "own course": (f"pages/course/{LARGE}", student, assignment),
        "submissions": (f"pages/submissions/{LARGE}/{assignment}/{student}", student, assignment),
        "home": ("", student, LARGE),
        "home of instructor": ("", INSTRUCTOR, LARGE),
    }


async def load(address: Address, page: tuple[str, str, str], requests: int) -> Measured:
    """Look at a page again and again."""
    path, user, has = page
    measured, client = Measured(), Client(address)

    async def look() -> None:
        answer = await client.ask("GET", path, user=user)
        measured.note("page", answer)
        with measured.checking(f"GET {path}"):
            check(answer, has)

    with measured.timed():
        await repeat(look, requests, SECONDS)
    return measured


def check(answer: Answer, has: str) -> None:
    """Look whether it is the page.

    Raises:
        Wrong: it is another one.
    """
    if answer.status != 200 or has.encode() not in answer.body or not answer.body.rstrip().endswith(b"</html>"):
        raise Wrong(f"status {answer.status}, {len(answer.body)} bytes")


TITLES = {
    "course": "page of the course, for its instructor",
    "class": "table of the class: the newest assignments, 100 rows",
    "part": "the same, part 3",
    "filter": "the same, filtered: one assignment, no feedback",
    "student": "page of a student, for their instructor",
    "collect": "page that offers an assignment as a zip",
    "roster": "roster, 100 rows",
    "manage": "page to manage an assignment",
    "own course": "page of the course, for a student",
    "submissions": "what a student has handed in to an assignment",
    "home": f"first page of a student in {COURSES + 1} courses",
    "home of instructor": f"first page of their instructor, of {COURSES + 1} courses",
}
# Those that look at the folders of 2,000 students.
HEAVY = ("course", "class", "collect")


class Pages(Work):
    """See above."""

    title = "pages: a course of 2,000 students and 20 assignments, 40,000 submissions"
    rivals = ("ours",)
    fresh = False
    rows = (
        *((name, f"{title}: p50, ms") for name, title in TITLES.items()),
        *((f"{name} cpu", f"{TITLES[name]}: server CPU, ms") for name in HEAVY),
        *((f"{name} first", f"{TITLES[name]}: for the first time in a process, ms") for name in HEAVY),
    )
    targets = tuple(Target(f"{TITLES[name]} within {LIMIT} ms", of("ours", name), LIMIT, unit="ms") for name in TITLES)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        everybody = students(options.scaled(STUDENTS, 10))
        self.assignments = [f"ps{number}" for number in range(1, ASSIGNMENTS + 1)]
        self.student = everybody[0]
        self.courses = [
            Course(LARGE, everybody, self.assignments, submitting=len(everybody)),
            *(Course(f"small{n}", [self.student], ["ps1", "ps2"], submitting=1) for n in range(COURSES)),
        ]

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"pages": Sample(self.courses)}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        requests = self.options.scaled(REQUESTS, 2)
        _set_dates(folders["pages"] / "data", self.assignments)
        figures: dict[str, float] = {}
        loads = []
        with rival.running(folders["pages"]) as server:
            for name, page in pages(self.student, self.assignments[-1]).items():
                used: dict[str, float] = {}
                loads.append(in_own_process(load, server.address, page, 1))
                figures[f"{name} first"] = times(loads[-1])["page p50"]
                with server.using(used):
                    loads.append(in_own_process(load, server.address, page, requests))
                measured = loads[-1]
                figures[name] = times(measured)["page p50"]
                figures[f"{name} cpu"] = 1000 * used["cpu seconds"] / len(measured.milliseconds["page"])
        return figures, loads


def _set_dates(data: Path, assignments: Sequence[str]) -> None:
    """One assignment is due after the other; of each student, some submissions are late."""
    for day, assignment in enumerate(assignments, 1):
        file = data / "courses" / LARGE / "assignments" / assignment / "assignment.yaml"
        file.write_text(f"due: 2020-01-31 09:{day:02}:00 UTC\n")


WORK = Pages
