"""Checks one published tree: its manifest against its place, and its files against the manifest."""

import hashlib
import os
import stat
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from ngshare_fs.store.checking.findings import (
    ASSIGNMENT_DIFFERS,
    CHECKSUM_DIFFERS,
    FILE_EXTRA,
    FILE_MISSING,
    KIND_DIFFERS,
    MANIFEST_BROKEN,
    MANIFEST_MISSING,
    PATH_ILLEGAL,
    PATH_TWICE,
    REBUILT,
    SIZE_DIFFERS,
    STUDENT_DIFFERS,
    SUBMISSION_DIFFERS,
    TIMESTAMP_DIFFERS,
    UNREADABLE,
    Finding,
)
from ngshare_fs.store.checking.open_folder import OpenFolder, read_yaml, special_file_finding, unexpected_entries
from ngshare_fs.store.checking.tally import Tally
from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.store.format import layout, manifest, timestamp
from ngshare_fs.store.format.manifest import FEEDBACK, Manifest, StoredFile
from ngshare_fs.store.format.names import folder_of, name_of
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.tree_paths import check_path

# Each thread holds one or two of them; larger ones are not faster.
CHUNK = 256 * 1024


@dataclass(frozen=True)
class Place:
    """Where a tree lies, as far as its manifest has to agree.

    Args:
        kinds: what may lie there.
        student_folder: the folder of the student, where there is one that some name leads to.
        submission: the submission that the feedback is on.
        assignment_folder: the folder of the assignment, where only manifests have its full name.
    """

    kinds: tuple[str, ...]
    student_folder: str | None = None
    submission: Timestamp | None = None
    assignment_folder: str | None = None


def check_tree(tree: OpenFolder, place: Place, more: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Check a tree.

    Args:
        tree: its folder.
        place: where that lies.
        more: what folders belong into it beside `files`; they are left to the caller.
    """
    present = yield from unexpected_entries(tree, (layout.MANIFEST,), (layout.FILES, *more))
    found = yield from read_yaml(tree, layout.MANIFEST, manifest.understand, MANIFEST_MISSING, MANIFEST_BROKEN)
    if found is None:
        return
    if found.rebuilt is not None:
        yield REBUILT.at(tree.path(layout.MANIFEST), f"on {found.rebuilt}")
    yield from _check_place(tree, found, place)
    listed = yield from _listed_files(tree, found)
    if layout.FILES in present:
        yield from _check_folder(tree, layout.FILES, "", _Listed(listed, _folders_of(listed)))
    elif not tree.is_absent(layout.FILES):
        return  # what stands in its place was found already
    for path in listed:
        yield FILE_MISSING.at(tree.path(f"{layout.FILES}/{path}"))


def _check_place(tree: OpenFolder, found: Manifest, place: Place) -> Iterator[Finding]:
    path = tree.path(layout.MANIFEST)
    if found.kind not in place.kinds:
        yield KIND_DIFFERS.at(path, f"{found.kind}, not {' or '.join(place.kinds)}")
    expected = timestamp.from_folder(tree.name)
    if found.timestamp != expected:
        yield TIMESTAMP_DIFFERS.at(path, f"{found.timestamp!r}, not {expected!r}")
    folder = place.assignment_folder
    if folder is not None and (not found.assignment or folder_of(found.assignment) != folder):
        yield ASSIGNMENT_DIFFERS.at(path, differ(found.assignment, folder))
    folder = place.student_folder
    if folder is not None and (not found.student or folder_of(found.student) != folder):
        yield STUDENT_DIFFERS.at(path, differ(found.student, folder))
    if FEEDBACK in place.kinds and found.submission != place.submission:
        yield SUBMISSION_DIFFERS.at(path, f"{found.submission!r}, not {place.submission!r}")


def differ(found: str | None, folder: str) -> str:
    """How the name that a file gives differs from that of its folder."""
    return f"{found!r}, not {name_of(folder) or folder!r}"


def _listed_files(tree: OpenFolder, found: Manifest) -> Generator[Finding, None, dict[str, StoredFile]]:
    path = tree.path(layout.MANIFEST)
    listed: dict[str, StoredFile] = {}
    for file in found.files:
        if file.path in listed:
            yield PATH_TWICE.at(path, repr(file.path))
            continue
        try:
            check_path(file.path)
        except IllegalPath:
            yield PATH_ILLEGAL.at(path, repr(file.path))
            continue
        listed[file.path] = file
    # A path that is a file here and a folder there.
    for folder in sorted(_folders_of(listed) & listed.keys()):
        yield PATH_ILLEGAL.at(path, repr(folder))
        del listed[folder]
    return listed


def _folders_of(listed: dict[str, StoredFile]) -> set[str]:
    folders: set[str] = set()
    for path in listed:
        above = os.path.dirname(path)
        while above and above not in folders:
            folders.add(above)
            above = os.path.dirname(above)
    return folders


@dataclass(frozen=True)
class _Listed:
    """What is still to be found in a tree: the files by path, and the folders above them."""

    files: dict[str, StoredFile]
    folders: set[str]

    def forget(self, path: str) -> None:
        """Expect nothing any more of what lies there or below, for it cannot be looked at."""
        for below in [listed for listed in self.files if not path or listed == path or listed.startswith(path + "/")]:
            del self.files[below]


def _check_folder(parent: OpenFolder, name: str, relative: str, listed: _Listed) -> Iterator[Finding]:
    """Check a folder of a tree.

    Args:
        relative: its path inside `files/`, empty for `files/` itself.
        listed: what the manifest lists; each file that was looked at is taken out.
    """
    try:
        with parent.enter(name) as folder:
            above = f"{relative}/" if relative else ""
            for entry in folder.names(lambda name: above + name in listed.files or above + name in listed.folders):
                yield from _check_entry(folder, entry, above + entry, listed)
    except OSError as error:
        yield UNREADABLE.at(parent.path(name), error.strerror)
        listed.forget(relative)


def _check_entry(folder: OpenFolder, name: str, relative: str, listed: _Listed) -> Iterator[Finding]:
    path = folder.path(name)
    status = folder.status(name)
    if status is None:
        return
    odd = special_file_finding(path, status)
    if odd is not None:
        yield odd
        listed.forget(relative)
    elif stat.S_ISDIR(status.st_mode):
        if relative in listed.folders:
            yield from _check_folder(folder, name, relative, listed)
        elif relative not in listed.files:  # where a file is listed, it is missing
            yield FILE_EXTRA.at(path)
    elif relative in listed.files:
        yield from _check_file(folder, name, listed.files.pop(relative), status.st_size)
    elif relative not in listed.folders:
        yield FILE_EXTRA.at(path)


def _check_file(folder: OpenFolder, name: str, file: StoredFile, size: int) -> Iterator[Finding]:
    if size != file.size:
        yield SIZE_DIFFERS.at(folder.path(name), f"{size} bytes, not {file.size}")
        return
    try:
        found = _md5(folder.open_file(name), folder.tally)
    except OSError as error:
        yield UNREADABLE.at(folder.path(name), error.strerror)
        return
    if found != file.md5:
        yield CHECKSUM_DIFFERS.at(folder.path(name), f"{found}, not {file.md5}")


def _md5(descriptor: int, tally: Tally) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        tally.file()
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            tally.piece(len(chunk))
    return digest.hexdigest()
