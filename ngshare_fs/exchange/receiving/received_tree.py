"""Directory trees that came from the server: checked before anything is used."""

import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from ngshare_fs.exchange.failures.problems import UntrustworthyAnswer
from ngshare_fs.exchange.folders.moving import move

# As on our server; making and removing folders is recursive.
DEEPEST_PATH = 256
# A file that one system stores and another one does not.
_CANNOT_BE_NAMED = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ}

_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?( [A-Za-z0-9+:-]{1,8})?")


class Part(NamedTuple):
    """A content that has been written aside.

    Args:
        place: of the file.
        size: in bytes.
        md5: its checksum.
    """

    place: str
    size: int
    md5: str


class Received(NamedTuple):
    """A file of a tree.

    Args:
        path: relative, checked.
        place: where its content is, whose checksum was compared.
        size: in bytes.
        checksum: MD5.
    """

    path: str
    place: str
    size: int
    checksum: str


def check_component(name: str, what: str) -> str:
    """A name that is about to become a folder's.

    Args:
        name: as the server has it.
        what: it is the name of, for the message.

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
            datetime.fromisoformat(text[:19])
            return text
    raise UntrustworthyAnswer(f"The exchange sent {text!r}, which is no timestamp.")


def check_tree(answer: Mapping[str, Any]) -> Iterator[Received]:
    """The files of an answer.

    Args:
        answer: as of `TreeInAnswer`.

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
        yield Received(path, content.place, content.size, content.md5)


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


def write_tree(folder: str, files: Iterable[Received]) -> None:
    """Move files into a folder that nobody else uses yet.

    Args:
        folder: where nothing of these names is yet, or what may be replaced.
        files: of an answer.

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
