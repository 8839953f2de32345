"""What is asked of an ngshare, whether by its database or by its API."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ngshare_fs.store import Manifest, Person, Timestamp
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.foreign_tree import ForeignFile, ForeignTree, usable_files


class Row(NamedTuple):
    """A course or an assignment: its key in the database, 0 where it has none, and its name, if it has one."""

    key: int
    name: str | None


class SubmissionRow(NamedTuple):
    """A submission: `timestamp` as ngshare has it."""

    key: int
    timestamp: str | None
    student: str | None


class Released(NamedTuple):
    """An assignment: what students fetch, and since when, as far as anybody can tell."""

    row: Row
    files: Sequence[ForeignFile]
    moment: datetime


class Source(Protocol):
    """An ngshare."""

    def courses(self) -> Sequence[Row]:
        """The courses."""

    def people(self, role: str, course: str) -> Mapping[str | None, Person]:
        """Whoever has a role, `instructor` or `student`, in a course."""

    def assignments(self, course: Row) -> Sequence[Released]:
        """The assignments of a course, in the order in which they were released."""

    def submissions(self, course: str, assignment: Row) -> Iterable[SubmissionRow]:
        """The submissions to an assignment; those of one student and one time follow each other."""

    def work(
        self, course: str, assignment: str, student: str, moment: Timestamp, row: SubmissionRow
    ) -> Iterable[ForeignTree]:
        """A submission, and the feedback on it, if there is any."""


def tree_of(account: Account, described: Manifest, files: Sequence[ForeignFile]) -> ForeignTree:
    """A tree with those of its files that the volume can hold.

    Args:
        account: is told of paths that are there several times.
    """
    usable = usable_files(files)
    tree = ForeignTree(described, usable.files, usable.without)
    for path in usable.repeated:
        message = "is there several times; the last one counts, as for whoever fetches it from ngshare"
        account.report("path-twice", (*tree.place, path), message, is_note=True)
    return tree
