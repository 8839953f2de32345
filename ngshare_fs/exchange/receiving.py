"""Directory trees that came from the server: checked before anything is used, and swapped into place when whole."""

import errno
import fnmatch
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ngshare_fs.exchange.problems import UntrustworthyAnswer
from ngshare_fs.exchange.tree_in_answer import Part

# Before the names of what is still being made; hidden, so that nbgrader's globs do not see it.
ASIDE = ".ngshare-fs-"
# What is older was left behind by a command that was killed.
LEFT_OVER_SECONDS = 24 * 3600
# In a folder of that kind: what it replaces.
REPLACED = "replaced"
# Another command may put its own in place at the same moment, but not for ever.
MOST_SWAPS = 10
# As on our server; making and removing folders is recursive.
DEEPEST_PATH = 256
_IN_THE_WAY = {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}
# A file that one system stores and another one does not.
_CANNOT_BE_NAMED = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ}

_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?( [A-Za-z0-9+:-]{1,8})?")


@dataclass(frozen=True)
class Received:
    """A file of a tree.

    Args:
        path: relative, checked.
        place: where its content is, whose checksum was compared.
        size: in bytes.
    """

    path: str
    place: str
    size: int


@dataclass(frozen=True)
class Aside:
    """Where a tree is made before it takes its place.

    Args:
        tree: its folder, empty.
        parts: a folder for contents that are still arriving.
    """

    tree: str
    parts: str


