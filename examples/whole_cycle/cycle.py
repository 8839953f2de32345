"""The cycle, step by step. The first line of each step's docstring is what a newcomer is told.

Each step looks at what it has brought about: at files, byte for byte, and at what the client lists. Exit codes prove
nothing, since the client reports many failures with 0.
"""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples.whole_cycle.people import Person

ASSIGNMENT = "ps1"
DATA_FILE = "daten/größen/Maße in m².csv"
OWN_FILE = "daten/eigene Lösung.txt"
FEEDBACK = {"problem1.html", "problem2.html"}  # nbgrader makes a page per notebook
REMOVED_STUDENT = "guest"

Files = dict[str, bytes]


@dataclass
class Submission:
    """What a student handed in, and when the server said it arrived."""

    timestamp: str
    files: Files


class Cycle:
    """Who takes part, and what they have handed in so far."""

    def __init__(
        self,
        url: str,
        folder: Path,
        programs: Path,
        *,
        course: str = "NBG 101",
        admin: str = "root",
        say: Callable[[str], None] = print,
    ) -> None:
        """Give everybody a home below `folder`; `programs` has nbgrader, `url` is the server's, with its prefix."""
        self.course = course
        self._say = say
        self.admin, self.instructor, self.zoë, self.max = (
            Person(name, folder / name, programs, url, say) for name in (admin, "teacher", "zoë@uni.example", "max")
        )
        self.students = (self.zoë, self.max)
        self.course_folder = self.instructor.home / course
        self.submissions: dict[str, list[Submission]] = {student.name: [] for student in self.students}

    def run(self) -> None:
        """Go through all steps.

        Raises:
            DidNotWork: a step did not do what it should; those after it are not tried.
        """
        for number, step in enumerate(STEPS, 1):
            self._say(f"\n{number}. {(step.__doc__ or '').splitlines()[0]}")
            step(self)

    def teach(self, *command: str) -> str:
        """Run a program as the instructor, in the course's folder."""
        return self.instructor.run(*command, folder=self.course_folder)

    def work_of(self, student: Person) -> Path:
        """Return the folder that the student has fetched and works in."""
        return student.home / ASSIGNMENT


def create_course(cycle: Cycle) -> None:
    """The administrator creates the course and says who teaches it."""
    printed = cycle.admin.run("ngshare-course-management", "create_course", cycle.course, cycle.instructor.name)
    cycle.admin.expect(f"Successfully created {cycle.course}" in printed, "no course was created")


def make_assignment(cycle: Cycle) -> None:
    """The instructor makes an assignment with nbgrader's own example, and adds a data file in a folder."""
    cycle.instructor.run("nbgrader", "quickstart", cycle.course)
    source = cycle.course_folder / "source" / ASSIGNMENT
    cycle.instructor.expect((source / "problem1.ipynb").is_file(), "there is no example to start from")
    data_file = source / DATA_FILE
    data_file.parent.mkdir(parents=True)
    # Not UTF-8, as many a measuring device writes it: what is handed out are bytes, not text.
    data_file.write_bytes("Länge;Fläche\r\n1,5;2,25\r\n".encode("latin-1"))


def add_students(cycle: Cycle) -> None:
    """The instructor adds one student by name, and others with a CSV file."""
    printed = cycle.teach(
        "ngshare-course-management", "add_student", cycle.course, cycle.zoë.name,
        *("--first_name", "Zoë", "--last_name", "Müller", "--email", cycle.zoë.name),
    )  # fmt: skip
    cycle.instructor.expect(
        f"Successfully added/updated {cycle.zoë.name} on {cycle.course}" in printed,
        "the student was not added",
    )
    with (cycle.course_folder / "students.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student_id", "first_name", "last_name", "email"])
        rows.writerow([cycle.max.name, "Max", "Groß, jr.", "max@uni.example"])
        rows.writerow([REMOVED_STUDENT, "", "", ""])
    printed = cycle.teach("ngshare-course-management", "add_students", cycle.course, "students.csv")
    for name in (cycle.max.name, REMOVED_STUDENT):
        cycle.instructor.expect(f"{name} was successfully added to {cycle.course}" in printed, f"{name} was not added")


def remove_student(cycle: Cycle) -> None:
    """One of them was a mistake, and is removed."""
    printed = cycle.teach("ngshare-course-management", "remove_students", cycle.course, REMOVED_STUDENT)
    cycle.instructor.expect(
        f"Successfully deleted {REMOVED_STUDENT} from {cycle.course}" in printed, "the student is still there"
    )


def generate_assignment(cycle: Cycle) -> None:
    """The instructor generates the students' version, without the solutions."""
    cycle.teach("nbgrader", "generate_assignment", ASSIGNMENT)
    released = _files_in(cycle.course_folder / "release" / ASSIGNMENT)
    cycle.instructor.expect(
        released.keys() == {"problem1.ipynb", "problem2.ipynb", "jupyter.png", DATA_FILE}, "files are missing"
    )
    cycle.instructor.expect(b"BEGIN SOLUTION" not in released["problem1.ipynb"], "the solution is still there")


