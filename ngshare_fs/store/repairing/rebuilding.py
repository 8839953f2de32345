"""Manifests made anew, from the place of a tree and the files that are there; each is marked as such.

A manifest is the witness of what was handed in. So nothing of it that can still be read is given up: where a file is
not what the old one says, only a backup helps, and the manifest stays as it is.
"""

import hashlib
import os
import stat
from dataclasses import replace

from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.errors import IllegalPath
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.format.layout import KnownFolder
from ngshare_fs.store.format.manifest import FEEDBACK, RELEASE, SUBMISSION, WITHDRAWAL, Manifest, StoredFile
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.tree_paths import check_path
from ngshare_fs.store.repairing.quarantine import keep_copy, set_aside_at
from ngshare_fs.store.repairing.salvage import Salvaged, salvage
from ngshare_fs.store.repairing.step import Damage, Left, Step
from ngshare_fs.store.repairing.tree_place import TreePlace, read_plain
from ngshare_fs.store.volume import Volume

# `by` where neither the place nor what is left of the old manifest says it.
NOBODY_KNOWS = "unknown"
_CHUNK = 256 * 1024


def from_files(damage: Damage) -> Step:
    """Rebuild a manifest that is missing, or cannot be understood."""
    tree = TreePlace.of(damage)
    old = _old(tree)
    files = _files_in(tree)
    if not files and old is None:
        # An empty tree would be the newest, and hide the one before it.
        return set_aside_at(damage, tree.place, "move the tree, in which no file is, to quarantine in the trash")
    left = salvage(old or b"")
    manifest = _manifest_of(tree, left, files)
    how = f"rebuild it from the {len(files)} files that are there, marked as rebuilt; by {manifest.by!r}"
    doubt = "whether a file is missing nobody can tell: rather restore the tree, if there is a backup"
    return _write(damage, tree, manifest, old, f"{how}; {doubt}")


def from_its_right_entries(damage: Damage) -> Step:
    """Rebuild a manifest that lists a path twice, or one that no tree can hold: without those entries."""
    tree = TreePlace.of(damage)
    old = read_plain(os.path.join(damage.root, tree.manifest_place))
    present = {file.path: file for file in _files_in(tree)}
    manifest = tree.manifest()
    kept = {file.path: file for file in manifest.files if present.get(file.path) == file}
    for file in manifest.files:
        if file.path not in kept and (file.path in present or not _is_impossible(file.path, manifest.files)):
            raise Left(f"{file.path!r} is not what the manifest says either: restore the tree from a backup")
    dropped = len(manifest.files) - len(kept)
    words = f"rebuild it without {dropped} of its entries, marked as rebuilt; a copy of it goes to quarantine"
    return _write(damage, tree, replace(manifest, files=tuple(kept.values())), old, words)


def with_the_kind_of_its_place(damage: Damage) -> Step:
    """Write the kind that belongs to the place, where all else in the manifest says the same as the place."""
    tree = TreePlace.of(damage)
    old = read_plain(os.path.join(damage.root, tree.manifest_place))
    manifest = tree.manifest()
    says_place = manifest.timestamp == tree.timestamp and manifest.submission == tree.submission
    if tree.student_folder is None:
        says_place = says_place and manifest.student is None and bool(manifest.files)
    else:
        says_place = says_place and bool(manifest.student) and folder_of(manifest.student or "") == tree.student_folder
    if not says_place:
        raise Left("what else it says does not belong here either: move the tree to its place")
    words = f"write `kind: {tree.kind}`, as all else in it says, marked as rebuilt; a copy of it goes to quarantine"
    return _write(damage, tree, replace(manifest, kind=tree.kind), old, words)


def _write(damage: Damage, tree: TreePlace, manifest: Manifest, old: bytes | None, words: str) -> Step:
    def mend(volume: Volume, by: str) -> None:
        if _old(tree) != old:
            raise Left("it is not as it was any more: run this again")
        _replace(volume, tree, replace(manifest, rebuilt=timestamp.now()), old, damage.finding, by)

    return Step(damage, words, tree.manifest_place, mend)


