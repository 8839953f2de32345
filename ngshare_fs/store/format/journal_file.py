"""The files of the journal: their names, and what a line of them says."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from ngshare_fs.store.format.timestamp import Timestamp

# Whatever a client sends as a name, a line stays one that people can read.
LONGEST_FIELD = 1000
CUT = "…"
FIELDS = ("what", "by", "via", "course", "assignment", "student", "detail")
# So begins each line. Inside of a text there is no such thing: its quotes are escaped.
START = b'{"time": "'
ENDING = ".jsonl"
EXAMPLE = "2020-01-31 09:00:00.004711 UTC"
# What only reads, and changes nothing.
READS = frozenset({"fetch-feedback", "collect-as-zip"})

_NAME = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2]))(?:\.[0-9a-f]{8})?\.jsonl")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6} UTC")


class Line(NamedTuple):
    """What a line says.

    Args:
        time: when it was done.
        fields: the others, as far as they are there.
    """

    time: Timestamp
    fields: dict[str, str]


def file_name(moment: Timestamp, system: str) -> str:
    """The file that a line belongs into.

    Args:
        moment: when what it says was done.
        system: eight hexadecimal digits, which no other running system has for this volume.
    """
    return f"{moment[:7]}.{system}.jsonl"


def month_of(name: str) -> str | None:
    """The month of a file, such as `2020-01`; None where it is none of the journal's."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


def is_time(text: str) -> bool:
    """Whether a text is a time as lines have it."""
    return _TIME.fullmatch(text) is not None


def bounded(text: str) -> str:
    """A text as it stands in a line."""
    return text if len(text) <= LONGEST_FIELD else text[: LONGEST_FIELD - 1] + CUT


def line_of(moment: Timestamp, fields: Mapping[str, str]) -> bytes:
    """A line, with its end. It is ASCII: whatever a name has in it, it neither breaks the line nor acts on a terminal.

    Args:
        moment: when it was done.
        fields: the others; empty ones are left out.
    """
    said = {"time": moment, **{key: bounded(value) for key, value in fields.items() if value}}
    return json.dumps(said).encode() + b"\n"


def understand(line: bytes) -> Line | None:
    """What a line says; None where it says nothing that can be understood. Unknown keys are left out."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not _TIME.fullmatch(str(document.get("time"))):
        return None
    fields = {key: value for key, value in document.items() if key in FIELDS and isinstance(value, str)}
    return Line(Timestamp(document["time"]), fields)


def is_begun(part: bytes) -> bool:
    """Whether a part of a line is one, or the beginning of one that was torn."""
    return part[: len(START)] == START[: len(part)]


def separated(line: bytes) -> list[bytes]:
    """The parts of a line: more than one where the end of a torn one was not seen, and the next one follows it."""
    start = line.rfind(START)
    return [line] if start <= 0 else [line[:start], line[start:]]
