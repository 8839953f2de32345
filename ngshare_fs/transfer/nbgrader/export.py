"""The way back: courses of a volume as nbgrader's own exchange has them."""

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ngshare_fs.store import FEEDBACK, RELEASE, SUBMISSION, Submission, Tree, Volume
from ngshare_fs.store import feedback as feedbacks
from ngshare_fs.store import release as releases
from ngshare_fs.store import submission as submissions
from ngshare_fs.store.assignment import assignments_of
from ngshare_fs.store.errors import (
    AssignmentNotFound,
    BrokenManifest,
    DamagedTree,
    SubmissionNotFound,
)
from ngshare_fs.store.writing.flushers import flusher_for
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.nbgrader.exchange_writer import CourseFolder, Owners, TreeDamaged, is_nbgraders
from ngshare_fs.transfer.nbgrader.names_in_exchange import (
    NOTEBOOK,
    PAGE,
    SubmissionName,
    page_by_content,
    page_by_secret,
)

STAGING = ".ngshare-fs-export-"
LONGEST_NAME = 255
RANDOM_BYTES = 13  # of a submission's folder: `+` and the random end

# What may be wrong with one tree; the others are written all the same.
_OF_ONE_TREE = (TreeDamaged, DamagedTree, BrokenManifest, AssignmentNotFound, SubmissionNotFound)


class Export:
    """Courses on their way into an exchange folder.

    Args:
        volume: where they are.
        account: of what becomes of them.
        owners: to whom things are to belong.
        advance: told of each piece of a file, in bytes.
    """

    def __init__(
        self, volume: Volume, account: Account, owners: Owners, advance: Callable[[int], object] = lambda count: None
    ) -> None:
        self._volume = volume
        self._account = account
        self._owners = owners
        self._advance = advance

    def look_at(self, course: str) -> None:
        """Count what would be written of a course, and report what could not be.

        Raises:
            StoreError, OSError: the course cannot be read.
        """
        self._go_through(course, None)

    def write(self, course: str, exchange: str) -> None:
        """Write a course into an exchange folder, where it appears whole or not at all.

        Args:
            exchange: the folder.

        Raises:
            FileExistsError: there is a course of this name, or something else.
            StoreError, OSError: the course cannot be read, or the folder not be written.
        """
        flusher = flusher_for(exchange)
        try:
            with _staging(exchange) as (place, folder, above):
                with _named_by_its_place(place, exchange):
                    written = CourseFolder(f"{place}/{course}", self._owners, self._advance)
                    self._go_through(course, written)
                    written.flush(flusher)
                _rename_unless_taken(course, folder, above)
            flusher.flush([], [exchange])
        finally:
            flusher.close()

    def _go_through(self, course: str, folder: CourseFolder | None) -> None:
        self._account.of(course)
        for assignment in assignments_of(self._volume, course):
            unfit = unfit_name(assignment, is_assignment=True)
            if unfit:
                self._leave_out(RELEASE, (course, assignment), f"{unfit}; left out with all that was handed in")
                continue
            self._release(course, assignment, folder)
            for each in submissions.submissions_to(self._volume, course, assignment):
                self._work(course, assignment, each, folder)

    def _release(self, course: str, assignment: str, folder: CourseFolder | None) -> None:
        place = (course, assignment)
        if not releases.is_open(self._volume, course, assignment):
            self._account.report("withdrawn", place, "is taken back, so there is no release of it", is_note=True)
            return
        with self._one_tree(RELEASE, place):
            tree = releases.newest(self._volume, course, assignment)
            if tree is None:
                self._account.report("not-released", place, "was never released", is_note=True)
                return
            with tree:
                if folder is None:
                    tree.look()
                else:
                    folder.write_release(assignment, tree)
                self._account.count(course, RELEASE, new=1, size=_size(tree))

    def _work(self, course: str, assignment: str, found: Submission, folder: CourseFolder | None) -> None:
        """A submission, and the newest feedback on it."""
        student, moment = found
        place = (course, assignment, student, moment)
        name = SubmissionName(student, assignment, moment)
        unfit = unfit_name(student) or unfit_name("+".join(name), more=RANDOM_BYTES)
        if unfit:
            self._leave_out(SUBMISSION, place, f"{unfit}; left out")
            return
        with (
            self._one_tree(SUBMISSION, place),
            submissions.collect(self._volume, course, assignment, student, moment) as tree,
        ):
            taken = [file.path for file in tree.manifest.files if is_nbgraders(file.path)]
            if taken:
                message = f"comes without {', '.join(taken)}: nbgrader has a file of its own there"
                self._account.report("name-taken", place, message)
            if folder is None:
                self._owners.student(student)  # who is unknown is said in a dry run, too
                tree.look()
                secret = b""
            else:
                secret = folder.write_submission(name, tree)
            self._account.count(course, SUBMISSION, new=1, size=_size(tree))
            with self._one_tree(FEEDBACK, place):
                self._feedback(course, name, tree, secret, folder)

    def _feedback(
        self, course: str, name: SubmissionName, work: Tree, secret: bytes, folder: CourseFolder | None
    ) -> None:
        student, assignment, moment = name.student, name.assignment, work.timestamp
        tree = feedbacks.newest(self._volume, course, assignment, student, moment)
        if tree is None:
            return
        handed_in = {each.path: each for each in work.manifest.files}
        with tree:
            tree.look()
            for file in tree.manifest.files:
                page = file.path[: -len(PAGE)]
                if "/" in file.path or not file.path.endswith(PAGE) or not page:
                    place = (course, assignment, student, moment, file.path)
                    self._account.report("no-page", place, "nbgrader knows pages of feedback alone; left out")
                    continue
                if folder is not None:
                    hashes = [page_by_secret(secret, page)]
                    notebook = handed_in.get(page + NOTEBOOK)
                    if notebook is not None:
                        # A student who handed in by way of the server has no secret, and looks for this name.
                        with os.fdopen(work.open_file(notebook), "rb", buffering=0) as content:
                            hashes.append(page_by_content(content, name, course, page))
                    folder.write_page(hashes, tree, file)
                self._account.count(course, FEEDBACK, new=1, size=file.size)

    @contextmanager
    def _one_tree(self, kind: str, place: tuple[str, ...]) -> Iterator[None]:
        """What is wrong with a tree is reported, and the others are written."""
        try:
            yield
        except _OF_ONE_TREE as problem:
            self._leave_out(kind, place, f"{problem}: restore it, or move it away; left out")
        except PermissionError as error:
            # Of the volume; where the exchange folder cannot be written, nothing goes on.
            if not str(error.filename).startswith(self._volume.root):
                raise
            self._leave_out(kind, place, f"{error.filename}: {error.strerror}; left out")

    def _leave_out(self, kind: str, place: tuple[str, ...], message: str) -> None:
        self._account.count(place[0], kind, left_out=1)
        self._account.report(f"{kind}-left-out", place, message)


