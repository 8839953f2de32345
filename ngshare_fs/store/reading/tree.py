"""Reading a published tree.

A release, a submission and a piece of feedback are the same thing in three places; none of them ever changes, and the
newest one counts.
"""

import contextlib
import errno
import os
from typing import NamedTuple, TypeAlias

from ngshare_fs.store.errors import BrokenManifest, DamagedTree, IllegalPath
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import NotPlain, check_plain, open_and_look, read_plain, read_up_to
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.layout import FILES, MANIFEST
from ngshare_fs.store.format.manifest import Manifest, StoredFile
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.store.reading.cached_folders import timestamps_in
from ngshare_fs.store.reading.cached_yaml import CachedYaml
from ngshare_fs.store.reading.fingerprint import FileFingerprint, fingerprint_of

Manifests: TypeAlias = CachedYaml[Manifest]

# What the look for a file ends in where it is not there, or is none.
_NO_FILE = (NotPlain, FileNotFoundError, NotADirectoryError)


def newest_in(folder: str) -> Timestamp | None:
    """The timestamp of the newest tree in a folder, None where there is none."""
    moments = timestamps_in(folder)
    return moments[-1] if moments else None


class TreeState(NamedTuple):
    """By what a tree is known again: while this is the same, so is what was made of it.

    Args:
        manifest: what it says.
        files: what each file is known by, in the manifest's order.
    """

    manifest: Manifest
    files: list[FileFingerprint]

    def is_settled(self, seen: int) -> bool:
        """Whether all is so old that no change could go unnoticed.

        Args:
            seen: when it was looked at, in nanoseconds since 1970.
        """
        return all(file.is_settled(seen) for file in self.files)


class Tree:
    """A published tree that is open for reading: a rename of any folder above changes nothing for it.

    A context manager; whoever opens one closes it.

    Args:
        manifests: those of its volume, kept in memory.
        parent: the folder of the trees of its kind.
        moment: its timestamp.

    Raises:
        FileNotFoundError: there is none of that timestamp.
        BrokenManifest: its manifest is missing or cannot be understood.
    """

    def __init__(self, manifests: Manifests, parent: str, moment: Timestamp) -> None:
        self.path = os.path.join(parent, timestamp.folder_of(moment))
        self._folder = retry_on_estale(os.open, self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.timestamp = moment
        try:
            self.manifest = manifest_at(manifests, self.path)
        except BaseException as problem:
            self.close()
            if isinstance(problem, BrokenManifest) and not layout.is_folder(self.path):
                raise FileNotFoundError(self.path) from None  # deleted since it was opened
            raise

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def open_file(self, file: StoredFile) -> int:
        """A descriptor of one of its files, for reading; the caller closes it.

        Raises:
            DamagedTree: it is missing, no file, or not of the size that its manifest promises.
        """
        above, name = _split(file)
        try:
            folder = self._enter(above)
            try:
                descriptor, status = open_and_look(name, folder)
            finally:
                os.close(folder)
        except _NO_FILE as error:
            raise self._damaged(file, error) from None
        try:
            self._check_size(file, status)
        except DamagedTree:
            os.close(descriptor)
            raise
        return descriptor

    def read_file(self, file: StoredFile) -> bytes:
        """What is in one of its files.

        Raises:
            DamagedTree: see `open_file`; also where there is less in it by now.
        """
        descriptor = self.open_file(file)
        try:
            content = read_up_to(descriptor, file.size)
        finally:
            os.close(descriptor)
        if len(content) != file.size:
            raise DamagedTree(f"{self.path}: {file.path} has not the size of its manifest")
        return content

    def look(self) -> TreeState:
        """Look at every file, so that no answer is promised that cannot be given.

        Raises:
            DamagedTree: see `open_file`.
            PermissionError: one of them may not be read.
        """
        # In a rush each fetch does this, so it costs little for a file: manifests list the files of a folder together,
        # and that one is entered once.
        files = []
        entered: str | None = None
        folder = -1
        try:
            for file in self.manifest.files:
                above, name = _split(file)
                try:
                    if above != entered:
                        inner = self._enter(above)
                        if folder >= 0:
                            os.close(folder)
                        entered, folder = above, inner
                    files.append(self._look_at(file, name, folder))
                except _NO_FILE as error:
                    raise self._damaged(file, error) from None
        finally:
            if folder >= 0:
                os.close(folder)
        return TreeState(self.manifest, files)

    def _look_at(self, file: StoredFile, name: str, folder: int) -> FileFingerprint:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        check_plain(name, status)
        self._check_size(file, status)
        if not os.access(name, os.R_OK, dir_fd=folder, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.path.join(self.path, FILES, file.path))
        return fingerprint_of(status)

    def _enter(self, above: str) -> int:
        """A descriptor of the folder `above` inside `files/`; the caller closes it.

        Entered one by one: whatever lies on the way, no link leads out of the tree.
        """
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        folder = os.open(FILES, flags, dir_fd=self._folder)
        for part in above.split("/") if above else ():
            try:
                inner = os.open(part, flags, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder

    def _damaged(self, file: StoredFile, error: OSError) -> DamagedTree:
        """Say of which file it is that it is missing, or is no file."""
        what = error.strerror if isinstance(error, NotPlain) else "missing"
        return DamagedTree(f"{self.path}: {file.path} is {what}")

    def _check_size(self, file: StoredFile, status: os.stat_result) -> None:
        if status.st_size != file.size:
            raise DamagedTree(f"{self.path}: {file.path} has not the size of its manifest")


def _split(file: StoredFile) -> tuple[str, str]:
    """The folder of a file inside `files/`, empty for `files/` itself, and its name in it."""
    try:
        check_path(file.path)
    except IllegalPath:
        # A manifest that somebody edited must not lead out of its tree.
        raise DamagedTree(f"{file.path!r} is no path inside a tree") from None
    above, _, name = file.path.rpartition("/")
    return above, name


def manifest_at(manifests: Manifests, path: str) -> Manifest:
    """The manifest of the tree in the folder `path`.

    Raises:
        BrokenManifest: it is missing or cannot be understood.
    """
    file = os.path.join(path, MANIFEST)
    try:
        return manifests.read(file).present
    except FileNotFoundError:
        raise BrokenManifest(file, 1, "the manifest is missing") from None


def may_have_key(path: str, key: str) -> bool:
    """Whether the manifest of the tree in the folder `path` has to be understood to know whether it has this key.

    Hardly ever: without the key's characters there is no key, and to look for these takes a tenth of the time.
    """
    try:
        _, content = retry_on_estale(read_plain, os.path.join(path, MANIFEST))
    except OSError:
        return True  # what that is, `manifest_at` says
    return key.encode() in content or b"\\" in content


def full_name(manifests: Manifests, trees: str, of: str) -> str | None:
    """The full name of something whose folder name was cut, from the newest manifest below it.

    Args:
        trees: the folder of its trees.
        of: the manifest's field that has the name, `assignment` or `student`.
    """
    newest = newest_in(trees)
    if newest is None:
        return None
    with contextlib.suppress(BrokenManifest):
        name = getattr(manifest_at(manifests, os.path.join(trees, timestamp.folder_of(newest))), of)
        return name if isinstance(name, str) else None
    return None
