"""Emptying the trash: what is old enough goes for good, an entry at a time.

An entry first leaves the trash by one rename, into a place in staging that has a lock of its own. So nobody ever finds
half an entry in the trash, and what is left of one where this process dies is removed as left-overs of uploads are: by
the next who starts on the volume, or who empties the trash. The lock is had by one process at a time, of all machines.
"""

import contextlib
import errno
import itertools
import os
import secrets
import time
from collections.abc import Callable
from datetime import timedelta

from ngshare_fs.store.format import layout
from ngshare_fs.store.journal import Event
from ngshare_fs.store.upkeep.trash_entries import TrashEntry, entries_in, entry_at
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.durability import write_file
from ngshare_fs.store.writing.locks import if_abandoned

# In staging, and with `.lock` among the locks: whoever sweeps staging knows by it whether this one is at work.
PLACE = "emptying"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# How many files are removed between two pauses.
AT_ONCE = 50


def empty(
    volume: Volume,
    age: timedelta,
    removed: Callable[[TrashEntry], object],
    *,
    course: str | None = None,
    pause: float = 0.0,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Remove what was thrown away so long ago.

    Args:
        age: what is younger stays; see also `TrashEntry.is_older_than`.
        removed: told of each entry, once it is.
        course: only what was thrown away of it.
        pause: for so many seconds others have the disk and the processor, again and again.
        should_stop: asked again and again; what is left of an entry then is removed later.

    Returns:
        whether that was done; False where another process is emptying the trash.

    Raises:
        OSError: something could not be removed; the rest was.
    """
    place = os.path.join(volume.root, layout.STAGING, PLACE)
    if not os.path.lexists(place) and next(entries_in(volume, course, age), None) is None:
        return True
    lock_file = os.path.join(volume.root, layout.LOCKS, f"{PLACE}.lock")
    remover = _Remover(pause, should_stop)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(_Stopped))
        try:
            is_ours = stack.enter_context(if_abandoned(lock_file))
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            # There is no inode for it, so nobody has it either. What goes first makes room for it.
            _empty(volume, age, removed, course, place, remover, most=1)
            is_ours = stack.enter_context(if_abandoned(lock_file))
        if is_ours:
            stack.callback(_unlink, lock_file)
            _empty(volume, age, removed, course, place, remover)
        return is_ours
    return True


def event_of(entry: TrashEntry, by: str, via: str) -> Event:
    """What the journal says of an entry that was removed."""
    found = entry.deletion
    if found is None:
        return Event("empty-trash", by, via, detail=entry.name)
    detail = f"{found.kind} {entry.name}"
    return Event("empty-trash", by, via, found.course, found.assignment, found.student, detail)


def _empty(
    volume: Volume,
    age: timedelta,
    removed: Callable[[TrashEntry], object],
    course: str | None,
    place: str,
    remover: "_Remover",
    most: int | None = None,
) -> None:
    failure: OSError | None = None
    try:
        remover.remove(place)  # what is left of an entry where somebody died
    except OSError as error:
        failure = error
    for entry in itertools.islice(entries_in(volume, course, age), most):
        try:
            if _is_removed(volume, entry, place, remover):
                removed(entry)
        except OSError as error:
            failure = failure or error
    with contextlib.suppress(OSError):
        os.rmdir(place)
    if failure is not None:
        raise failure


def _is_removed(volume: Volume, entry: TrashEntry, place: str, remover: "_Remover") -> bool:
    """Remove an entry; False where somebody else did, or it is about to be filled."""
    if entry.is_empty:
        return _is_empty_one_removed(volume, entry)
    aside = _aside(place)
    try:
        os.rename(entry.path, aside)
    except FileNotFoundError:
        return False
    # A machine of a shared volume may remember the way into the entry for a second, and somebody there restore what is
    # in it: it is the name of each thing in it that decides who of the two has it.
    parts = [aside]
    for name in os.listdir(aside):
        with contextlib.suppress(FileNotFoundError):
            part = os.path.join(place, f"part-{secrets.token_hex(8)}")
            os.rename(os.path.join(aside, name), part)
            parts.append(part)
    dirty = volume.dirty_set()
    for folder in (os.path.dirname(entry.path), place):
        dirty.changed(folder)
    dirty.flush()
    for part in parts:
        remover.remove(part)
    return True


def _aside(place: str) -> str:
    """Where an entry goes: into that folder, or where the disk has no room for one, it becomes the folder itself."""
    try:
        os.makedirs(place, exist_ok=True)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        return place
    return os.path.join(place, secrets.token_hex(8))


def _is_empty_one_removed(volume: Volume, entry: TrashEntry) -> bool:
    """The same for an entry that a deletion left behind which was cut short.

    It is removed where it is, so that the system refuses if it is filled after all.
    """
    file = os.path.join(entry.path, layout.TRASH_FILE)
    content = None
    try:
        with contextlib.suppress(FileNotFoundError):
            with open(file, "rb") as opened:
                content = opened.read()
            os.unlink(file)
        os.rmdir(entry.path)
    except FileNotFoundError:
        return False
    except OSError:
        if content is not None and not os.path.lexists(file):
            write_file(file, content)
            dirty = volume.dirty_set()
            dirty.add_file(file)
            dirty.changed(entry.path)
            dirty.flush()
        return False
    return entry_at(entry.path) is None


def _unlink(file: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(file)


class _Stopped(Exception):
    """The process is about to end."""


class _Remover:
    """Removes folders a little at a time.

    Args:
        pause, should_stop: see `empty`.
    """

    def __init__(self, pause: float, should_stop: Callable[[], bool]) -> None:
        self._pause = pause
        self._should_stop = should_stop
        self._removed = 0

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens where it is gone.

        Raises:
            _Stopped: something is left.
            OSError: something cannot be removed.
        """
        if not os.path.isdir(path) or os.path.islink(path):
            self._remove(os.unlink, path)
            return
        for folder, folders, files in os.walk(path, topdown=False):
            for name in files:
                self._remove(os.unlink, os.path.join(folder, name))
            for name in folders:
                inner = os.path.join(folder, name)
                if os.path.islink(inner):
                    self._remove(os.unlink, inner)
            self._remove(os.rmdir, folder)

    def _remove(self, how: Callable[[str], None], path: str) -> None:
        if self._should_stop():
            raise _Stopped
        with contextlib.suppress(FileNotFoundError):
            how(path)
        self._removed += 1
        if self._pause and self._removed % AT_ONCE == 0:
            time.sleep(self._pause)