def check_component(name: str, what: str) -> str:
    """A name that is about to become a folder's.

    Raises:
        UntrustworthyAnswer: it would lead elsewhere.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name or not _is_text(name):
        raise UntrustworthyAnswer(f"The {what} {name!r} cannot be a folder's name.")
    return name


def check_timestamp(text: object) -> str:
    """A timestamp that is about to become a folder's name.

    Raises:
        UntrustworthyAnswer: it is none.
    """
    if isinstance(text, str) and _TIMESTAMP.fullmatch(text):
        with suppress(ValueError):
            datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S")
            return text
    raise UntrustworthyAnswer(f"The exchange sent {text!r}, which is no timestamp.")


def check_tree(answer: Mapping[str, Any]) -> Iterator[Received]:
    """The files of an answer.

    Raises:
        UntrustworthyAnswer: a path leads outside the tree, or a content has not its checksum.
    """
    entries = answer.get("files")
    if not isinstance(entries, list):
        raise UntrustworthyAnswer("The exchange sent no list of files.")
    for entry in entries:
        if not isinstance(entry, dict) or "content" not in entry:
            raise UntrustworthyAnswer("The exchange sent what is no file.")
        path, content = check_path(entry.get("path")), entry["content"]
        if not isinstance(content, Part):
            raise UntrustworthyAnswer(f"{path} was damaged on the way: it is no base64. Try again.")
        checksum = entry.get("checksum")
        if checksum is not None and checksum != content.md5:
            raise UntrustworthyAnswer(f"{path} was damaged on the way: its checksum does not match. Try again.")
        yield Received(path, content.place, content.size)


def check_path(path: object) -> str:
    """The rule for paths inside a tree.

    Raises:
        UntrustworthyAnswer: it would lead outside, or be no path at all.
    """
    if not isinstance(path, str) or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise UntrustworthyAnswer(f"The exchange sent the path {path!r}, which leads outside its folder.")
    if not _is_text(path) or path.count("/") >= DEEPEST_PATH:
        raise UntrustworthyAnswer(f"The exchange sent the path {path[:200]!r}, which cannot be stored here.")
    return path


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_ignored(path: str, ignore: Iterable[str]) -> bool:
    """Whether a component of a path matches one of these globs, as nbgrader ignores whole folders."""
    patterns = list(ignore)
    return any(fnmatch.fnmatch(part, pattern) for part in path.split("/") for pattern in patterns)


def write_tree(folder: str, files: Iterable[Received]) -> None:
    """Move files into a folder that nobody else uses yet.

    Raises:
        UntrustworthyAnswer: a path cannot be stored here.
    """
    for file in files:
        place = os.path.join(folder, file.path)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            move(file.place, place)
        except OSError as error:
            if error.errno not in _CANNOT_BE_NAMED:
                raise
            raise UntrustworthyAnswer(f"{file.path} cannot be stored here: {error.strerror}.") from None


def move(source: str, target: str) -> None:
    """Move a file, also from one disk to another."""
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, target)
        os.unlink(source)


@contextmanager
def aside(target: str) -> Iterator[Aside]:
    """A new folder beside `target`, which takes its place on leaving; on failure, `target` stays as it was.

    The folders above `target` are made, and removed again where nothing came of it.
    """
    parent = os.path.dirname(target)
    made = _make_folders(parent)
    sweep(parent)
    folder = os.path.join(parent, ASIDE + secrets.token_hex(8))
    place = Aside(os.path.join(folder, "tree"), os.path.join(folder, "parts"))
    try:
        os.makedirs(place.tree)
        os.mkdir(place.parts)
        yield place
        _swap(place.tree, target, os.path.join(folder, REPLACED))
        remove(folder)
    except BaseException:
        if os.path.lexists(target) or not _replaced(os.path.join(folder, REPLACED)):
            remove(folder)
        for above in reversed(made):
            try:
                os.rmdir(above)
            except OSError:
                break
        raise


def _swap(new: str, target: str, replaced: str) -> None:
    """Killed in between, it leaves the old tree in `replaced`, under its name, from where `sweep` brings it back."""
    os.mkdir(replaced)
    for number in range(MOST_SWAPS):
        old = os.path.join(replaced, str(number), os.path.basename(target))
        os.mkdir(os.path.dirname(old))
        with suppress(FileNotFoundError):
            os.rename(target, old)
        try:
            os.rename(new, target)
            return
        except BaseException as error:
            another = isinstance(error, OSError) and error.errno in _IN_THE_WAY
            if another and number < MOST_SWAPS - 1:
                continue
            with suppress(OSError):
                os.rename(old, target)
            raise


@contextmanager
def beside(target: str) -> Iterator[str]:
    """A new folder beside `target`, on the same disk, for as long as it is used; the folder above is made."""
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    sweep(parent)
    folder = os.path.join(parent, ASIDE + secrets.token_hex(8))
    os.mkdir(folder)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: str) -> None:
    """Remove a folder, also one that was copied with read-only folders in it."""
    if os.path.islink(folder) or os.path.isfile(folder):
        os.unlink(folder)
        return
    for parent, folders, _ in os.walk(folder):
        for name in folders:
            place = os.path.join(parent, name)
            if not os.path.islink(place):
                os.chmod(place, os.stat(place).st_mode | stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def _make_folders(folder: str) -> list[str]:
    missing: list[str] = []
    while folder and not os.path.isdir(folder):
        missing.insert(0, folder)
        folder = os.path.dirname(folder)
    for each in missing:
        os.makedirs(each, exist_ok=True)
    return missing


def sweep(parent: str) -> None:
    """Bring back what a command was replacing when it was killed, and remove what others left behind long ago."""
    with os.scandir(parent) as entries:
        left = [entry for entry in entries if entry.name.startswith(ASIDE) and entry.is_dir(follow_symlinks=False)]
    for entry in left:
        brought_back = True
        for old in _replaced(os.path.join(entry.path, REPLACED)):
            target = os.path.join(parent, os.path.basename(old))
            if not os.path.lexists(target):
                try:
                    os.rename(old, target)
                except OSError:
                    brought_back = os.path.lexists(target)
        with suppress(FileNotFoundError):
            if brought_back and time.time() - entry.stat(follow_symlinks=False).st_ctime > LEFT_OVER_SECONDS:
                remove(entry.path)


def _replaced(folder: str) -> list[str]:
    """What is there, newest first."""
    try:
        numbers = sorted(os.listdir(folder), reverse=True)
        return [os.path.join(folder, number, name) for number in numbers for name in os.listdir(f"{folder}/{number}")]
    except FileNotFoundError:  # nothing, or its command is just removing it
        return []
