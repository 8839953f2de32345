"""An ngshare by its database and its folder of files."""

from collections.abc import Iterable, Sequence

from ngshare_fs.store import FEEDBACK, SUBMISSION, Manifest, Person, Timestamp, timestamp_of
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.foreign_tree import ForeignFile, ForeignTree
from ngshare_fs.transfer.ngshare import IMPORTED_BY, moments
from ngshare_fs.transfer.ngshare.database import OF_ASSIGNMENT, OF_FEEDBACK, OF_SUBMISSION, Database, FileRow
from ngshare_fs.transfer.ngshare.source import Released, Row, SubmissionRow, tree_of
from ngshare_fs.transfer.ngshare.storage import Storage


class DatabaseSource:
    """See `Source`. Used by one thread.

    Args:
        database: says what there is.
        storage: has the files.
        account: is told what is odd.
    """

    def __init__(self, database: Database, storage: Storage, account: Account) -> None:
        self._database = database
        self._storage = storage
        self._account = account

    def courses(self) -> Sequence[Row]:
        return self._database.courses()

    def people(self, role: str, course: str) -> dict[str | None, Person]:
        return self._database.people(role, course)

    def assignments(self, course: Row) -> list[Released]:
        found = []
        for assignment in self._database.assignments(course.key):
            rows = self._database.files(OF_ASSIGNMENT, assignment.key)
            first = moments.read(self._database.first_submission(assignment.key))
            moment = moments.of_release(self._modified(rows), first)
            found.append(Released(assignment, self._files(rows), moment))
        return found

    def submissions(self, course: str, assignment: Row) -> Iterable[SubmissionRow]:
        return self._database.submissions(assignment.key)

    def work(
        self, course: str, assignment: str, student: str, moment: Timestamp, row: SubmissionRow
    ) -> list[ForeignTree]:
        described = Manifest(SUBMISSION, course, assignment, student, moment, (), student=student)
        files = self._files(self._database.files(OF_SUBMISSION, row.key))
        trees = [tree_of(self._account, described, files)]
        feedback = self._database.files(OF_FEEDBACK, row.key)
        if feedback:
            given = timestamp_of(moments.of_feedback(self._modified(feedback), moment))
            described = Manifest(
                FEEDBACK, course, assignment, IMPORTED_BY, given, (), student=student, submission=moment
            )
            trees.append(tree_of(self._account, described, self._files(feedback)))
        return trees

    def _modified(self, rows: list[FileRow]) -> list[int | None]:
        return [self._storage.modified(row.stored_as) for row in rows]

    def _files(self, rows: list[FileRow]) -> list[ForeignFile]:
        return [
            ForeignFile(row.path or "", self._storage.opener(row.stored_as), row.md5, row.stored_as or "(no file)")
            for row in rows
        ]
