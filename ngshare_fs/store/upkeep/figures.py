"""How much is on a volume: counted by walking through it, from the folders and the sizes of the files alone."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from ngshare_fs.store.format import layout, timestamp
from ngshare_fs.store.volume import Volume

KINDS = ("release", "submission", "feedback", "trash", "journal")


@dataclass
class Figures:
    """What there is. What vanishes meanwhile, or may not be read, is left out.

    Args:
        courses, assignments, submissions: so many.
        files, bytes: so many, by kind: `KINDS`.
        staging_entries: uploads that are not published, those of dead processes among them.
    """

    courses: int = 0
    assignments: int = 0
    submissions: int = 0
    files: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    staging_entries: int = 0


def collect(volume: Volume, pause: Callable[[], None]) -> Figures:
    """Count.

    Args:
        pause: called again and again; it may take its time, and what it raises ends the walk.
    """
    found = Figures()
    for course in _folders(layout.courses(volume.root)):
        if os.path.lexists(os.path.join(course, layout.COURSE_FILE)):
            found.courses += 1
            for assignment in _folders(os.path.join(course, layout.ASSIGNMENTS)):
                found.assignments += 1
                _count_assignment(assignment, found, pause)
    for kind, place in (("trash", layout.TRASH), ("journal", layout.JOURNAL)):
        for folder in _folders(os.path.join(volume.root, place)):
            _add(found, kind, folder, pause)
    for folder in _folders(os.path.join(volume.root, layout.STAGING)):
        with suppress(OSError):
            found.staging_entries += len(os.listdir(folder))
    return found


def _count_assignment(assignment: str, found: Figures, pause: Callable[[], None]) -> None:
    for tree in _trees(os.path.join(assignment, layout.RELEASES)):
        _add(found, "release", tree, pause)
    for student in _folders(os.path.join(assignment, layout.SUBMISSIONS)):
        for tree in _trees(student):
            found.submissions += 1
            _add(found, "submission", tree, pause, but=layout.FEEDBACK)
            _add(found, "feedback", os.path.join(tree, layout.FEEDBACK), pause)


def _add(found: Figures, kind: str, folder: str, pause: Callable[[], None], but: str = "") -> None:
    """Add all files below a folder.

    Args:
        but: a folder in it that is left out.
    """
    for path, folders, files in os.walk(folder):
        if path == folder and but in folders:
            folders.remove(but)
        for name in files:
            with suppress(OSError):
                found.bytes[kind] += os.lstat(os.path.join(path, name)).st_size
                found.files[kind] += 1
    pause()


def _folders(parent: str) -> Iterator[str]:
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.path


def _trees(parent: str) -> Iterator[str]:
    return (path for path in _folders(parent) if timestamp.from_folder(os.path.basename(path)))
