"""What of a folder is sent: one walk decides, and what it counts is what is copied and sent.

Left out is what holds no work: links that lead nowhere or to a folder that they are in, pipes, sockets, devices; and
what the course's options leave out. What may hold work and cannot be sent stops the command by name, so that nothing is
missing at the other end without anybody having been told.
"""

import errno
import fnmatch
import hashlib
import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from ngshare_fs.exchange.failures.problems import ServerProblem
from ngshare_fs.exchange.folders.origin import ORIGIN
from ngshare_fs.exchange.folders.replacing import SCRATCH
from ngshare_fs.exchange.receiving.received_tree import DEEPEST_PATH
from ngshare_fs.exchange.sending.request_body import CHUNK, LocalFile
from ngshare_fs.formats.file_names import normal
from ngshare_fs.formats.one_line import in_one_line

# As on our server.
LONGEST_COMPONENT = 255
LONGEST_PATH = 2048
# Folders that are linked to each other have endlessly many paths without any of them going round in a circle.
MOST_ENTRIES = 100_000
# A file that is written again and again is taken as it is after so many attempts.
MOST_COPIES = 3
# Lines of one message.
MOST_NAMED = 10

_NOTHING_SENT = "Nothing was sent, since not everything in this folder can be:"
TOO_LARGE = "file too large"
_LEADS_NOWHERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


class Rules(NamedTuple):
    """The course's options on what is sent.

    Args:
        ignore: globs of names of files and folders that are left out.
        include: globs of names of files, one of which has to match; empty where all do.
        max_file_size: in kilobytes; larger files are left out. 0 is no limit.
        max_dir_size: of all files together, in kilobytes.
    """

    ignore: Sequence[str]
    include: Sequence[str]
    max_file_size: int
    max_dir_size: int


class Found(NamedTuple):
    """A file that is to be sent.

    Args:
        path: in the tree, with `/`.
        place: on this machine; of a linked file, where the link leads.
        size: in bytes.
    """

    path: str
    place: str
    size: int


class LeftOut(NamedTuple):
    """A file or folder that is not sent.

    Args:
        path: in the tree, with `/`.
        kind: what it is.
        because: why it is left out.
        by_option: whether `ignore` or `include` says so; then it is no news.
    """

    path: str
    kind: str
    because: str
    by_option: bool = False

    def __str__(self) -> str:
        return f"{self.kind} '{in_one_line(self.path)}' ({self.because})"


class Contents(NamedTuple):
    """What a walk has found.

    Args:
        files: to be sent, sorted by path.
        left_out: the others.
    """

    files: Sequence[Found]
    left_out: Sequence[LeftOut]


def look_through(folder: str, rules: Rules) -> Contents:
    """Walk through a folder once.

    Args:
        folder: where the walk begins.
        rules: of the course.

    Raises:
        ServerProblem: something in it may be work and cannot be sent, or it is more than `max_dir_size`.
    """
    walk = _Walk(folder, rules)
    walk.go()
    if walk.unfit:
        raise ServerProblem(_lines(_NOTHING_SENT, sorted(walk.unfit)))
    files = sorted(walk.files, key=lambda file: file.path)
    check_size(files, rules)
    return Contents(files, sorted(walk.left_out, key=lambda each: each.path))


def check_size(files: Sequence[Found | LocalFile], rules: Rules) -> None:
    """Heed `max_dir_size`.

    Args:
        files: all that are to be sent.
        rules: of the course.

    Raises:
        ServerProblem: the files are larger together.
    """
    size, most = sum(file.size for file in files), 1000 * rules.max_dir_size
    if size > most:
        largest = max(files, key=lambda file: file.size)
        raise ServerProblem(
            f"Directory size is too big: {size} bytes would be sent, the most is {most}. The largest file is "
            f"{in_one_line(largest.path)} with {largest.size} bytes. Remove large data files, or ask your instructor "
            "(CourseDirectory.max_dir_size)."
        )


