"""The account of a move: what was taken over, or would be, course by course; and what was wrong."""

import threading
from dataclasses import dataclass, field

from ngshare_fs.store import FEEDBACK, RELEASE, SUBMISSION


@dataclass(frozen=True)
class Problem:
    """Something that somebody should look at.

    Args:
        code: a word for it, for programs.
        place: where, in the names that people gave: `NBG 101 / ps1 / lawrence`.
        message: what is wrong, and what became of it.
        is_note: whether nothing is missing because of it, so that it is no failure.
    """

    code: str
    place: str
    message: str
    is_note: bool = False


@dataclass
class Tally:
    """Of one kind of thing in a course.

    Args:
        new: taken over; in a dry run, what would be.
        there: were there already.
        left_out: could not be taken over.
        bytes: of the new ones.
    """

    new: int = 0
    there: int = 0
    left_out: int = 0
    bytes: int = 0


@dataclass
class CourseAccount:
    """What became of a course.

    Args:
        is_new: whether it was made; in a dry run, whether it would be.
        people: who was added, and who was there.
        trees: by kind: releases, submissions, feedback.
    """

    course: str
    is_new: bool = False
    people: Tally = field(default_factory=Tally)
    trees: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in (RELEASE, SUBMISSION, FEEDBACK)})

    @property
    def has_changed(self) -> bool:
        """Whether anything was taken over."""
        return self.is_new or any(tally.new for tally in (self.people, *self.trees.values()))


class Account:
    """What became of all. Several threads write it.

    Attributes:
        courses: by name, in the order in which they were met.
        problems: in the order in which they were met.
        knows_sizes: false where a dry run cannot tell them.
    """

    def __init__(self) -> None:
        self.knows_sizes = True
        self.courses: dict[str, CourseAccount] = {}
        self.problems: list[Problem] = []
        self._guard = threading.Lock()

    def of(self, course: str) -> CourseAccount:
        """That of a course; a new one where it is met for the first time."""
        with self._guard:
            return self.courses.setdefault(course, CourseAccount(course))

    def count(self, course: str, kind: str, *, new: int = 0, there: int = 0, left_out: int = 0, size: int = 0) -> None:
        """Count trees of a kind in a course."""
        tally = self.of(course).trees[kind]
        with self._guard:
            tally.new += new
            tally.there += there
            tally.left_out += left_out
            tally.bytes += size

    def report(self, code: str, place: tuple[str, ...], message: str, is_note: bool = False) -> None:
        """Enter a problem.

        Args:
            place: the names that lead to it, from the course on.
        """
        problem = Problem(code, " / ".join(place), message, is_note)
        with self._guard:
            self.problems.append(problem)

    @property
    def is_complete(self) -> bool:
        """Whether all is here now."""
        return all(problem.is_note for problem in self.problems)