def unfit_name(name: str, *, is_assignment: bool = False, more: int = 0) -> str:
    """Why nbgrader's exchange cannot have something of this name; empty where it can.

    Args:
        is_assignment: whether it is one's name.
        more: bytes that come to the name in its folder's.
    """
    if "/" in name or "\0" in name:
        return "no folder can be called so"
    if name.startswith("."):
        return "nbgrader does not see names that begin with a dot"
    if is_assignment and "+" in name:
        return "nbgrader allows no + in the name of an assignment"
    if len(os.fsencode(name)) + more > LONGEST_NAME:
        return "its name is too long for a folder"
    return ""


def _size(tree: Tree) -> int:
    return sum(file.size for file in tree.manifest.files)


@contextmanager
def _staging(exchange: str) -> Iterator[tuple[str, int, int]]:
    """A folder in the exchange folder that nobody else may enter: a path to it, and descriptors of it and of the other.

    Who may write the exchange folder may move it away, or put a link in its place. The path does not mind.
    """
    above = os.open(exchange, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _remove_left_overs(exchange, above)
        name = STAGING + secrets.token_hex(8)
        os.mkdir(name, 0o700, dir_fd=above)
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        try:
            # NFS has no locks on folders: nobody can take this one for a left-over there, nor ever remove a left-over.
            with suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_EX)
            if os.fstat(folder).st_uid != os.geteuid():
                raise PermissionError(f"{exchange}/{name}: somebody else has put a folder there")
            yield f"/proc/self/fd/{folder}", folder, above
        finally:
            os.close(folder)
            shutil.rmtree(os.path.join(exchange, name), ignore_errors=True)
    finally:
        os.close(above)


@contextmanager
def _named_by_its_place(place: str, exchange: str) -> Iterator[None]:
    """Let what fails in the staging folder say where that would have come to."""
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, str) and error.filename.startswith(place):
            error.filename = exchange + error.filename[len(place) :]
        raise


def _remove_left_overs(exchange: str, above: int) -> None:
    """Remove what killed commands of ours have left; they hold no lock any more."""
    for name in os.listdir(above):
        if not name.startswith(STAGING):
            continue
        with suppress(OSError):
            folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
            try:
                if os.fstat(folder).st_uid == os.geteuid():
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(os.path.join(exchange, name), ignore_errors=True)
            finally:
                os.close(folder)


def _rename_unless_taken(course: str, folder: int, above: int) -> None:
    with suppress(FileNotFoundError):
        found = os.stat(course, dir_fd=above, follow_symlinks=False)
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "something"
        raise FileExistsError(f"{course}: there is {kind} of this name by now")
    os.rename(course, course, src_dir_fd=folder, dst_dir_fd=above)
