"""Bringing a course back: unpacked aside and verified as a volume of its own, then published by one rename."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml
from ngshare_fs.store import Volume
from ngshare_fs.store.checking.findings import Finding
from ngshare_fs.store.errors import CourseExists, VolumeError
from ngshare_fs.store.format import course_file, layout
from ngshare_fs.store.journal import whole_files
from ngshare_fs.store.migrations.upgrade import upgrade_copy
from ngshare_fs.store.writing.durability import DirtySet
from ngshare_fs.terminal.table import size_in_words
from ngshare_fs.transfer.archive.broken import BrokenArchive
from ngshare_fs.transfer.archive.damage import damage_in
from ngshare_fs.transfer.archive.layout import Description
from ngshare_fs.transfer.archive.reading import ArchiveReader, Piece

# Flushed together while it is unpacked, so that not all paths are held in memory.
FLUSHED_TOGETHER = 500
BLOCK = 4096


class NoRoom(Exception):
    """The volume has not the room that the archive says it needs; the text is one line."""


class Damaged(Exception):
    """What was archived is not in order, as `verify` sees it.

    Args:
        findings: what it finds.
    """

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


def check_place(volume: Volume, name: str) -> None:
    """Look whether a course can be put there.

    Raises:
        CourseExists: something is there.
    """
    if layout.is_taken(layout.course(volume.root, name)):
        raise CourseExists(name)


def check_room(volume: Volume, description: Description) -> None:
    """Look whether there is room for what an archive says it has.

    Raises:
        NoRoom: there is not.
    """
    status = os.statvfs(volume.root)
    # Each file and folder takes whole blocks.
    needed = description.size + (description.files + description.folders) * BLOCK
    free = status.f_bavail * status.f_frsize
    if needed > free:
        raise NoRoom(f"the course takes about {size_in_words(needed)}, and {size_in_words(free)} are free")
    # A file system that does not count them says 0 of 0.
    if status.f_files and description.files + description.folders > status.f_favail:
        raise NoRoom(
            f"the course has {description.files + description.folders:,} files and folders, and the volume has room "
            f"for {status.f_favail:,} (inodes)"
        )


def restore(
    volume: Volume, archive: ArchiveReader, name: str, accepts_damage: bool, told: Callable[[int], object]
) -> list[Finding]:
    """Put a course on a volume; nothing of it is there until all of it has been checked.

    Args:
        archive: nothing was taken of it yet.
        name: of the course, where it is to have another one than it had.
        accepts_damage: whether it is put there although `verify` finds something in it.
        told: of so many bytes that were unpacked.

    Returns:
        what `verify` finds in it.

    Raises:
        BrokenArchive: the archive is not whole, or not of this kind.
        NoRoom: see `check_room`.
        Damaged: see there; only where this is not accepted.
        CourseExists: something is at its place.
        OSError: it cannot be written.
    """
    check_place(volume, name)
    check_room(volume, archive.description)
    with volume.publishing() as publication:
        staged, dirty = publication.staged, publication.dirty
        _unpack(archive, staged, dirty, told)
        if archive.description.layout < layout.LAYOUT:
            _bring_to_present_layout(staged, accepts_damage)
        findings = list(damage_in(Path(staged)))
        if findings and not accepts_damage:
            raise Damaged(findings)
        folder = os.path.join(staged, archive.description.folder)
        if name != archive.description.course:
            _give_name(folder, name, dirty)
        _flush_folders(staged, dirty)
        # First: what is missing in a journal is missed by nobody, and it is not brought in twice.
        journal = os.path.join(staged, archive.description.journal)
        files = sorted(os.listdir(journal)) if os.path.isdir(journal) else []
        paths = [os.path.join(journal, file) for file in files]
        whole_files.bring_in(volume, [path for path in paths if os.path.isfile(path)], name)
        with volume.locks.hold("course", name):
            publication.publish(layout.course(volume.root, name), part=folder, if_taken=CourseExists(name))
    return findings


def _unpack(archive: ArchiveReader, staged: str, dirty: DirtySet, told: Callable[[int], object]) -> None:
    dirty.make_folder(staged)
    # A volume of its own: whatever `verify` knows of volumes, it finds in it.
    dirty.write_file(os.path.join(staged, layout.VOLUME_FILE), yaml_text.dump({"layout": archive.description.layout}))
    unflushed = 0
    for piece in archive.pieces(told):
        path = os.path.join(staged, piece.path)
        try:
            if piece.is_folder:
                # Of the roots, the folders above are not in the archive.
                os.makedirs(path)
                continue
            _write(path, piece)
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ):
                raise BrokenArchive(f"{piece.path[:200]!r} in it is no path that this volume can have") from None
            raise
        dirty.add_file(path)
        unflushed += 1
        if unflushed == FLUSHED_TOGETHER:
            dirty.flush()
            unflushed = 0
    dirty.flush()


def _bring_to_present_layout(staged: str, accepts_damage: bool) -> None:
    try:
        upgrade_copy(staged, accepts_damage)
    except VolumeError as problem:
        raise BrokenArchive(f"{problem} (--damaged restores it as it is)") from None


def _write(path: str, piece: Piece) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with open(descriptor, "wb", buffering=0) as file:
        for chunk in piece.content:
            view = memoryview(chunk)
            while view:
                view = view[file.write(view) :]


def _flush_folders(staged: str, dirty: DirtySet) -> None:
    for count, (folder, _, _) in enumerate(os.walk(staged), 1):
        dirty.changed(folder)
        if count % FLUSHED_TOGETHER == 0:
            dirty.flush()
    dirty.flush()


def _give_name(folder: str, name: str, dirty: DirtySet) -> None:
    """Write another name into the file of a course that is staged."""
    file = os.path.join(folder, layout.COURSE_FILE)
    try:
        with open(file, "rb") as opened:
            people = yaml_text.parse(opened.read(), file, course_file.understand)
    except (FileNotFoundError, BrokenYaml) as error:
        raise BrokenArchive(
            f"its {layout.COURSE_FILE} cannot be understood, so that it cannot get another name: {error}"
        ) from None
    os.unlink(file)
    dirty.write_file(file, replace(people, course=name).to_yaml())
