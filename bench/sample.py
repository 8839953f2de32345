"""What is there before a work begins: the same for every rival, described once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

INSTRUCTOR = "kevin"
RELEASED = datetime(2020, 1, 30, 10, 30)
FIRST_SUBMITTED = datetime(2020, 1, 31, 9, 0)


def text_of(moment: datetime) -> str:
    """A time as the API writes it, without the zone."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True)
class Submitted:
    """A submission that is there."""

    student: str
    moment: datetime


@dataclass(frozen=True)
class Course:
    """A course taught by `INSTRUCTOR`.

    Args:
        assignments: their names; each has one release.
        submitting: how many students have handed in, for each assignment.
        times: how often each of them has.
        released, submitted: files of every release and every submission.
    """

    name: str
    students: Sequence[str]
    assignments: Sequence[str] = ("ps1",)
    submitting: int = 0
    times: int = 1
    released: Mapping[str, bytes] = field(default_factory=lambda: {"problem1.ipynb": b"{}\n"})
    submitted: Mapping[str, bytes] = field(default_factory=lambda: {"problem1.ipynb": b'{"cells": []}\n'})

    def submissions(self) -> Iterator[Submitted]:
        """The submissions to each of its assignments, oldest first."""
        for number in range(self.submitting * self.times):
            student = self.students[number % self.submitting]
            yield Submitted(student, FIRST_SUBMITTED + timedelta(seconds=number, microseconds=number))


@dataclass(frozen=True)
class Sample:
    """Courses."""

    courses: Sequence[Course]

    def __len__(self) -> int:
        """How many submissions there are."""
        return sum(len(course.assignments) * course.submitting * course.times for course in self.courses)


def students(how_many: int) -> list[str]:
    """Names of students."""
    return [f"student-{number:04}" for number in range(how_many)]


def expected_list(course: Course) -> list[tuple[str, str]]:
    """What the list of any of its assignments must have."""
    return [(submitted.student, text_of(submitted.moment)) for submitted in course.submissions()]
