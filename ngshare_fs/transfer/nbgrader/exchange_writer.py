"""Writing a course as nbgrader's own commands would have left it: names, owners, modes, times.

All is written into a folder of ours that nobody else may enter, through its descriptor: the exchange folder is writable
for every student, who might put a link in its place meanwhile, and whoever runs this may be root.
"""

import base64
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timezone

from ngshare_fs.store import StoredFile, Timestamp, Tree
from ngshare_fs.store.writing.durability import Flusher, write_file
from ngshare_fs.transfer.nbgrader.names_in_exchange import (
    FEEDBACK,
    INBOUND,
    OUTBOUND,
    PAGE,
    SECRET_FILE,
    TIMESTAMP_FILE,
    SubmissionName,
)

CHUNK = 1024 * 1024
# As `release_assignment.py`, `submit.py` and `release_feedback.py` of nbgrader set them.
FILE = 0o644
FOLDER = 0o755
OF_INBOUND = 0o2733  # whoever hands in cannot look at what others have handed in
OF_A_SUBMISSION = 0o777  # the instructor has to be able to remove it; only who knows the random end finds it
OF_FEEDBACK = 0o711


class TreeDamaged(Exception):
    """Files on the volume are not what their manifest says; the message has the path."""


@dataclass(frozen=True)
class Owners:
    """To whom the system says that things belong. Who is not root cannot give anything away.

    Args:
        course: user and group of the course's folders; None for whoever runs this.
        student: gives the user whose name a student has; None where there is none here.
    """

    course: tuple[int, int] | None
    student: Callable[[str], int | None]


class CourseFolder:
    """The folder of a course, on its way into an exchange folder.

    Args:
        path: where it is made.
        owners: of what is made.
        progress: told of each piece of a file, in bytes.
    """

    def __init__(self, path: str, owners: Owners, progress: Callable[[int], object]) -> None:
        self._path = path
        self._owners = owners
        self._progress = progress
        self._files: list[str] = []
        self._folders: list[str] = []
        self._make_folder(path, FOLDER)
        for name, mode in ((OUTBOUND, FOLDER), (INBOUND, OF_INBOUND), (FEEDBACK, OF_FEEDBACK)):
            self._make_folder(self._in(name), mode)

    def _in(self, *names: str) -> str:
        return os.path.join(self._path, *names)

    def flush(self, flusher: Flusher) -> None:
        """Bring all that was written to the disk."""
        flusher.flush(self._files, self._folders)

    def write_release(self, assignment: str, tree: Tree) -> None:
        """Write a release.

        Raises:
            TreeDamaged, DamagedTree: a file of it is damaged; then nothing is written.
        """
        folder = self._in(OUTBOUND, assignment)
        self._lay_out(tree, folder, tree.manifest.files, None)
        _set_time(folder, tree.timestamp)

    def write_submission(self, name: SubmissionName, tree: Tree) -> bytes:
        """Write a submission, with a new secret.

        Returns:
            the secret.

        Raises:
            TreeDamaged, DamagedTree: a file of it is damaged; then nothing is written.
        """
        random = base64.urlsafe_b64encode(os.urandom(9)).decode()
        folder = self._in(INBOUND, "+".join((*name, random)))
        student = self._owners.student(name.student)
        files = [file for file in tree.manifest.files if not is_nbgraders(file.path)]
        self._lay_out(tree, folder, files, student)
        secret = secrets.token_hex(64).encode()
        for file, content in ((TIMESTAMP_FILE, name.time.encode()), (SECRET_FILE, secret)):
            place = os.path.join(folder, file)
            write_file(place, content)
            self._files.append(place)
            self._finish(place, FILE, student)
        os.chmod(folder, OF_A_SUBMISSION)
        _set_time(folder, Timestamp(name.time))
        return secret

    def write_page(self, hashes: Collection[str], tree: Tree, file: StoredFile) -> None:
        """Write a page of feedback.

        Args:
            hashes: the names by which students may look for it.
            tree: of the feedback.
            file: the page in it.

        Raises:
            TreeDamaged, DamagedTree: it is damaged; then it is not written.
        """
        for each in hashes:
            place = self._in(FEEDBACK, each + PAGE)
            try:
                self._copy(tree, file, place, None)
            except FileExistsError:
                continue  # the same notebook was handed in twice in a microsecond: never, but nothing is lost by it
            _set_time(place, tree.timestamp)

    def _lay_out(self, tree: Tree, folder: str, files: Collection[StoredFile], owner: int | None) -> None:
        tree.look()
        files_before, folders_before = len(self._files), len(self._folders)
        made = {""}
        try:
            self._make_folder(folder, FOLDER, owner)
            for file in files:
                self._make_folders(folder, os.path.dirname(file.path), made, owner)
                self._copy(tree, file, os.path.join(folder, file.path), owner)
        except BaseException as problem:
            shutil.rmtree(folder, ignore_errors=True)
            del self._files[files_before:], self._folders[folders_before:]
            if isinstance(problem, FileExistsError):
                raise TreeDamaged(f"{os.path.relpath(problem.filename, folder)} is listed twice") from None
            raise

    def _make_folders(self, root: str, inner: str, made: set[str], owner: int | None) -> None:
        if inner not in made:
            self._make_folders(root, os.path.dirname(inner), made, owner)
            self._make_folder(os.path.join(root, inner), FOLDER, owner)
            made.add(inner)

    def _make_folder(self, path: str, mode: int, owner: int | None = None) -> None:
        os.mkdir(path)
        self._folders.append(path)
        self._finish(path, mode, owner)

    def _copy(self, tree: Tree, file: StoredFile, place: str, owner: int | None) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        with os.fdopen(tree.open_file(file), "rb", buffering=0) as source, open(place, "xb", buffering=0) as target:
            while piece := source.read(CHUNK):
                digest.update(piece)
                written = 0
                while written < len(piece):
                    written += target.write(memoryview(piece)[written:])
                self._progress(len(piece))
        if digest.hexdigest() != file.md5:
            os.unlink(place)
            raise TreeDamaged(f"{file.path} has not the checksum of its manifest")
        self._files.append(place)
        self._finish(place, FILE, owner)

    def _finish(self, place: str, mode: int, owner: int | None) -> None:
        user, group = self._owners.course or (-1, -1)
        if owner is not None or self._owners.course:
            os.chown(place, user if owner is None else owner, group)
        os.chmod(place, mode)  # after that: a new owner takes special bits away


def is_nbgraders(path: str) -> bool:
    """Whether nbgrader has a file of its own at this path of a submission."""
    return path.split("/")[0] in (TIMESTAMP_FILE, SECRET_FILE)


def _set_time(place: str, moment: Timestamp) -> None:
    """Give it the time that it has on the volume: whoever takes the folder over again gets the same."""
    parsed = datetime.strptime(moment, "%Y-%m-%d %H:%M:%S.%f UTC").replace(tzinfo=timezone.utc)
    since = parsed - datetime(1970, 1, 1, tzinfo=timezone.utc)
    nanoseconds = ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
    os.utime(place, ns=(nanoseconds, nanoseconds))
