"""The cycle, step by step. The first line of each step's docstring is what a newcomer is told.

Each step looks at what it has brought about: at files, byte for byte, and at what `nbgrader list` lists.
"""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.whole_cycle.people import Person, RunProgram, in_own_process
from ngshare_fs.exchange.folders.origin import ORIGIN

ASSIGNMENT = "ps1"
ROSTER = "students.csv"
DATA_FILE = "daten/größen/Maße in m².csv"
OWN_FILE = "daten/eigene Lösung.txt"
FEEDBACK = {"problem1.html", "problem2.html"}  # nbgrader makes a page per notebook
REMOVED_STUDENT = "guest"
CONFIGURATION = Path(__file__).with_name("nbgrader_config.py")
RECEIPT = "ngshare_receipt.json"
# What the plug-ins note down beside the work; it is no part of it.
NOTES = {ORIGIN, RECEIPT}

Files = dict[str, bytes]
Step = Callable[["Cycle"], None]


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
        configuration: Path = CONFIGURATION,
        say: Callable[[str], None] = print,
        run_program: RunProgram = in_own_process,
    ) -> None:
        """Give everybody a home.

        Args:
            url: of the server, with its prefix.
            folder: where the homes are made.
            programs: the folder of nbgrader's programs.
            course: the course to create.
            admin: who may create it.
            configuration: everybody's `nbgrader_config.py`.
            say: tells what happens.
            run_program: how everybody runs programs.
        """
        self.course = course
        self._say = say
        self.admin, self.instructor, self.zoë, self.max = (
            Person(name, folder / name, programs, url, configuration, say, run_program)
            for name in (admin, "teacher", "zoë@uni.example", "max")
        )
        self.students = (self.zoë, self.max)
        self.course_folder = self.instructor.home / course
        self.submissions: dict[str, list[Submission]] = {student.name: [] for student in self.students}

    def run(self, steps: Sequence[Step] | None = None) -> None:
        """Go through the steps; all of this module by default.

        Raises:
            DidNotWork: a step did not do what it should; those after it are not tried.
        """
        for number, step in enumerate(steps or STEPS, 1):
            self._say(f"\n{number}. {(step.__doc__ or '').splitlines()[0]}")
            step(self)

    def teach(self, *command: str) -> str:
        """Run a program as the instructor, in the course's folder."""
        return self.instructor.run(*command, folder=self.course_folder)

    def kept_by(self, student: Person, submission: "Submission") -> Path:
        """Return the folder of the copy that the student keeps of a submission."""
        return student.cache / self.course / f"{student.name}+{ASSIGNMENT}+{submission.timestamp}"

    def work_of(self, student: Person) -> Path:
        """Return the folder that the student has fetched and works in."""
        return student.home / ASSIGNMENT


def create_course(cycle: Cycle) -> None:
    """The administrator creates the course and says who teaches it."""
    printed = cycle.admin.run("ngshare-fs", "course", "create", cycle.course, cycle.instructor.name)
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
    cycle.teach(
        "ngshare-fs", "course", "add-student", cycle.course, cycle.zoë.name,
        *("--first-name", "Zoë", "--last-name", "Müller", "--email", cycle.zoë.name),
    )  # fmt: skip
    write_roster(cycle)
    cycle.teach("ngshare-fs", "course", "add-students", cycle.course, ROSTER)
    _expect_on_roster(cycle, {cycle.zoë.name: "Zoë Müller", cycle.max.name: "Max Groß, jr.", REMOVED_STUDENT: ""})


def write_roster(cycle: Cycle) -> None:
    """Write the CSV file: a row for the second student, and one that is a mistake."""
    with (cycle.course_folder / ROSTER).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["student_id", "first_name", "last_name", "email"])
        rows.writerow([cycle.max.name, "Max", "Groß, jr.", "max@uni.example"])
        rows.writerow([REMOVED_STUDENT, "", "", ""])


def remove_student(cycle: Cycle) -> None:
    """One of them was a mistake, and is removed."""
    cycle.teach("ngshare-fs", "course", "remove-students", cycle.course, REMOVED_STUDENT)
    _expect_on_roster(cycle, {cycle.zoë.name: "Zoë Müller", cycle.max.name: "Max Groß, jr."})


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


def read_receipts(cycle: Cycle) -> None:
    """Each student has a receipt of both: when the server stored which file, with its checksum."""
    for student in cycle.students:
        for submission in cycle.submissions[student.name]:
            receipt = json.loads((cycle.kept_by(student, submission) / RECEIPT).read_bytes())
            stored = {file["path"]: file["checksum"] for file in receipt["files"]}
            sent = {path: hashlib.md5(content).hexdigest() for path, content in submission.files.items()}
            student.expect(stored == sent, f"{receipt} is no receipt of what was handed in")


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
        _, second = cycle.submissions[student.name]
        arrived = _files_in(cycle.work_of(student) / "feedback")
        expected = {f"{second.timestamp}/{path}": page for path, page in _feedback_on(cycle, student).items()}
        student.expect(arrived == expected, f"{sorted(arrived)} is not the feedback that was released")
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
    read_receipts,
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
    timestamp = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC)"
    answer = re.search(f"Submitted as: {re.escape(cycle.course)} {ASSIGNMENT} {timestamp}", printed)
    student.expect(answer is not None, "the server gave no timestamp")
    assert answer is not None
    submission = Submission(answer[1], _files_in(work))
    cycle.submissions[student.name].append(submission)
    kept = _files_in(cycle.kept_by(student, submission))
    student.expect(kept == _as_collected(submission), "the student's own copy differs")


def _solve(notebook: Path, solution: str) -> None:
    """Write the body of the function `squares`, as a student would."""
    content = json.loads(notebook.read_bytes())
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "squares":
            cell["source"] = f"def squares(n):\n    {solution}\n"
    notebook.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _expect_on_roster(cycle: Cycle, names: dict[str, str]) -> None:
    shown = cycle.teach("ngshare-fs", "course", "show", cycle.course)
    cycle.instructor.expect(f"students: {len(names)}\n" in shown, "students are missing, or too many")
    for name, full_name in names.items():
        # In two columns; what follows is the email.
        line = f"  {name}  {full_name}".rstrip()
        cycle.instructor.expect(f"\n{line}" in shown, f"{name} is not on the roster as they should be")


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
    """Return all files below the folder by relative path, but those that the plug-ins note something in."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in NOTES
    }
