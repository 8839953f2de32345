"""Taking a foreign exchange over: rosters and trees, several trees at once, each by the one write path.

Trees that are written at the same time share the flushes of the disk where the file system allows it. What is on the
volume already is never replaced. A dry run reads the same, says the same, and writes nothing.
"""

import errno
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from types import TracebackType

from ngshare_fs.store import RELEASE, Manifest, Roster, StoredFile, Volume
from ngshare_fs.store import course as courses
from ngshare_fs.store.adopt import (
    Outcome,
    adopt,
    adopt_roster,
    compare_roster,
    has_files,
    is_of_somebody_else,
    trees_there,
)
from ngshare_fs.store.errors import (
    AssignmentNotFound,
    BrokenManifest,
    CourseNotFound,
    SubmissionNotFound,
    concerns_one_place,
)
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.foreign_tree import ForeignTree, read_files

THREADS = 16
# Trees that wait for a thread: enough that no thread waits, few enough to be held.
WAITING = 4 * THREADS

_LEFT_OUT = "its tree was left out: bring the file, or give --incomplete, and run this again"

Progress = Callable[[int], object]


class Intake:
    """A move onto a volume.

    A context manager: on leaving without an error, everything that was begun is done.

    Args:
        volume: where to.
        imported_by: what releases that were taken over have for `by`, of whatever importer.
        dry_run: only look.
        incomplete: take submissions and feedback over without files that are missing or damaged, too. Otherwise they
            wait until these are found: a submission that is here is never replaced.
        threads: how many trees are read and written at once.

    Attributes:
        account: what became of all.
        advance: told of each tree.
    """

    def __init__(
        self,
        volume: Volume,
        imported_by: Collection[str],
        *,
        dry_run: bool = False,
        incomplete: bool = False,
        threads: int = THREADS,
    ) -> None:
        self.account = Account()
        self._volume = volume
        self._imported_by = imported_by
        self._dry_run = dry_run
        self._incomplete = incomplete
        self.advance: Progress = lambda count: None
        self._advancing = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="import")
        self._under_way: set[Future[None]] = set()

    def __enter__(self) -> "Intake":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.wait()
        finally:
            self._pool.shutdown(cancel_futures=True)

    def takes_course(self, roster: Roster) -> bool:
        """Take a course's people over; False where the course cannot be, and so nothing of it."""
        course = roster.course
        account = self.account.of(course)
        if is_of_somebody_else(self._volume, course, self._imported_by):
            self.account.report(
                "course-taken",
                (course,),
                "there is another course of this name, with assignments of its own: nothing of this one was taken "
                "over; rename the one that is here, and run this again",
            )
            return False
        try:
            outcome = (compare_roster if self._dry_run else adopt_roster)(self._volume, roster)
        except BrokenManifest as error:
            self.account.report("course-broken", (course,), f"{error}: mend it, and run this again")
            return False
        account.is_new = outcome.is_new
        account.people.new += len(outcome.added)
        account.people.there += len(roster.users()) - len(outcome.added)
        for user in outcome.differing:
            message = "is here with another role, name or email, and stays so"
            self.account.report("person-differs", (course, user), message, is_note=True)
        return True

    def take_release(self, tree: ForeignTree) -> bool:
        """Take a release over, with its assignment; False where there is nothing to which work could be handed in.

        It comes without files that are missing or damaged: what was handed in needs a place.
        """
        self._take([tree])
        return self._dry_run or bool(trees_there(self._volume, tree.described))

    def take_work(self, trees: Iterable[ForeignTree]) -> None:
        """Take a submission over, and the feedback on it, soon: this does not wait for the disk.

        Args:
            trees: the submission, then the feedback, if there is any. Made one by one in the thread that writes them.
        """
        self._under_way.add(self._pool.submit(self._take, trees))
        if len(self._under_way) >= WAITING:
            self._reap(wait(self._under_way, return_when=FIRST_COMPLETED).done)

    def has_course(self, name: str) -> bool:
        """Whether there is a course of that name."""
        return courses.exists(self._volume, name)

    def has(self, described: Manifest) -> bool:
        """Whether there is anything in the place of a tree."""
        return bool(trees_there(self._volume, described))

    def wait(self) -> None:
        """Wait until all that was begun is done.

        Raises:
            OSError, StoreError: the volume cannot take any more.
        """
        self._reap(wait(self._under_way).done)

    def _reap(self, done: set[Future[None]]) -> None:
        self._under_way -= done
        for future in done:
            future.result()

    def _take(self, trees: Iterable[ForeignTree]) -> None:
        is_here = True
        for tree in trees:
            if is_here:
                is_here = self._take_one(tree)
            else:
                self._leave_out(tree, "work-left-out", "the submission that it is on was not taken over")
            with self._advancing:
                self.advance(1)

    def _take_one(self, tree: ForeignTree) -> bool:
        """Take a tree over; whether it is here now, or would be."""
        try:
            return self._take_readable(tree)
        except (CourseNotFound, AssignmentNotFound, SubmissionNotFound):
            self._leave_out(tree, "gone-meanwhile", "somebody deleted its place here meanwhile")
        except OSError as error:
            # A name that is too long for this file system, a folder that somebody locked: the others need not wait.
            if error.errno != errno.ENAMETOOLONG and not concerns_one_place(error):
                raise
            self._leave_out(tree, "cannot-be-stored", f"{error.filename}: {error.strerror}")
        return False

    def _take_readable(self, tree: ForeignTree) -> bool:
        described = tree.described
        course, kind = described.course, described.kind
        there = trees_there(self._volume, described)
        if any(tree.is_as(each) for each in there):
            self.account.count(course, kind, there=1)
            return True
        if self._dry_run:
            files, wrong = read_files(tree, None)
            outcome = self._foreseen(tree, files, wrong)
        else:
            with self._volume.upload() as upload:
                files, wrong = read_files(tree, upload)
                outcome = self._foreseen(tree, files, wrong)
                if outcome is Outcome.ADOPTED:
                    outcome = adopt(self._volume, described, upload)
        for path, what in wrong.items():
            fate = "the others of its tree come without it" if outcome is not None else _LEFT_OUT
            self.account.report("file-unusable", (*tree.place, path), f"{what}; {fate}")
        if outcome is None:
            self.account.count(course, kind, left_out=1)
            return False
        if outcome is Outcome.ADOPTED:
            self.account.count(course, kind, new=1, size=sum(file.size for file in files))
        elif outcome is Outcome.THERE:
            self.account.count(course, kind, there=1)
        else:
            self._leave_out(tree, f"{kind}-differs", f"another {kind} is here in its place, and stays")
        return True

    def _foreseen(self, tree: ForeignTree, files: list[StoredFile], wrong: dict[str, str]) -> Outcome | None:
        """What will become of a tree whose files have been read; None where it has to be left out."""
        there = trees_there(self._volume, tree.described)
        if any(has_files(each, files) for each in there):
            return Outcome.THERE
        if there:
            return Outcome.DIFFERS
        # What no tree can hold will never come; the others may be found.
        if wrong.keys() - tree.without.keys() and tree.described.kind != RELEASE and not self._incomplete:
            return None
        return Outcome.ADOPTED

    def _leave_out(self, tree: ForeignTree, code: str, message: str) -> None:
        self.account.count(tree.described.course, tree.described.kind, left_out=1)
        self.account.report(code, tree.place, message)