def release(cycle: Cycle) -> None:
    """The instructor releases the assignment: from now on students can fetch it."""
    cycle.teach("nbgrader", "release_assignment", ASSIGNMENT)
    cycle.instructor.expect(
        _listed(cycle, cycle.teach("nbgrader", "list")) == [f"{cycle.course} {ASSIGNMENT}"],
        "it is not listed",
    )


def release_again(cycle: Cycle) -> None:
    """The instructor adds a row to the data file and releases the assignment again, in place of the first."""
    with (cycle.course_folder / "source" / ASSIGNMENT / DATA_FILE).open("ab") as data_file:
        data_file.write(b"3;9\r\n")
    cycle.teach("nbgrader", "generate_assignment", "--force", ASSIGNMENT)
    cycle.teach("nbgrader", "release_assignment", "--force", ASSIGNMENT)


def fetch(cycle: Cycle) -> None:
    """Each student sees the assignment in the list and fetches it."""
    released = _files_in(cycle.course_folder / "release" / ASSIGNMENT)
    for student in cycle.students:
        listed = _listed(cycle, student.run("nbgrader", "list"))
        student.expect(listed == [f"{cycle.course} {ASSIGNMENT}"], f"{listed} is not what was released")
        student.run("nbgrader", "fetch_assignment", ASSIGNMENT, "--course", cycle.course)
        student.expect(_files_in(cycle.work_of(student)) == released, "what was fetched is not what was released")
    listed = _listed(cycle, student.run("nbgrader", "list"))
    student.expect(
        listed == [f"{cycle.course} {ASSIGNMENT} (already downloaded)"],
        f"{listed} does not say it was fetched",
    )


def submit_first_try(cycle: Cycle) -> None:
    """Each student works on it and submits a first try."""
    for student in cycle.students:
        _submit(cycle, student, "return []", "erster Versuch")


def collect_first_try(cycle: Cycle) -> None:
    """The instructor collects what has been handed in so far."""
    cycle.teach("nbgrader", "collect", ASSIGNMENT)
    _expect_collected(cycle)


def submit_second_try(cycle: Cycle) -> None:
    """Each student does better and submits again; the server keeps both tries."""
    for student in cycle.students:
        solution = "if n < 1:\n        raise ValueError(n)\n    return [i**2 for i in range(1, n + 1)]"
        _submit(cycle, student, solution, "zweiter Versuch, jetzt mit §4: schöner")
        first, second = cycle.submissions[student.name]
        student.expect(first.timestamp < second.timestamp, "the second try is not the later one")


def list_submissions(cycle: Cycle) -> None:
    """The instructor lists all submissions; each student sees their own two."""
    _expect_listed_to_instructor(cycle, ["(no feedback available)", "(no feedback available)"])
    _expect_listed_to_students(cycle, ["(no feedback available)", "(no feedback available)"])


def collect_second_try(cycle: Cycle) -> None:
    """The instructor collects the second tries in place of the first."""
    cycle.teach("nbgrader", "collect", "--update", ASSIGNMENT)
    _expect_collected(cycle)


def autograde(cycle: Cycle) -> None:
    """The instructor has the computer run the students' notebooks and count the points."""
    cycle.teach("nbgrader", "autograde", ASSIGNMENT)
    for student in cycle.students:
        graded = cycle.course_folder / "autograded" / student.name / ASSIGNMENT
        cycle.instructor.expect((graded / "problem1.ipynb").is_file(), f"nothing of {student.name} was graded")
        cycle.instructor.expect((graded / DATA_FILE).is_file(), f"the data file of {student.name} is gone")


def generate_feedback(cycle: Cycle) -> None:
    """The instructor generates feedback: a page for each notebook."""
    cycle.teach("nbgrader", "generate_feedback", ASSIGNMENT)
    for student in cycle.students:
        pages = _feedback_on(cycle, student)
        cycle.instructor.expect(pages.keys() == FEEDBACK, f"{student.name} gets {sorted(pages)}")
        # The second try solves one problem, which is worth two of the ten points; the first try solves none.
        has_points = b"(Score: 2.0 / 10.0)" in pages["problem1.html"]
        cycle.instructor.expect(has_points, f"the second try of {student.name} has not its two points")


def release_feedback(cycle: Cycle) -> None:
    """The instructor releases the feedback; it is on the second try, which was graded."""
    cycle.teach("nbgrader", "release_feedback", ASSIGNMENT)
    _expect_listed_to_instructor(cycle, ["(no feedback available)", "(feedback ready to be fetched)"])
    _expect_listed_to_students(cycle, ["(no feedback available)", "(feedback ready to be fetched)"])


