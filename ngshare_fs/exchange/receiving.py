"""Directory trees that came from the server: checked before anything is written, and swapped into place when whole."""

import base64
import binascii
import fnmatch
import hashlib
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ngshare_fs.exchange.problems import UntrustworthyAnswer

# Before the names of what is still being made; hidden, so that nbgrader's globs do not see it.
ASIDE = ".ngshare-fs-"
# What is older was left behind by a command that was killed.
LEFT_OVER_SECONDS = 3600

_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?( [A-Za-z0-9+:-]{1,8})?")


@dataclass(frozen=True)
class Received:
    """A file of a tree.

    Args:
        path: relative, checked.
        content: its checksum compared.
    """

    path: str
    content: bytes


def check_component(name: str, what: str) -> str:
    """A name that is about to become a folder's.

    Raises:
        UntrustworthyAnswer: it would lead elsewhere.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise UntrustworthyAnswer(f"The {what} {name!r} cannot be a folder's name.")
    return name


def check_timestamp(text: object) -> str:
    """A timestamp that is about to become a folder's name.

    Raises:
        UntrustworthyAnswer: it is none.
    """
    if not isinstance(text, str) or not _TIMESTAMP.fullmatch(text):
        raise UntrustworthyAnswer(f"The exchange sent {text!r}, which is no timestamp.")
    return text


def check_tree(answer: Mapping[str, Any]) -> Iterator[Received]:
    """The files of an answer.

    Raises:
        UntrustworthyAnswer: a path leads outside the tree, or a content has not its checksum.
    """
    entries = answer.get("files")
    if not isinstance(entries, list):
        raise UntrustworthyAnswer("The exchange sent no list of files.")
    for entry in entries:
        try:
            path, encoded = entry["path"], entry["content"]
            content = base64.b64decode(encoded)
        except (TypeError, KeyError, ValueError, binascii.Error):
            raise UntrustworthyAnswer("The exchange sent what is no file.") from None
        check_path(path)
        checksum = entry.get("checksum")
        if checksum is not None and checksum != hashlib.md5(content, usedforsecurity=False).hexdigest():
            raise UntrustworthyAnswer(f"{path} was damaged on the way: its checksum does not match. Try again.")
        yield Received(path, content)


def check_path(path: object) -> str:
    """The rule for paths inside a tree.

    Raises:
        UntrustworthyAnswer: it would lead outside, or be no path at all.
    """
    if not isinstance(path, str) or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise UntrustworthyAnswer(f"The exchange sent the path {path!r}, which leads outside its folder.")
    return path


def is_ignored(path: str, ignore: Iterable[str]) -> bool:
    """Whether a component of a path matches one of these globs, as nbgrader ignores whole folders."""
    patterns = list(ignore)
    return any(fnmatch.fnmatch(part, pattern) for part in path.split("/") for pattern in patterns)


def write_tree(folder: str, files: Iterable[Received]) -> None:
    """Write files below a folder that nobody else uses yet."""
    for file in files:
        place = os.path.join(folder, file.path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as target:
            target.write(file.content)


@contextmanager
def aside(target: str) -> Iterator[str]:
    """A new folder beside `target`, which takes its place on leaving; on failure, `target` stays as it was.

    The folders above `target` are made, and removed again where nothing came of it.
    """
    parent = os.path.dirname(target)
    made = _make_folders(parent)
    _sweep(parent)
    folder = os.path.join(parent, ASIDE + secrets.token_hex(8))
    try:
        os.mkdir(folder)
        yield folder
        replaced = None
        if os.path.lexists(target):
            replaced = os.path.join(parent, ASIDE + secrets.token_hex(8))
            os.rename(target, replaced)
        try:
            os.rename(folder, target)
        except BaseException:
            if replaced is not None:
                os.rename(replaced, target)
            raise
        if replaced is not None:
            remove(replaced)
    except BaseException:
        remove(folder)
        for above in reversed(made):
            try:
                os.rmdir(above)
            except OSError:
                break
        raise


@contextmanager
def beside(target: str) -> Iterator[str]:
    """A new folder beside `target`, on the same disk, for as long as it is used; the folder above is made."""
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    _sweep(parent)
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


def _sweep(parent: str) -> None:
    with os.scandir(parent) as entries:
        for entry in entries:
            old = entry.name.startswith(ASIDE) and entry.is_dir(follow_symlinks=False)
            if old and time.time() - entry.stat(follow_symlinks=False).st_ctime > LEFT_OVER_SECONDS:
                remove(entry.path)
