"""Trees as zips: one tree, or all that a class has handed in, with a table of what is in it."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ngshare_fs.http.refusals import FAILURE, OF_STORE_ERROR
from ngshare_fs.store import StoredFile, StoreError, Timestamp, Tree
from ngshare_fs.store.errors import DamagedTree, from_failed_look
from ngshare_fs.web.untrusted.csv_table import csv_table
from ngshare_fs.web.untrusted.zip_names import ZipNames
from ngshare_fs.web.untrusted.zip_stream import SLICE, ZipWriter

logger = logging.getLogger(__name__)

MANIFEST = "manifest.csv"
PROBLEM = "PROBLEM.txt"
COLUMNS = (
    "student", "submitted", "late_seconds", "kind", "given", "file_in_zip", "file", "size", "md5", "problem"
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A tree that goes into a zip.

    Args:
        student: whose it is.
        submitted: the timestamp of the submission that it is, or that it is on.
        late_seconds: by how much that was late; None where nothing was due.
        kind: what it is, see `store.SUBMISSION` and `store.FEEDBACK`.
        folders: the folders that it gets, by the names people know.
        open: opens it; None where there is none. Raises `StoreError` or `OSError`.
    """

    student: str
    submitted: Timestamp
    late_seconds: int | None
    kind: str
    folders: tuple[str, ...]
    open: Callable[[], Tree | None]


def zip_of_tree(open_tree: Callable[[], Tree]) -> Iterator[bytes]:
    """The pieces of a zip of one tree, nothing else in it.

    Raises:
        StoreError: the tree cannot be read; where that shows before the first piece, nothing has to be sent.
    """
    writer, names = ZipWriter(), ZipNames()
    with open_tree() as tree:
        tree.look()
        for file in tree.manifest.files:
            yield from _added(writer, names.file("", file.path), tree, file)
    yield from writer.finished()


def zip_of_parts(parts: Iterable[Part], explanation: str) -> Iterator[bytes]:
    """The pieces of a zip of many trees, with a table of all that is in it.

    A tree that cannot be opened, or some of whose files are missing, is left out: the others' work must not wait until
    somebody has mended this one. In its folder and in the table stands why. Where a tree fails later, when some of it
    was sent already, there is no whole zip.

    Args:
        parts: of which those of one folder may follow each other.
        explanation: what the file in the place of a tree says; the reason comes after it.

    Raises:
        StoreError: a tree has failed, and some of it was sent already.
    """
    writer, names = ZipWriter(), ZipNames()
    table: list[tuple[str | int | None, ...]] = [COLUMNS]
    manifest = names.file("", MANIFEST)
    for part in parts:
        of_all = part.student, part.submitted, part.late_seconds, part.kind
        try:
            tree = _opened(part)
        except StoreError as error:
            logger.error("%s of %s, %s: %s", part.kind, part.student, part.submitted, error)
            message = OF_STORE_ERROR.get(type(error), FAILURE).message
            name = names.file(_folder(names, part), PROBLEM)
            note = f"{explanation}\n\n{message}\n".encode()
            table.append((*of_all, None, name, None, len(note), None, message))
            yield from writer.add(name, None, len(note), [note])
            continue
        if tree is None:
            continue
        with tree:
            folder = _folder(names, part)
            for file in tree.manifest.files:
                name = names.file(folder, file.path)
                table.append((*of_all, tree.timestamp, name, file.path, file.size, file.md5, None))
                yield from _added(writer, name, tree, file)
    content = csv_table(table)
    yield from writer.add(manifest, None, len(content), [content])
    yield from writer.finished()


def _folder(names: ZipNames, part: Part) -> str:
    above = ""
    for each in part.folders:
        above = names.folder(above, each)
    return above


def _opened(part: Part) -> Tree | None:
    try:
        tree = part.open()
        if tree is not None:
            try:
                tree.look()
            except BaseException:
                tree.close()
                raise
    except OSError as error:
        raise from_failed_look(error) from error
    return tree


def _added(writer: ZipWriter, name: str, tree: Tree, file: StoredFile) -> Iterator[bytes]:
    return writer.add(name, _moment(tree.timestamp), file.size, _slices(tree, file))


def _slices(tree: Tree, file: StoredFile) -> Iterator[bytes]:
    with os.fdopen(tree.open_file(file), "rb", buffering=0) as content:
        left = file.size
        while left:
            part = content.read(min(SLICE, left))
            if not part:
                raise DamagedTree(f"{tree.path}: {file.path} has become shorter")
            left -= len(part)
            yield part


def _moment(timestamp: Timestamp) -> datetime:
    return datetime.fromisoformat(timestamp.removesuffix(" UTC") + "+00:00")