def fetch_feedback(cycle: Cycle) -> None:
    """Each student fetches the feedback, and the list says so."""
    for student in cycle.students:
        student.run("nbgrader", "fetch_feedback", ASSIGNMENT, "--course", cycle.course)
        first, second = cycle.submissions[student.name]
        arrived = _files_in(cycle.work_of(student) / "feedback")
        expected = {f"{second.timestamp}/{path}": page for path, page in _feedback_on(cycle, student).items()}
        student.expect(arrived == expected, f"{sorted(arrived)} is not the feedback that was released")
        # The client makes an empty folder for a submission without feedback.
        student.expect(
            (cycle.work_of(student) / "feedback" / first.timestamp).is_dir(),
            "the first try was not asked for",
        )
    _expect_listed_to_students(cycle, ["(no feedback available)", "(feedback already fetched)"])


STEPS = (
    create_course,
    make_assignment,
    add_students,
    remove_student,
    generate_assignment,
    release,
    release_again,
    fetch,
    submit_first_try,
    collect_first_try,
    submit_second_try,
    list_submissions,
    collect_second_try,
    autograde,
    generate_feedback,
    release_feedback,
    fetch_feedback,
)


def _submit(cycle: Cycle, student: Person, solution: str, remark: str) -> None:
    work = cycle.work_of(student)
    _solve(work / "problem1.ipynb", solution)
    (work / OWN_FILE).write_text(f"{student.name}: {remark}\n", encoding="utf-8")
    printed = student.run("nbgrader", "submit", ASSIGNMENT, "--course", cycle.course)
    # The original server leaves ` UTC` out, and the client is content with that.
    timestamp = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}(?: UTC)?)"
    answer = re.search(f"Submitted as: {re.escape(cycle.course)} {ASSIGNMENT} {timestamp}", printed)
    student.expect(answer is not None, "the server gave no timestamp")
    assert answer is not None
    submission = Submission(answer[1], _files_in(work))
    cycle.submissions[student.name].append(submission)
    kept = student.cache / cycle.course / f"{student.name}+{ASSIGNMENT}+{submission.timestamp}"
    student.expect(_files_in(kept) == _as_collected(submission), "the student's own copy differs")


def _solve(notebook: Path, solution: str) -> None:
    """Write the body of the function `squares`, as a student would."""
    content = json.loads(notebook.read_bytes())
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "squares":
            cell["source"] = f"def squares(n):\n    {solution}\n"
    notebook.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _expect_collected(cycle: Cycle) -> None:
    """What lies with the instructor is the latest of each student, byte for byte, and nothing else."""
    submitted = cycle.course_folder / "submitted"
    collected = {person.name: _files_in(submitted / person.name / ASSIGNMENT) for person in submitted.iterdir()}
    latest = {name: _as_collected(submissions[-1]) for name, submissions in cycle.submissions.items()}
    cycle.instructor.expect(collected == latest, "what was collected is not what was handed in")


def _as_collected(submission: Submission) -> Files:
    """nbgrader keeps the time of a submission in a file beside those of the student."""
    return {**submission.files, "timestamp.txt": submission.timestamp.encode()}


def _expect_listed_to_instructor(cycle: Cycle, states: list[str]) -> None:
    listed = _listed(cycle, cycle.teach("nbgrader", "list", "--inbound"))
    expected = [line for student in cycle.students for line in _lines_on(cycle, student, states)]
    cycle.instructor.expect(sorted(listed) == sorted(expected), f"listed is\n{listed}, and not\n{expected}")


def _expect_listed_to_students(cycle: Cycle, states: list[str]) -> None:
    for student in cycle.students:
        listed = _listed(cycle, student.run("nbgrader", "list", "--cached"))
        expected = _lines_on(cycle, student, states)
        student.expect(listed == expected, f"listed is\n{listed}, and not\n{expected}")


def _lines_on(cycle: Cycle, student: Person, states: list[str]) -> list[str]:
    return [
        f"{cycle.course} {student.name} {ASSIGNMENT} {submission.timestamp} {state}"
        for submission, state in zip(cycle.submissions[student.name], states, strict=True)
    ]


def _listed(cycle: Cycle, printed: str) -> list[str]:
    """Return what `nbgrader list` lists of this course; each line is preceded by `[ListApp | INFO] `."""
    lines = [line.partition("] ")[2] for line in printed.splitlines()]
    return [line for line in lines if line.startswith(f"{cycle.course} ")]


def _feedback_on(cycle: Cycle, student: Person) -> Files:
    """Return the pages that the instructor has generated for the student."""
    folder = cycle.course_folder / "feedback" / student.name / ASSIGNMENT
    return {path: page for path, page in _files_in(folder).items() if path.endswith(".html")}


def _files_in(folder: Path) -> Files:
    """Return all files below the folder by relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
