"""What lies where in an archive of a course.

Everything has the path that it has on the volume, in this order: `archive.yaml`, which says what follows; the course's
folder; its journal; `SHA256SUMS`. In a folder come the files first, then the folders, each in the order of their bytes.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml, Node, WrongShape, text_in
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.transfer.archive.broken import BrokenArchive

FORMAT = 1
DESCRIPTION = "archive.yaml"
SUMS = "SHA256SUMS"
# Of the description; it is read into memory.
LONGEST_DESCRIPTION = 64 * 1024
_NUMBERS = ("layout", "assignments", "releases", "submissions", "feedback", "folders", "files", "size")
_NUMBER = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class Description:
    """What `archive.yaml` says.

    Args:
        program: that wrote it, with its version.
        layout: the number of the volume's layout.
        course: its name.
        time: when the course was looked at.
        by: who made it.
        assignments, releases, submissions, feedback: how many there are; withdrawals are releases here.
        folders, files: how many follow, up to `SHA256SUMS`, which is not counted.
        size: of these files, in bytes.
    """

    program: str
    layout: int
    course: str
    time: Timestamp
    by: str
    assignments: int
    releases: int
    submissions: int
    feedback: int
    folders: int
    files: int
    size: int

    @property
    def folder(self) -> str:
        """The path of the course."""
        return f"{layout.COURSES}/{folder_of(self.course)}"

    @property
    def journal(self) -> str:
        """The path of the course's journal."""
        return f"{layout.JOURNAL_OF_COURSES}/{folder_of(self.course)}"

    def to_yaml(self) -> bytes:
        """The text of `archive.yaml`."""
        return yaml_text.dump({"archive": FORMAT, **asdict(self)})


def understood(text: bytes) -> Description:
    """What the text of an `archive.yaml` says.

    Raises:
        BrokenArchive: it says nothing that this program understands.
    """
    try:
        return yaml_text.parse(text, DESCRIPTION, _understand)
    except BrokenYaml as error:
        raise BrokenArchive(str(error)) from None


def _understand(document: Mapping[str, Node]) -> Description:
    program = _required(document, "program")
    for key, known in (("archive", FORMAT), ("layout", layout.LAYOUT)):
        number = _number(document, key)
        if number > known:
            raise WrongShape((key,), f"{key} {number} is newer than this program knows: use {program}, which wrote it")
    course = _required(document, "course")
    numbers = {key: _number(document, key) for key in _NUMBERS}
    return Description(
        program=program,
        course=course,
        time=Timestamp(_required(document, "time")),
        by=_required(document, "by"),
        **numbers,
    )


def _number(document: Mapping[str, Node], key: str) -> int:
    text = _required(document, key)
    if not _NUMBER.fullmatch(text):
        raise WrongShape((key,), f"`{key}` has to be a number")
    return int(text)


def _required(document: Mapping[str, Node], key: str) -> str:
    text = text_in(document, key)
    if not text:
        raise WrongShape((key,), f"`{key}` is missing")
    return text


def order(name: str, is_folder: bool) -> tuple[bool, bytes]:
    """By what the entries of one folder are sorted."""
    return is_folder, os.fsencode(name)


def sum_line(digest: str, path: str) -> bytes:
    """A line of `SHA256SUMS`, as `sha256sum` writes and understands it."""
    name = os.fsencode(path)
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"\\" if escaped != name else b"") + digest.encode() + b"  " + escaped + b"\n"