class _Walk:
    def __init__(self, folder: str, rules: Rules) -> None:
        self._folder = folder
        self._inside = os.path.realpath(folder)
        self._rules = rules
        self._ignore = [normal(glob) for glob in rules.ignore]
        self._include = [normal(glob) for glob in rules.include]
        self._entries = 0
        self.files: list[Found] = []
        self.left_out: list[LeftOut] = []
        self.unfit: list[str] = []

    def go(self) -> None:
        # Each folder with its place and those of the folders that it is in, links resolved.
        folders: list[tuple[str, str, tuple[str, ...]]] = [("", self._inside, (self._inside,))]
        while folders:
            path, place, above = folders.pop()
            for name in self._names(path, place):
                linked = self._look_at(f"{path}/{name}" if path else name, name, os.path.join(place, name), above)
                if linked is not None:
                    folders.append((f"{path}/{name}" if path else name, linked, (*above, linked)))

    def _names(self, path: str, place: str) -> list[str]:
        try:
            names = os.listdir(place)
        except FileNotFoundError:
            if path:
                return []  # removed meanwhile
            raise
        except OSError as error:
            self._unreadable(path or os.path.basename(self._folder), error)
            return []
        self._entries += len(names)
        if self._entries > MOST_ENTRIES:
            raise ServerProblem(
                f"{self._folder} has more than {MOST_ENTRIES} files and folders. Remove those that do not belong to "
                "the assignment, such as environments and data sets, and links between folders."
            )
        return names

    def _look_at(self, path: str, name: str, place: str, above: tuple[str, ...]) -> str | None:
        """Sort one thing in; where it is a folder to be looked through, the answer is its place."""
        # What the plug-ins keep in the student's folder is about it, not of it.
        if name.startswith((ORIGIN, SCRATCH)):
            return None
        if _matches(name, self._ignore):
            self._leave_out(path, "excluded file", "see config option CourseDirectory.ignore", by_option=True)
            return None
        is_link = False
        try:
            status, real = os.lstat(place), place
            is_link = stat.S_ISLNK(status.st_mode)
            if is_link:
                status, real = os.stat(place), os.path.realpath(place)
        except OSError as error:
            if is_link and error.errno in _LEADS_NOWHERE:
                self._leave_out(path, "link that leads nowhere", "it holds no work")
            elif error.errno != errno.ENOENT:  # removed meanwhile
                self._unreadable(path, error)
            return None
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            self._leave_out(path, _kind(status.st_mode, is_link), "it is no file")
        elif is_link and not _is_inside(real, self._inside):
            self.unfit.append(
                f"{in_one_line(path)} is a link to {in_one_line(real)}, outside of the folder: put a copy of that in "
                "its place, or remove the link"
            )
        elif not self._has_fit_path(path):
            pass
        elif stat.S_ISREG(status.st_mode):
            self._file(Found(path, real, status.st_size), name)
        elif is_link and real in above:
            self._leave_out(path, "link to a folder that it is in", "what is there is sent once")
        else:
            return real
        return None

    def _file(self, file: Found, name: str) -> None:
        most = self._rules.max_file_size
        if self._include and not _matches(name, self._include):
            because = "see config option CourseDirectory.include"
            self._leave_out(file.path, "non included file", because, by_option=True)
        elif most and file.size > 1000 * most:
            self._leave_out(file.path, TOO_LARGE, "see config option CourseDirectory.max_file_size")
        else:
            self.files.append(file)

    def _has_fit_path(self, path: str) -> bool:
        try:
            components = path.encode("utf-8").split(b"/")
        except UnicodeEncodeError:
            self.unfit.append(f"The name of {in_one_line(path)} is no UTF-8 text: rename it")
            return False
        lengths = [len(component) for component in components]
        if len(lengths) > DEEPEST_PATH or sum(lengths) > LONGEST_PATH or max(lengths) > LONGEST_COMPONENT:
            start = in_one_line(path[:100])
            self.unfit.append(f"{start}… is too deep inside, or its name is too long: move or rename it")
            return False
        return True

    def _leave_out(self, path: str, kind: str, because: str, by_option: bool = False) -> None:
        self.left_out.append(LeftOut(path, kind, because, by_option))

    def _unreadable(self, path: str, error: OSError) -> None:
        self.unfit.append(_unreadable(path, error))


def take_snapshot(contents: Sequence[Found], target: str) -> list[LocalFile]:
    """Copy files as they are now, and hash them on the way.

    Args:
        contents: the files.
        target: a new folder.

    Returns:
        the copies.

    Raises:
        ServerProblem: a file cannot be read, or is none any more.
    """
    os.mkdir(target)
    folders = {target}
    copies, problems = [], []
    for file in contents:
        place = os.path.join(target, file.path)
        if os.path.dirname(place) not in folders:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            folders.add(os.path.dirname(place))
        try:
            # What has become a pipe since the walk must not be waited for, and a link not be followed.
            source = os.open(file.place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            problems.append(_unreadable(file.path, error))
            continue
        try:
            if not stat.S_ISREG(os.fstat(source).st_mode):
                problems.append(f"{in_one_line(file.path)} was replaced while it was being copied: try again")
                continue
            size, md5 = _copy(source, place)
        finally:
            os.close(source)
        copies.append(LocalFile(file.path, place, size, md5))
    if problems:
        raise ServerProblem(_lines(_NOTHING_SENT, sorted(problems)))
    return copies


def _copy(source: int, place: str) -> tuple[int, str]:
    """Copy what an open file holds; the answer is the copy's size and MD5."""
    with open(place, "xb", buffering=0) as copy:
        for attempt in range(MOST_COPIES):
            before = os.fstat(source)
            if attempt:
                os.lseek(source, 0, os.SEEK_SET)
                copy.seek(0)
                copy.truncate()
            digest = hashlib.md5(usedforsecurity=False)
            # A file that grows is not run after.
            remaining = before.st_size
            while remaining and (chunk := os.read(source, min(CHUNK, remaining))):
                digest.update(chunk)
                _write(copy.fileno(), chunk)
                remaining -= len(chunk)
            after = os.fstat(source)
            if (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size):
                break
        # It has to be read, and removed one day.
        os.fchmod(copy.fileno(), stat.S_IMODE(before.st_mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)
        os.utime(copy.fileno(), ns=(before.st_atime_ns, before.st_mtime_ns))
    return before.st_size - remaining, digest.hexdigest()


def _write(file: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(file, rest) :]


def _matches(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(normal(name), glob) for glob in globs)


def _is_inside(place: str, folder: str) -> bool:
    return place == folder or place.startswith(os.path.join(folder, ""))


def _kind(mode: int, is_link: bool) -> str:
    if stat.S_ISFIFO(mode):
        kind = "named pipe"
    elif stat.S_ISSOCK(mode):
        kind = "socket"
    else:
        kind = "device"
    return f"link to a {kind}" if is_link else kind


def _unreadable(path: str, error: OSError) -> str:
    name = in_one_line(path)
    if error.errno == errno.ENOENT:
        return f"{name} was removed while it was being copied: try again"
    return f"{name} cannot be read ({error.strerror}): change that, for example by chmod u+rX, or remove it"


def _lines(said: str, problems: Sequence[str]) -> str:
    more = [f"and {len(problems) - MOST_NAMED} more"] if len(problems) > MOST_NAMED else []
    return "\n  ".join([said, *problems[:MOST_NAMED], *more])
