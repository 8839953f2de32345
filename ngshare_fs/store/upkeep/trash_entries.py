"""What lies in the trash: who threw away what, when, what it takes, and when it will be gone."""

import functools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ngshare_fs.store.errors import BrokenManifest, StoreError
from ngshare_fs.store.format import layout, timestamp, trash_file
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.trash_file import Deletion
from ngshare_fs.store.reading.fingerprint import FileFingerprint, fingerprint_of
from ngshare_fs.store.reading.tree_size import NOTHING, TreeSize, size_of_tree
from ngshare_fs.store.reading.yaml_file import read_once
from ngshare_fs.store.upkeep.usage import Amount, Report, folders_in, usage_of_assignment
from ngshare_fs.store.volume import Volume

# An entry is made before what is thrown away is moved into it. Younger ones may be just about to be filled.
EMPTY_FOR = timedelta(hours=1)
_NAME = re.compile(r"(.{23})-[0-9a-f]{8}")


class TrashError(Exception):
    """Something cannot be done with what lies in the trash. The text says why, and what to do."""


class EntryNotFound(TrashError):
    """Nothing in the trash has a name that begins so, or more than one thing has."""


@dataclass(frozen=True)
class TrashEntry:
    """A folder in the trash.

    Args:
        path: where it is.
        thrown_away: when, as its name says; nothing else counts for when it is emptied.
        deletion: what was thrown away and by whom; None where nobody can say.
        problem: why nobody can.
        contents: the names of what lies in it beside `trash.yaml`: one, unless somebody put more there; none is what a
            deletion leaves behind that was cut short. None where it may not be looked into.
    """

    path: str
    thrown_away: Timestamp
    deletion: Deletion | None
    problem: str
    contents: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """That of its folder."""
        return os.path.basename(self.path)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is in it that could be restored, as far as anybody can look."""
        return self.contents == ()

    @property
    def content(self) -> str:
        """The path of what was thrown away.

        Raises:
            FileNotFoundError: it is empty.
        """
        if not self.contents:
            raise FileNotFoundError(self.path)
        folder = self.deletion.folder if self.deletion is not None else ""
        return os.path.join(self.path, folder if folder in self.contents else self.contents[0])

    def emptied_after(self, days: int) -> Timestamp | None:
        """When a server may remove it that keeps what was thrown away for so many days; None where it never will."""
        age = timedelta(days=days)
        return timestamp.later_by(self.thrown_away, max(age, EMPTY_FOR) if self.is_empty else age) if days else None

    def is_older_than(self, age: timedelta) -> bool:
        """Whether it may go: an empty one also has to be old enough not to be filled any more."""
        return self.thrown_away <= timestamp.ago(max(age, EMPTY_FOR) if self.is_empty else age)


def entries_in(volume: Volume, course: str | None = None, age: timedelta | None = None) -> Iterator[TrashEntry]:
    """What lies in the trash, the oldest first; what is no entry is left out.

    Args:
        course: only what was thrown away of it.
        age: only what may go after so long, see `TrashEntry.is_older_than`.
    """
    for path in folders_in(os.path.join(volume.root, layout.TRASH), lambda _: None):
        if age is not None and os.path.basename(path) > timestamp.folder_of(timestamp.ago(age)):
            continue  # without a look into it
        entry = entry_at(path)
        if age is not None and entry is not None and not entry.is_older_than(age):
            continue
        if entry is not None and (course is None or (entry.deletion is not None and entry.deletion.is_of(course))):
            yield entry


def entry_at(path: str) -> TrashEntry | None:
    """The entry whose folder that is; None where it is none, or gone."""
    named = _NAME.fullmatch(os.path.basename(path))
    moment = timestamp.from_folder(named[1]) if named else None
    if moment is None:
        return None
    try:
        contents = tuple(sorted(name for name in os.listdir(path) if name != layout.TRASH_FILE))
    except FileNotFoundError:
        return None
    except OSError as error:
        return TrashEntry(path, moment, None, f"it cannot be read: {error.strerror}", None)
    deletion, problem = _deletion_in(path)
    return TrashEntry(path, moment, deletion, problem, contents)


def newest_first(volume: Volume) -> list[str]:
    """The paths of what may be entries, without a look into any."""
    return folders_in(os.path.join(volume.root, layout.TRASH), lambda _: None)[::-1]


def deletions_in(volume: Volume, course: str, before: str | None = None) -> list[TrashEntry]:
    """What was deleted of a course that is there, the newest first: what may be brought back by who teaches it now.

    An earlier course of the same name may lie in the trash, and what was deleted of that one: it is nobody's here.

    Args:
        before: the name of an entry in which the course lies itself: what was deleted of that one.
    """
    found: list[TrashEntry] = []
    for path in newest_first(volume):
        if before is not None and os.path.basename(path) >= before:
            continue
        entry = entry_at(path)
        if entry is None or entry.deletion is None or not entry.contents or entry.deletion.course != course:
            continue
        if entry.deletion.kind == trash_file.COURSE:
            break
        found.append(entry)
    return found


def find_entry(volume: Volume, beginning: str) -> TrashEntry:
    """The one entry whose name begins so.

    Raises:
        EntryNotFound: there is none, or more than one.
    """
    beginning = beginning.removeprefix(f"{layout.TRASH}/").rstrip("/")
    paths = folders_in(os.path.join(volume.root, layout.TRASH), lambda _: None)
    found = [path for path in paths if os.path.basename(path).startswith(beginning)]
    exact = [path for path in found if os.path.basename(path) == beginning]
    entries = [entry for path in exact or found if (entry := entry_at(path)) is not None]
    if not beginning or not entries:
        raise EntryNotFound(f"nothing in the trash has a name that begins with {beginning!r}")
    if len(entries) > 1:
        names = ", ".join(entry.name for entry in entries[:5]) + (", …" if entries[5:] else "")
        raise EntryNotFound(f"{beginning!r} may be {len(entries)} entries: {names}; give more of the name")
    return entries[0]


def size_of_entry(volume: Volume, entry: TrashEntry, report: Report = lambda _: None) -> TreeSize:
    """What an entry takes: by its manifests, or where nobody can say what it is, by its files."""
    if not entry.contents:
        return NOTHING
    if entry.deletion is None:
        return _size_of_files(entry.path)
    found = NOTHING
    for name in entry.contents:
        found = found.plus(_SIZES.get(entry.deletion.kind, _of_files)(volume, os.path.join(entry.path, name), report))
    return found


def _of_course(volume: Volume, path: str, report: Report) -> TreeSize:
    found = NOTHING
    for assignment in folders_in(os.path.join(path, layout.ASSIGNMENTS), report):
        found = found.plus(_of_assignment(volume, assignment, report))
    return found


def _of_assignment(volume: Volume, path: str, report: Report) -> TreeSize:
    usage = usage_of_assignment(volume, path, "", report)
    work = usage.work
    return usage.releases.size.plus(work.submissions.size).plus(work.feedback.size)


def _of_submission(volume: Volume, path: str, report: Report) -> TreeSize:
    found = Amount()
    for tree in (path, *folders_in(os.path.join(path, layout.FEEDBACK), report)):
        try:
            found.add(size_of_tree(tree), Timestamp(""))
        except (StoreError, OSError) as error:
            report(str(error))
    return found.size


def _of_files(volume: Volume, path: str, report: Report) -> TreeSize:
    return _size_of_files(path)


_SIZES: dict[str, Callable[[Volume, str, Report], TreeSize]] = {
    trash_file.COURSE: _of_course,
    trash_file.ASSIGNMENT: _of_assignment,
    trash_file.SUBMISSION: _of_submission,
}


def _size_of_files(path: str) -> TreeSize:
    if os.path.islink(path) or not os.path.isdir(path):  # in quarantine may be anything
        try:
            return TreeSize(1, os.lstat(path).st_size)
        except OSError:
            return NOTHING
    count = size = 0
    for folder, _, files in os.walk(path):
        for name in files:
            try:
                size += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
            count += 1
    return TreeSize(count, size)


def _deletion_in(path: str) -> tuple[Deletion | None, str]:
    file = os.path.join(path, layout.TRASH_FILE)
    try:
        return _record(file, fingerprint_of(os.stat(file, follow_symlinks=False))), ""
    except BrokenManifest as error:
        return None, error.seen_from(path)
    except OSError:
        return None, f"it has no {layout.TRASH_FILE}"


# A record is written once, and pages look at all of them again and again.
@functools.lru_cache(maxsize=4096)
def _record(file: str, fingerprint: FileFingerprint) -> Deletion:
    return read_once(file, trash_file.understand)
