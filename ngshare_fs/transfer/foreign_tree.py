"""A tree of another exchange: what is known of it, and its files on their way onto the volume, checked as they come."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from ngshare_fs.store import IncomingFile, Manifest, StoredFile, Upload
from ngshare_fs.store.adopt import illegal_paths

PIECE_BYTES = 1 << 20
# What is larger, and what comes once a tree has so much, is not kept in memory while the rest of the tree is read.
SMALL_BYTES = 1 << 17
SMALL_TREE_BYTES = 1 << 20


@dataclass(frozen=True)
class ForeignFile:
    """A file as the other exchange describes it.

    Args:
        path: in its tree.
        open: opens it for reading; raises OSError where it cannot be. None where a dry run has no need to.
        md5: in hex; None where nobody has said it.
        name: by which the other exchange knows it, for messages; empty where that is the path.
    """

    path: str
    open: Callable[[], BinaryIO] | None
    md5: str | None = None
    name: str = ""


@dataclass(frozen=True)
class ForeignTree:
    """A release, a submission or feedback elsewhere.

    Args:
        described: what its manifest is to say, but for the files; a release and feedback have the time that they shall
            have here.
        files: as far as their names can be on the volume, see `usable_files`.
        without: why files that belong to it are not among them: what is wrong, by path.
    """

    described: Manifest
    files: Sequence[ForeignFile]
    without: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, ...]:
        """The names that lead to it."""
        described = self.described
        if described.student is None:
            return described.course, described.assignment
        return described.course, described.assignment, described.student, described.submission or described.timestamp

    def is_as(self, there: Manifest) -> bool:
        """Whether a tree on the volume has just these files. Where checksums are not known, nobody can tell yet."""
        known = {(file.path, file.md5) for file in self.files}
        return not self.without and known == {(file.path, file.md5) for file in there.files}


@dataclass
class Usable:
    """What of a list of files a tree can hold.

    Args:
        files: those.
        without: what is wrong with the others, by path.
        repeated: paths that were there several times; of those the last one counts, as for whoever fetches them.
    """

    files: list[ForeignFile]
    without: dict[str, str]
    repeated: list[str]


def usable_files(files: Sequence[ForeignFile]) -> Usable:
    """Sort out what no tree on the volume can hold."""
    by_path = {file.path: file for file in files}
    without = illegal_paths(by_path)
    counted = {path: 0 for path in by_path}
    for file in files:
        counted[file.path] += 1
    return Usable(
        [file for path, file in by_path.items() if path not in without],
        without,
        [path for path, count in counted.items() if count > 1 and path not in without],
    )


def read_files(tree: ForeignTree, upload: Upload | None) -> tuple[list[StoredFile], dict[str, str]]:
    """Read a tree's files, and stage them.

    Args:
        upload: where; None only to look.

    Returns:
        the files that are as they should be, and of the others what is wrong with them, by path.

    Raises:
        OSError: what was read cannot be staged.
    """
    good: list[IncomingFile] = []
    wrong = dict(tree.without)
    room = SMALL_TREE_BYTES
    for file in tree.files:
        incoming = _read_one(file, upload, min(room, SMALL_BYTES))
        if isinstance(incoming, str):
            wrong[file.path] = incoming
        else:
            good.append(incoming)
            room -= len(incoming.content or b"")
    if upload is not None:
        upload.accept(good)
    return [StoredFile(file.path, file.size, file.md5) for file in good], wrong


class _Unreadable(Exception):
    """The other exchange's file cannot be read; the text says why."""


def _read_one(file: ForeignFile, upload: Upload | None, small_bytes: int) -> IncomingFile | str:
    """Read a file; text is what is wrong with it."""
    if file.open is None:
        return IncomingFile(file.path, 0, file.md5 or "")
    digest, size = hashlib.md5(), 0
    small, staged = bytearray(), None
    with contextlib.ExitStack() as stack:
        target: BinaryIO | None = None
        try:
            for piece in _pieces(file):
                digest.update(piece)
                size += len(piece)
                if upload is None:
                    continue
                if target is None and size <= small_bytes:
                    small += piece
                    continue
                if target is None or staged is None:
                    staged = upload.new_file()
                    target = stack.enter_context(open(staged, "xb"))
                    target.write(small)
                target.write(piece)
        except _Unreadable as problem:
            return f"{file.name or 'it'} {problem}"
    md5 = digest.hexdigest()
    if file.md5 is not None and file.md5.lower() != md5:
        return f"{file.name or 'it'} is damaged: its MD5 is {md5}, that of what was handed in is {file.md5}"
    return IncomingFile(file.path, size, md5, None if staged else bytes(small), staged)


def _pieces(file: ForeignFile) -> Iterator[bytes]:
    assert file.open is not None
    try:
        with file.open() as opened:
            while piece := opened.read(PIECE_BYTES):
                yield piece
    except FileNotFoundError:
        raise _Unreadable("is missing") from None
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror or error}") from None
