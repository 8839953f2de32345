"""An instructor collects: the list, then the latest submission of each student, one by one."""

from collections.abc import Mapping
from pathlib import Path

from bench import checks
from bench.bodies import SUBMISSION, checksums, make_files
from bench.client import Address, Client, Wrong
from bench.figures import Round, Target
from bench.load import Measured, in_own_process
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, expected_list, students
from bench.works import Options, Work, times

COURSE, ASSIGNMENT = "math", "ps1"
STUDENTS = 200
TIMES = 3
SEED = 1


async def load(address: Address, course: Course) -> Measured:
    """Collect once."""
    measured, client = Measured(), Client(address)
    wanted, names = checksums(course.submitted), f"{course.name}/{course.assignments[0]}"
    answers = []
    with measured.timed():
        listed = await client.ask("GET", f"submissions/{names}", user=INSTRUCTOR)
        measured.note("list", listed)
        latest: dict[str, str] = {}
        with measured.checking("GET submissions"):
            latest = dict(sorted(checks.submissions_in(listed), key=lambda entry: entry[1]))
        for student in latest:
            answers.append(await client.ask("GET", f"submission/{names}/{student}", user=INSTRUCTOR))
            measured.note("download", answers[-1])
    with measured.checking("GET submissions"):
        checks.lists_exactly(listed, expected_list(course))
    for student, answer in zip(latest, answers, strict=True):
        with measured.checking(f"GET submission of {student}"):
            said = checks.has_files(answer, wanted)
            if checks.timestamp_in(said) != latest[student]:
                raise Wrong(f"not the latest, of {latest[student]}")
    measured.facts["refused"] = client.refused
    measured.facts["seconds"] = measured.seconds
    return measured


def _faster(figures: Round) -> float:
    return figures["ngshare"]["seconds"] / figures["ours"]["seconds"]


class Collect(Work):
    """See above."""

    title = "collect: 200 students, the latest of 3 submissions of 100 KiB each, one by one"
    rivals = ("ngshare", "ours")
    rows = (
        ("seconds", "all, s"),
        ("list p50", "list of 600, ms"),
        ("download p50", "one download: p50, ms"),
        ("download p99", "one download: p99, ms"),
        ("cpu ms each", "server CPU per download, ms"),
        ("generator", "generator, % of a core"),
    )
    targets = (Target("3 × faster than ngshare", _faster, 3, at_least=True, unit="×"),)

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        who = students(options.scaled(STUDENTS, 5))
        files = make_files(SUBMISSION, SEED)
        self.course = Course(COURSE, who, [ASSIGNMENT], submitting=len(who), times=TIMES, submitted=files)

    fresh = False

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": Sample([self.course])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures: dict[str, float] = {}
        with rival.running(folders[""]) as server:
            warm_up = in_own_process(load, server.address, self.course)
            with server.using(figures):
                measured = in_own_process(load, server.address, self.course)
        figures |= times(measured)
        figures["cpu ms each"] = 1000 * figures["cpu seconds"] / len(self.course.students)
        return figures, [warm_up, measured]


WORK = Collect
