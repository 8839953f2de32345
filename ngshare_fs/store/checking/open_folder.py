"""Folders that are open for checking. Everything in them is looked at by descriptor, so no symbolic link is followed,
and a rename of any folder above changes nothing."""

import os
import re
import stat
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Meaning, Node
from ngshare_fs.store.checking.findings import SPECIAL_FILE, STRAY, SYMLINK, UNREADABLE, Defect, Finding
from ngshare_fs.store.checking.tally import Tally
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import open_plain

# NFS keeps a file that somebody removed while it was open under such a name, until it is closed.
_KEPT_BY_NFS = re.compile(r"\.nfs[0-9a-f]{8,}")

Found = TypeVar("Found")


class OpenFolder:
    """An open folder. Use `open_volume` and `enter`.

    Args:
        descriptor: of the folder; whoever made it closes it.
        path: relative to the volume, for findings.
        tally: counts what is read in it.
    """

    def __init__(self, descriptor: int, path: str, tally: Tally) -> None:
        self._descriptor = descriptor
        self._path = path
        self.tally = tally

    @property
    def name(self) -> str:
        """Its own name."""
        return self._path.rpartition("/")[2]

    def path(self, name: str = "") -> str:
        """The path of something in it, for findings; its own without a name."""
        return f"{self._path}/{name}" if self._path and name else self._path or name or "."

    def names(self, is_expected: Callable[[str], bool] = lambda _: False) -> list[str]:
        """What is in it, sorted, so that a volume gives the same findings in the same order each time.

        Args:
            is_expected: whether something belongs there, even if it has the name of what NFS keeps.
        """
        names = os.listdir(self._descriptor)
        return sorted(name for name in names if not _KEPT_BY_NFS.fullmatch(name) or is_expected(name))

    def status(self, name: str) -> os.stat_result | None:
        """The status of something in it, None where it is not there."""
        try:
            return retry_on_estale(os.stat, name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def is_absent(self, name: str) -> bool:
        """Whether it is certain that nothing of that name is in it."""
        try:
            return self.status(name) is None
        except OSError:
            return False

    def is_folder(self, name: str) -> bool:
        """Whether a folder of that name is in it."""
        try:
            status = self.status(name)
        except OSError:
            return False
        return status is not None and stat.S_ISDIR(status.st_mode)

    @contextmanager
    def enter(self, name: str) -> Iterator["OpenFolder"]:
        """Open a folder in it.

        Raises:
            OSError: it cannot be read, or is no folder.
        """
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=self._descriptor)
        try:
            yield OpenFolder(descriptor, self.path(name), self.tally)
        finally:
            os.close(descriptor)

    def kept_open(self) -> "OpenFolder":
        """The same folder once more, which stays open until `close`, whoever closes this one."""
        return OpenFolder(os.dup(self._descriptor), self._path, self.tally)

    def close(self) -> None:
        """Close what `kept_open` gave."""
        os.close(self._descriptor)

    def read(self, name: str) -> bytes:
        """The content of a small file in it.

        Raises:
            OSError: it cannot be read, or is no file any more.
        """
        content = retry_on_estale(self._read, name)
        self.tally.file(len(content))
        return content

    def _read(self, name: str) -> bytes:
        with os.fdopen(self.open_file(name), "rb") as file:
            return file.read()

    def open_file(self, name: str) -> int:
        """A descriptor of a file in it, for reading; the caller closes it.

        Raises:
            OSError: it cannot be read, or is no file any more.
        """
        return open_plain(name, self._descriptor)


@contextmanager
def open_volume(root: str, tally: Tally | None = None) -> Iterator[OpenFolder]:
    """Open the volume's own folder; this one may be reached by a symbolic link.

    Args:
        tally: counts what is read in it.

    Raises:
        OSError: it cannot be read, or is no folder.
    """
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield OpenFolder(descriptor, "", tally or Tally())
    finally:
        os.close(descriptor)


def unexpected_entries(
    folder: OpenFolder, files: Collection[str] = (), folders: Collection[str] | None = None
) -> Generator[Finding, None, list[str]]:
    """Find what does not belong in a folder.

    Args:
        files: the names of the files that belong there.
        folders: the names of the folders that do; any where it is None.

    Returns:
        the names of what belongs there and is there.
    """
    belonging = []
    try:
        names = folder.names()
    except OSError as error:
        yield UNREADABLE.at(folder.path(), error.strerror)
        return []
    for name in names:
        try:
            status = folder.status(name)
        except OSError as error:
            yield UNREADABLE.at(folder.path(name), error.strerror)
            continue
        if status is None:
            continue  # gone since it was listed: somebody is working on the volume
        odd = special_file_finding(folder.path(name), status)
        if odd is not None:
            yield odd
        elif (folders is None or name in folders) if stat.S_ISDIR(status.st_mode) else name in files:
            belonging.append(name)
        else:
            yield STRAY.at(folder.path(name))
    return belonging


def look_into(
    parent: OpenFolder, name: str, check: Callable[[OpenFolder], Iterator[Found]]
) -> Iterator[Found | Finding]:
    """Check a folder in another one, if it can be read.

    Args:
        name: of the folder, in `parent`.
        check: gives the findings in it; it is open until they are all taken.
    """
    try:
        with parent.enter(name) as folder:
            yield from check(folder)
    except FileNotFoundError:
        pass  # deleted since it was listed
    except OSError as error:
        yield UNREADABLE.at(parent.path(name), error.strerror)


def read_yaml(
    folder: OpenFolder,
    name: str,
    understand: Callable[[dict[str, Node]], Meaning],
    if_missing: Defect | None,
    if_broken: Defect,
) -> Generator[Finding, None, Meaning | None]:
    """Read a YAML file.

    Args:
        name: of the file, in `folder`.
        understand: makes the typed value of the parsed mapping; raises `WrongShape`.
        if_missing, if_broken: what to find in those cases; nothing is missing where the first is None.

    Returns:
        what it says; None where it cannot be read, which is among the findings here or of `unexpected_entries`.
    """
    path = folder.path(name)
    try:
        status = folder.status(name)
        if status is None:
            if if_missing is not None:
                yield if_missing.at(path)
        elif stat.S_ISREG(status.st_mode):
            return yaml_text.parse(folder.read(name), path, understand)
    except BrokenYaml as error:
        yield if_broken.at(path, f"line {error.line}: {error.problem}")
    except OSError as error:
        yield UNREADABLE.at(path, error.strerror)
    return None


def special_file_finding(path: str, status: os.stat_result) -> Finding | None:
    """The finding that something is neither a file nor a folder."""
    if stat.S_ISLNK(status.st_mode):
        return SYMLINK.at(path)
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        return SPECIAL_FILE.at(path)
    return None
