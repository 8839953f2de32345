"""What `ngshare-fs inspect` found, as tables, as a tree and as JSON."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ngshare_fs.command.operator import dates_shown
from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.store.quota import NO_LIMITS, Limits
from ngshare_fs.store.upkeep.largest import LargeFile
from ngshare_fs.store.upkeep.usage import Amount, AssignmentUsage, CourseUsage, SubmissionUsage, Work
from ngshare_fs.terminal.saying import counted
from ngshare_fs.terminal.table import size_in_words, table

WHAT_SIZES_ARE = "Sizes are those of the files as they were handed in, from the manifests. Times are UTC."
NUMBERS = (
    "instructors", "students", "assignments", "releases", "submissions", "feedback", "files", "size", "quota", "trash",
    "trees", "extensions",
)  # fmt: skip


@dataclass
class Inspection:
    """What was asked for, and found.

    Args:
        course, assignment, student: what was named.
        limits: the server's, as far as this command knows them.
        number_of_largest: how many of the largest to show of each kind.
        courses: those asked for.
        trash: what lies in the trash, by course; `""` where nobody can say of which.
        submissions: of the student who was named.
        files: the largest.
    """

    course: str | None
    assignment: str | None
    student: str | None
    number_of_largest: int
    limits: Limits = NO_LIMITS
    courses: list[CourseUsage] = field(default_factory=list)
    trash: dict[str, int] = field(default_factory=dict)
    submissions: list[SubmissionUsage] = field(default_factory=list)
    files: list[LargeFile] = field(default_factory=list)

    def limits_of(self, course: CourseUsage) -> Limits:
        """What counts in a course; the server's where its file cannot be read."""
        return self.limits if course.roster is None else self.limits.in_course(course.roster.rules)

    def is_shown(self, assignment: str, student: str) -> bool:
        """Whether an assignment and a student, empty for the releases, are among what was asked for."""
        return self.assignment in (None, assignment) and self.student in (None, student)

    def assignments(self) -> Iterator[tuple[CourseUsage, AssignmentUsage]]:
        """Those asked for."""
        for course in self.courses:
            for each in course.assignments:
                if self.assignment in (None, each.name):
                    yield course, each

    def students(self) -> Iterator[tuple[CourseUsage, str, Work]]:
        """Those asked for, with their work in a course."""
        for course in self.courses:
            works = course.students
            if self.assignment is not None:
                works = next(each.students for _, each in self.assignments())
            for student, work in works.items():
                if self.student in (None, student):
                    yield course, student, work


def as_tables(found: Inspection) -> Iterator[str]:
    """For people."""
    if found.student is not None:
        yield _table_of_submissions(found.submissions)
    elif found.assignment is not None:
        course, assignment = next(found.assignments())
        yield from dates_shown.lines(course, assignment)
        yield _table_of_students(assignment)
    elif found.course is not None:
        yield from _one_course(found, found.courses[0])
    else:
        yield _table_of_courses(found)
        yield _total(found)
    if found.number_of_largest:
        yield from _largest(found)
    yield WHAT_SIZES_ARE


def _table_of_courses(found: Inspection) -> str:
    columns = (
        "course", "instructors", "students", "assignments", "submissions", "feedback", "size", "quota", "trash",
        "last activity",
    )  # fmt: skip
    rows = []
    for course in found.courses:
        work = course.work
        people = ("?", "?") if course.roster is None else (len(course.roster.instructors), len(course.roster.students))
        rows.append(
            (
                course.name,
                *people,
                len(course.assignments),
                work.submissions.trees,
                work.feedback.trees,
                size_in_words(course.bytes),
                _limit(found.limits_of(course).course),
                size_in_words(found.trash.get(course.name, 0)),
                _minute(course.last_activity),
            )
        )
    return table(columns, rows, NUMBERS)


def _total(found: Inspection) -> str:
    courses, trash = sum(course.bytes for course in found.courses), sum(found.trash.values())
    said = f"{counted(len(found.courses), 'course')}, {size_in_words(courses)}; {size_in_words(trash)} in the trash."
    if found.limits.volume:
        said += f" Together {size_in_words(courses + trash)} of {size_in_words(found.limits.volume)}."
    return said


