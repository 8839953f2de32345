"""The steps of the cycle; where the old client differs, they are here.

Its exit codes prove nothing, since it reports many failures with 0: each step looks at what it printed, or brought
about.
"""

from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from examples.whole_cycle import cycle as with_plug_ins
from examples.whole_cycle.cycle import ASSIGNMENT, REMOVED_STUDENT, ROSTER, Cycle, Step, write_roster

COMMAND = "ngshare-course-management"


def create_course(cycle: Cycle) -> None:
    """The administrator creates the course and says who teaches it."""
    printed = cycle.admin.run(COMMAND, "create_course", cycle.course, cycle.instructor.name)
    cycle.admin.expect(f"Successfully created {cycle.course}" in printed, "no course was created")


def add_students(cycle: Cycle) -> None:
    """The instructor adds one student by name, and others with a CSV file."""
    printed = cycle.teach(
        COMMAND, "add_student", cycle.course, cycle.zoë.name,
        *("--first_name", "Zoë", "--last_name", "Müller", "--email", cycle.zoë.name),
    )  # fmt: skip
    cycle.instructor.expect(
        f"Successfully added/updated {cycle.zoë.name} on {cycle.course}" in printed,
        "the student was not added",
    )
    write_roster(cycle)
    printed = cycle.teach(COMMAND, "add_students", cycle.course, ROSTER)
    for name in (cycle.max.name, REMOVED_STUDENT):
        cycle.instructor.expect(f"{name} was successfully added to {cycle.course}" in printed, f"{name} was not added")


def remove_student(cycle: Cycle) -> None:
    """One of them was a mistake, and is removed."""
    printed = cycle.teach(COMMAND, "remove_students", cycle.course, REMOVED_STUDENT)
    cycle.instructor.expect(
        f"Successfully deleted {REMOVED_STUDENT} from {cycle.course}" in printed, "the student is still there"
    )


def fetch_feedback(cycle: Cycle) -> None:
    """Each student fetches the feedback; the client makes an empty folder for a submission that has none."""
    with_plug_ins.fetch_feedback(cycle)
    for student in cycle.students:
        first, _ = cycle.submissions[student.name]
        asked_for = cycle.work_of(student) / "feedback" / first.timestamp
        student.expect(asked_for.is_dir(), "the first try was not asked for")


DIFFERENT: dict[Step, Step] = {
    with_plug_ins.create_course: create_course,
    with_plug_ins.add_students: add_students,
    with_plug_ins.remove_student: remove_student,
    with_plug_ins.fetch_feedback: fetch_feedback,
}
# It keeps no receipts.
STEPS = [DIFFERENT.get(step, step) for step in with_plug_ins.STEPS if step is not with_plug_ins.read_receipts]


def with_dates(url: str) -> list[Step]:
    """The steps, and between them dates, of which the client knows nothing.

    Args:
        url: of the server.
    """

    def set_dates(cycle: Cycle, **dates: str) -> None:
        form = urlencode({"user": cycle.instructor.name, **dates}).encode()
        place = f"{url}assignment/{quote(cycle.course)}/{ASSIGNMENT}"
        urlopen(Request(place, form, method="PATCH")).close()

    def before_the_release(cycle: Cycle) -> None:
        """Before the release date nobody sees the assignment, nor fetches it."""
        set_dates(cycle, release="2090-01-01")
        cycle.max.expect(ASSIGNMENT not in cycle.max.run("nbgrader", "list"), "it is listed")
        cycle.max.run("nbgrader", "fetch_assignment", ASSIGNMENT, "--course", cycle.course)
        cycle.max.expect(not (cycle.work_of(cycle.max) / "problem1.ipynb").exists(), "it was fetched")
        set_dates(cycle, release="")

    def after_the_close(cycle: Cycle) -> None:
        """After the close date nobody hands in."""
        set_dates(cycle, due="2020-01-01", close="2020-01-02")
        printed = cycle.max.run("nbgrader", "submit", ASSIGNMENT, "--course", cycle.course)
        cycle.max.expect("Assignment is closed (ps1 closed at 2020-01-02 23:59:59 UTC)" in printed, "nobody says why")
        set_dates(cycle, close="")

    steps = list(STEPS)
    for step, follows in (
        (with_plug_ins.release_again, before_the_release),
        (with_plug_ins.submit_second_try, after_the_close),
    ):
        steps.insert(steps.index(step) + 1, follows)
    return steps