def _replace(volume: Volume, tree: TreePlace, manifest: Manifest, old: bytes | None, finding: Finding, by: str) -> None:
    above = KnownFolder.look(tree.path)
    if old is not None:
        keep_copy(volume.root, volume.flusher, tree.manifest_place, finding, by)
    with volume.publishing() as publication:
        publication.dirty.write_file(publication.staged, manifest.to_yaml())
        publication.publish(os.path.join(tree.path, layout.MANIFEST), above=above)


def _old(tree: TreePlace) -> bytes | None:
    try:
        return read_plain(os.path.join(tree.path, layout.MANIFEST))
    except FileNotFoundError:
        return None


def _agreed(left: Salvaged, key: str, by_place: str | None) -> str:
    """What place and old manifest say of a key.

    Raises:
        Left: they differ, or neither knows.
    """
    by_old = left.said.get(key)
    if by_place is not None and by_old is not None and by_old != by_place:
        raise Left(f"what is left of it says `{key}: {by_old}`, and its place {by_place!r}: restore it from a backup")
    found = by_place if by_place is not None else by_old
    if found is None:
        raise Left(f"neither its place nor what is left of it says `{key}`: restore it from a backup")
    return found


def _manifest_of(tree: TreePlace, left: Salvaged, files: list[StoredFile]) -> Manifest:
    kind = left.said.get("kind", tree.kind)
    if kind != tree.kind and not (tree.kind == RELEASE and kind == WITHDRAWAL):
        raise Left(f"what is left of it says `kind: {kind}`, which does not belong here: move the tree to its place")
    if not files and "kind" not in left.said:
        raise Left("no file is there, and its kind cannot be read: restore it from a backup")
    if files and kind == WITHDRAWAL:
        raise Left("it is a withdrawal, and there are files: look which of the two is right")
    _check_files(left, files)
    student = None if tree.student_folder is None else _agreed(left, "student", tree.student_name())
    known_by = left.said.get("by") or (student if tree.kind == SUBMISSION else _only_instructor(tree))
    order = {file.path: number for number, file in enumerate(left.files)}
    return Manifest(
        kind=kind,
        # Their names at the time, which the place may not have any more.
        course=left.said.get("course") or _agreed(left, "course", tree.course_name()),
        assignment=left.said.get("assignment") or _agreed(left, "assignment", tree.assignment_name()),
        by=known_by or NOBODY_KNOWS,
        timestamp=Timestamp(_agreed(left, "timestamp", tree.timestamp)),
        files=tuple(sorted(files, key=lambda file: (order.get(file.path, len(order)), file.path))),
        student=student,
        submission=Timestamp(_agreed(left, "submission", tree.submission)) if tree.kind == FEEDBACK else None,
        key=left.said.get("key"),
    )


def _only_instructor(tree: TreePlace) -> str | None:
    roster = tree.roster()
    return next(iter(roster.instructors)) if roster is not None and len(roster.instructors) == 1 else None


def _check_files(left: Salvaged, files: list[StoredFile]) -> None:
    """Hold the files against what can still be read of the old manifest."""
    present = {file.path: file for file in files}
    for file in left.files:
        if present.get(file.path) != file:
            raise Left(f"{file.path!r} is not what is left of the manifest says: restore the tree from a backup")


def _is_impossible(path: str, files: tuple[StoredFile, ...]) -> bool:
    """Whether no tree can hold a file of that path: also where another one lies below it."""
    try:
        check_path(path)
    except IllegalPath:
        return True
    return any(file.path.startswith(f"{path}/") for file in files)


def _files_in(tree: TreePlace) -> list[StoredFile]:
    """What is in a tree, and could have been handed in. Links and the like are another finding.

    Raises:
        Left: something in it cannot be read.
    """
    found = []
    top = os.path.join(tree.path, layout.FILES)

    def refuse(error: OSError) -> None:
        raise Left(f"{error.filename} cannot be read ({error.strerror}): mend that first")

    if not os.path.lexists(top):
        return []
    for above, folders, names in os.walk(top, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(above, name)
            relative = os.path.relpath(path, top)
            try:
                check_path(relative)
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    found.append(StoredFile(relative, *size_and_md5(path)))
            except IllegalPath:
                continue
            except OSError as error:
                refuse(error)
    return found


def size_and_md5(path: str) -> tuple[int, str]:
    """What a manifest says of a file.

    Raises:
        OSError: it cannot be read.
    """
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    with os.fdopen(open_plain(path), "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