def _one_course(found: Inspection, course: CourseUsage) -> Iterator[str]:
    limits, trash = found.limits_of(course), found.trash.get(course.name, 0)
    if course.roster is not None:
        yield f"Instructors: {in_one_line(', '.join(course.roster.instructors)) or 'none'}"
        if course.roster.graders:
            yield f"Graders: {in_one_line(', '.join(course.roster.graders))}"
        handed_in = sum(1 for student in course.students if student in course.roster.students)
        yield f"Students: {len(course.roster.students)}, of whom {handed_in} handed in"
    yield f"Last activity: {_minute(course.last_activity)}"
    if limits.course:
        yield f"Quota of the course: {_limit(limits.course)}, of which {size_in_words(course.bytes)} are used"
    if limits.student:
        most = max((work.submissions.size.bytes for work in course.students.values()), default=0)
        yield f"Quota of each student: {_limit(limits.student)}; who handed in most has {size_in_words(most)}"
    yield ""
    work = course.work
    kinds = (("releases", course.releases), ("submissions", work.submissions), ("feedback", work.feedback))
    rows: list[tuple[object, ...]] = [
        (name, amount.trees, amount.size.files, size_in_words(amount.size.bytes)) for name, amount in kinds
    ]
    rows += [("together", "", "", size_in_words(course.bytes)), ("in the trash", "", "", size_in_words(trash))]
    yield table(("", "trees", "files", "size"), rows, NUMBERS)
    yield ""
    columns = ("assignment", "releases", "students", "submissions", "feedback", "size", "last activity")
    has_dates = dates_shown.have_dates(course)
    yield table(
        columns + (dates_shown.COLUMNS if has_dates else ()),
        [
            (
                each.name + (" (withdrawn)" if each.is_withdrawn else ""),
                each.releases.trees,
                len(each.students),
                each.work.submissions.trees,
                each.work.feedback.trees,
                size_in_words(each.bytes),
                _minute(each.last_activity),
                *(dates_shown.cells(course, each) if has_dates else ()),
            )
            for each in course.assignments
        ],
        NUMBERS,
    )


def _table_of_students(assignment: AssignmentUsage) -> str:
    columns = ("student", "submissions", "feedback", "size", "last submission", "last feedback")
    rows = [
        (
            student,
            work.submissions.trees,
            work.feedback.trees,
            size_in_words(work.bytes),
            _minute(work.submissions.newest),
            _minute(work.feedback.newest),
        )
        for student, work in sorted(assignment.students.items())
    ]
    return table(columns, rows, NUMBERS)


def _table_of_submissions(submissions: Sequence[SubmissionUsage]) -> str:
    rows = [
        (
            each.timestamp,
            each.size.files,
            size_in_words(each.size.bytes),
            each.feedback.newest or "-",
            size_in_words(each.feedback.size.bytes) if each.feedback.trees else "-",
        )
        for each in submissions
    ]
    return table(("submission", "files", "size", "last feedback", "size of all feedback"), rows, ("files", "size"))


def _largest(found: Inspection) -> Iterator[str]:
    number = found.number_of_largest
    rows: list[tuple[object, ...]]
    if found.course is None:
        rows = [(size_in_words(each.bytes), each.name) for each in _top(found.courses, number)]
        yield from _titled("The largest courses", ("size", "course"), rows)
    if found.assignment is None:
        by_size = sorted(found.assignments(), key=lambda pair: -pair[1].bytes)
        rows = [(size_in_words(each.bytes), course.name, each.name) for course, each in by_size[:number]]
        yield from _titled("The largest assignments", ("size", "course", "assignment"), rows)
    if found.student is None:
        works = sorted(found.students(), key=lambda each: -each[2].bytes)
        rows = [(size_in_words(work.bytes), course.name, student) for course, student, work in works[:number]]
        yield from _titled("The largest work of students, with the feedback on it", ("size", "course", "student"), rows)
    rows = [
        (
            size_in_words(file.bytes),
            file.course,
            file.assignment,
            file.kind,
            file.student or "-",
            file.timestamp,
            file.path,
        )
        for file in found.files
    ]
    columns = ("size", "course", "assignment", "kind", "student", "timestamp", "file")
    yield from _titled("The largest files", columns, rows)
    yield ""


