"""Folders that are made aside and take their place when they are whole; and what killed commands leave behind."""

import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ngshare_fs.exchange.folders.moving import InTheWay, kind_of

# Before the names of what is still being made; hidden, so that nbgrader's globs do not see it.
SCRATCH = ".ngshare-fs-"
# What is older was left behind by a command that was killed.
LEFT_OVER_SECONDS = 24 * 3600
# In a folder of that kind: what it replaces, and what it has replaced.
REPLACED = "replaced"
DONE = "done"
# Another command may put its own in place at the same moment, but not for ever.
MOST_SWAPS = 10
_IN_THE_WAY = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}


class StagedTree(NamedTuple):
    """Where a tree is made before it takes its place.

    Args:
        tree: its folder, empty.
        parts: a folder for contents that are still arriving.
    """

    tree: str
    parts: str


def in_words(error: OSError) -> str:
    """What could not be done on this disk: where a hidden folder of ours is concerned, the place is what it was for."""
    place = str(error.filename2 or error.filename or "A file")
    hidden = place.find(f"/{SCRATCH}")
    if hidden > 0:
        place = place[:hidden]
    return f"{place}: {error.strerror or error}"


# Where to keep what is about to be replaced; None where it may be removed.
Keep = Callable[[str], str | None]


@contextmanager
def replacing_folder(target: str, replaces: Keep | None = None) -> Iterator[StagedTree]:
    """A new folder beside `target`, which takes its place on leaving; on failure, `target` stays as it was.

    The folders above `target` are made, and removed again where nothing came of it.

    Args:
        target: where the folder is to be.
        replaces: asked about the folder that is there, once that is out of the way, whether and where it is kept.
            Without it, nothing is replaced.

    Raises:
        InTheWay: something else is there, and stays.
    """
    parent = os.path.dirname(target)
    made = _make_folders(parent)
    folder = os.path.join(parent, SCRATCH + secrets.token_hex(8))
    place = StagedTree(os.path.join(folder, "tree"), os.path.join(folder, "parts"))
    try:
        sweep(parent)
        if os.path.lexists(target):
            _check_replaceable(target, replaces)
        os.makedirs(place.tree)
        os.mkdir(place.parts)
        yield place
        if replaces is None:
            _publish(place.tree, target)
        else:
            _swap(place.tree, target, folder, replaces)
    except BaseException:
        # What was being replaced and could not be put back stays there.
        if not _replaced(os.path.join(folder, REPLACED)):
            remove(folder)
        for above in reversed(made):
            try:
                os.rmdir(above)
            except OSError:
                break
        raise
    remove(folder)


def _check_replaceable(target: str, replaces: Keep | None) -> None:
    is_folder = os.path.isdir(target) and not os.path.islink(target)
    if not is_folder or (replaces is None and os.listdir(target)):
        raise InTheWay(target)


def _publish(new: str, target: str) -> None:
    """Put a folder where nothing is."""
    try:
        os.rename(new, target)  # replaces nothing but an empty folder
    except OSError as error:
        if error.errno in _IN_THE_WAY:
            raise InTheWay(target) from None
        raise


def _swap(new: str, target: str, folder: str, replaces: Keep) -> None:
    """Killed in between, it leaves the old tree in `REPLACED`, under its name, from where `sweep` brings it back."""
    replaced = os.path.join(folder, REPLACED)
    os.mkdir(replaced)
    for number in range(MOST_SWAPS):
        taken_out = os.path.join(replaced, str(number))
        os.mkdir(taken_out)
        old = os.path.join(taken_out, os.path.basename(target))
        try:
            if _take_out(target, old):
                old = _kept(old, replaces)
            try:
                os.rename(new, target)
            except OSError as error:
                if error.errno in _IN_THE_WAY and number < MOST_SWAPS - 1:
                    remove(taken_out)  # another command has replaced it
                    continue
                raise
        except BaseException:
            with suppress(OSError):
                if not os.path.lexists(target):
                    os.rename(old, target)
            raise
        with suppress(OSError):
            os.rename(replaced, os.path.join(folder, DONE))  # from now on it is not needed
        return


def _take_out(target: str, old: str) -> bool:
    """Whether there was something."""
    try:
        os.rename(target, old)
    except FileNotFoundError:
        return False
    if os.path.islink(old) or not os.path.isdir(old):
        raise InTheWay(target, kind_of(old))
    return True


def _kept(old: str, replaces: Keep) -> str:
    """Where the old folder is now."""
    keep = replaces(old)
    if keep is None:
        return old
    os.makedirs(os.path.dirname(keep), exist_ok=True)
    os.rename(old, keep)
    return keep


@contextmanager
def scratch_folder_near(target: str) -> Iterator[str]:
    """A new folder beside `target`, on the same disk, for as long as it is used; the folder above is made.

    Args:
        target: what will be made from what is in it.
    """
    parent = os.path.dirname(target)
    _make_folders(parent)
    sweep(parent)
    folder = os.path.join(parent, SCRATCH + secrets.token_hex(8))
    os.mkdir(folder)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: str) -> None:
    """Remove a folder, also one that was copied with read-only folders in it, as far as that is allowed.

    It never fails: what is in the folder is of no use any more, and a command must not fail for that.
    """
    if os.path.islink(folder) or not os.path.isdir(folder):
        with suppress(OSError):
            os.unlink(folder)
        return
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            place = os.path.join(parent, name)
            # That of a colleague cannot be changed, nor need it be where the group may write.
            if not os.path.islink(place) and not os.access(place, os.R_OK | os.W_OK | os.X_OK):
                with suppress(OSError):
                    os.chmod(place, os.stat(place).st_mode | stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def _make_folders(folder: str) -> list[str]:
    missing: list[str] = []
    while folder and not os.path.isdir(folder):
        if os.path.lexists(folder):
            raise InTheWay(folder)
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    for each in missing:
        os.makedirs(each, exist_ok=True)
    return missing


def sweep(parent: str) -> None:
    """Bring back what a command was replacing when it was killed, and remove what others left behind long ago.

    It never fails: what a colleague has left behind may be out of reach, and must not stop anybody.

    Args:
        parent: the folder in which they did it.
    """
    left = []
    with suppress(OSError), os.scandir(parent) as entries:
        left = [entry for entry in entries if entry.name.startswith(SCRATCH)]
    for entry in left:
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False):
                _bring_back(entry.path, parent)
                if _replaced(os.path.join(entry.path, REPLACED)):
                    continue  # something else has taken its place, or it cannot be reached: it is not lost
            elif not entry.is_file(follow_symlinks=False):
                continue
            if time.time() - entry.stat(follow_symlinks=False).st_ctime > LEFT_OVER_SECONDS:
                remove(entry.path)


def _bring_back(folder: str, parent: str) -> None:
    for old in _replaced(os.path.join(folder, REPLACED)):
        target = os.path.join(parent, os.path.basename(old))
        if not os.path.lexists(target):
            with suppress(OSError):
                os.rename(old, target)


def _replaced(folder: str) -> list[str]:
    """What is there, newest first."""
    try:
        numbers = sorted(os.listdir(folder), reverse=True)
        return [os.path.join(folder, number, name) for number in numbers for name in os.listdir(f"{folder}/{number}")]
    except FileNotFoundError:  # nothing, or its command is just removing it
        return []
