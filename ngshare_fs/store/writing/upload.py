"""Directory trees on their way into the volume."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.store.format.layout import FILES
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.store.writing.durability import DirtySet
from ngshare_fs.store.writing.held_open import held_open
from ngshare_fs.store.writing.staging import Staging, still_there


@dataclass(slots=True)
class IncomingFile:
    """One file as it was handed in.

    Args:
        path: relative, with `/`.
        size: in bytes.
        md5: in hex.
        content: the bytes, where they are few; otherwise
        staged: the file in the upload's folder that holds them.
    """

    path: str
    size: int
    md5: str
    content: bytes | None = None
    staged: str | None = None


def without_duplicates(files: Iterable[IncomingFile]) -> list[IncomingFile]:
    """The files of a tree, in the order of their paths' first mention; of the same path twice the last one counts.

    Raises:
        IllegalPath: a path is illegal, or is a file here and a folder there.
    """
    by_path: dict[str, IncomingFile] = {}
    folders: set[str] = set()
    for file in files:
        check_path(file.path)
        by_path[file.path] = file
        above = file.path
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in folders:
                break
            folders.add(above)
    for folder in folders:
        if folder in by_path:
            raise IllegalPath(repr(folder))
    return list(by_path.values())


class Upload:
    """What one request hands in, until it is published or given up.

    A context manager: on leaving, everything that was not published is gone. It touches the disk only where something
    is too large to wait in memory.

    Args:
        staging: where it grows.
        staging_folder: its folder, where another process has begun it.
        renames_held_open: whether files are held open while they are renamed.
    """

    def __init__(self, staging: Staging, staging_folder: str | None = None, renames_held_open: bool = False) -> None:
        self._staging = staging
        self._renames_held_open = renames_held_open
        self._folder = staging_folder
        self._staged = 0
        self._files: list[IncomingFile] = []

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    @property
    def staging_folder(self) -> str | None:
        """Its own folder, where it has one already: then `discard` has something to do."""
        return self._folder

    @property
    def folder(self) -> str:
        """Its own folder in staging, made at first use."""
        if self._folder is None:
            self._folder = self._staging.new_folder()
        return self._folder

    def new_file(self) -> str:
        """A path for the content of a file that is too large for memory; `IncomingFile.staged` names it."""
        self._staged += 1
        return os.path.join(self.folder, f"content-{self._staged}")

    @property
    def files(self) -> list[IncomingFile]:
        """The files to be published."""
        return self._files

    def accept(self, files: Iterable[IncomingFile]) -> None:
        """Say which files make the tree.

        Args:
            files: of which each that is staged is in this upload's folder.

        Raises:
            IllegalPath: see `without_duplicates`.
        """
        self._files = without_duplicates(files)

    def write_tree(self, into: str, dirty: DirtySet) -> None:
        """Lay the files out under `into`, a new folder.

        Args:
            into: a path in staging, where nothing is yet.
            dirty: the account of what has to be flushed.

        Raises:
            VolumeFailure: somebody removed what was staged.
        """
        dirty.make_folder(into)
        root = f"{into}/{FILES}"
        dirty.make_folder(root)
        folders = {""}
        for file in self._files:
            _make_folders(root, os.path.dirname(file.path), folders, dirty)
            path = f"{root}/{file.path}"
            if file.staged is None:
                assert file.content is not None
                dirty.write_file(path, file.content)
                file.content = None  # while it waits for the disk, others may have the memory
            else:
                with still_there(file.staged), held_open(file.staged, self._renames_held_open):
                    os.rename(file.staged, path)
                dirty.add_file(path)

    def discard(self) -> None:
        """Remove what is left in staging."""
        if self._folder is not None:
            self._staging.remove(self._folder)
            self._folder = None


def _make_folders(root: str, folder: str, known: set[str], dirty: DirtySet) -> None:
    if folder in known:
        return
    _make_folders(root, os.path.dirname(folder), known, dirty)
    dirty.make_folder(f"{root}/{folder}")
    known.add(folder)