def _titled(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield ""
    yield title + ":"
    yield table(columns, rows, NUMBERS)


def _top(courses: list[CourseUsage], number: int) -> list[CourseUsage]:
    return sorted(courses, key=lambda each: -each.bytes)[:number]


def as_tree(found: Inspection) -> Iterator[str]:
    """The same as a tree, two levels below what was named."""
    for course in found.courses:
        yield _branch(0, course.name, course.bytes, course.last_activity)
        for each in course.assignments:
            if found.assignment in (None, each.name):
                yield _branch(1, each.name, each.bytes, each.last_activity)
                if found.course is not None:
                    yield from _students_below(found, each)
    yield WHAT_SIZES_ARE


def _students_below(found: Inspection, assignment: AssignmentUsage) -> Iterator[str]:
    for student, work in sorted(assignment.students.items()):
        if found.student in (None, student):
            what = f"{student}: {counted(work.submissions.trees, 'submission')}"
            what += f", {counted(work.feedback.trees, 'piece')} of feedback" if work.feedback.trees else ""
            yield _branch(2, what, work.bytes, work.submissions.newest)
    for submission in found.submissions:
        what = counted(submission.size.files, "file")
        yield _branch(3, what, submission.size.bytes + submission.feedback.size.bytes, submission.timestamp)


def _branch(depth: int, name: str, size: int, moment: str | None) -> str:
    return in_one_line(f"{'    ' * depth}{name}  ({size_in_words(size)}, {_minute(moment)})")


def _limit(limit: int) -> str:
    return size_in_words(limit) if limit else "-"


def _minute(moment: str | None) -> str:
    return "-" if moment is None else moment[:16]


def as_json(found: Inspection) -> dict[str, object]:
    """The same for programs."""
    document: dict[str, object] = {
        "courses": [_course_as_json(course, found) for course in found.courses],
        "bytes": sum(course.bytes for course in found.courses),
        "trash_bytes": sum(found.trash.values()),
        "quota_bytes": found.limits.volume or None,
    }
    if found.student is not None:
        document["submissions"] = [
            {
                "timestamp": each.timestamp,
                "files": each.size.files,
                "bytes": each.size.bytes,
                "feedback": _amount_as_json(each.feedback),
            }
            for each in found.submissions
        ]
    if found.number_of_largest:
        document["largest_files"] = [file._asdict() for file in found.files]
    return document


def _course_as_json(course: CourseUsage, found: Inspection) -> dict[str, object]:
    roster = course.roster
    return {
        "course": course.name,
        "instructors": None if roster is None else list(roster.instructors),
        "graders": None if roster is None else list(roster.graders),
        "students": None if roster is None else list(roster.students),
        "bytes": course.bytes,
        "trash_bytes": found.trash.get(course.name, 0),
        "quota_bytes": found.limits_of(course).course or None,
        "quota_of_student_bytes": found.limits_of(course).student or None,
        "last_activity": course.last_activity,
        "releases": _amount_as_json(course.releases),
        **_work_as_json(course.work),
        "problems": course.problems,
        "assignments": [
            {
                "assignment": each.name,
                "is_withdrawn": each.is_withdrawn,
                "bytes": each.bytes,
                "last_activity": each.last_activity,
                "dates": dates_shown.as_json(course, each),
                "releases": _amount_as_json(each.releases),
                **_work_as_json(each.work),
                "students": [
                    {"student": student, "bytes": work.bytes, **_work_as_json(work)}
                    for student, work in sorted(each.students.items())
                    if found.student in (None, student)
                ],
            }
            for each in course.assignments
            if found.assignment in (None, each.name)
        ],
    }


def _work_as_json(work: Work) -> dict[str, object]:
    return {"submissions": _amount_as_json(work.submissions), "feedback": _amount_as_json(work.feedback)}


def _amount_as_json(amount: Amount) -> dict[str, object]:
    return {
        "count": amount.trees,
        "files": amount.size.files,
        "bytes": amount.size.bytes,
        "newest": amount.newest,
    }
