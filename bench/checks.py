"""What answers must say. A fast server that loses or changes work is not fast."""

import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from bench.client import Answer, Wrong

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}( UTC)?")


def timestamp_in(said: dict[str, Any]) -> str:
    """The timestamp of an answer or an entry, without the zone, which ngshare leaves out.

    Raises:
        Wrong: there is none.
    """
    moment = said.get("timestamp")
    if not isinstance(moment, str) or not TIMESTAMP.fullmatch(moment):
        raise Wrong(f"{moment!r} is no timestamp")
    return moment.removesuffix(" UTC")


def acknowledged(answer: Answer, earlier: Sequence[str]) -> str:
    """The timestamp of a submission that a server acknowledges.

    Raises:
        Wrong: it does not, or the timestamp is not later than this student's earlier ones.
    """
    moment = timestamp_in(answer.json())
    if earlier and moment <= earlier[-1]:
        raise Wrong(f"{moment} is not later than {earlier[-1]}")
    return moment


def submissions_in(answer: Answer) -> list[tuple[str, str]]:
    """Students and timestamps of a list of submissions.

    Raises:
        Wrong: it is none.
    """
    entries = answer.json().get("submissions")
    if not isinstance(entries, list):
        raise Wrong("no submissions")
    return [(str(entry.get("student_id")), timestamp_in(entry)) for entry in entries]


def lists_exactly(answer: Answer, wanted: Sequence[tuple[str, str]]) -> None:
    """Whether a list of submissions has these and no others, in whatever order.

    Raises:
        Wrong: it has not.
    """
    found = submissions_in(answer)
    if sorted(found) != sorted(wanted):
        missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
        raise Wrong(f"{len(found)} listed, {len(wanted)} expected; missing {missing[:3]}, extra {extra[:3]}")


def has_files(answer: Answer, wanted: dict[str, str]) -> dict[str, Any]:
    """Whether a tree consists of these files, going by MD5; gives the answer.

    Raises:
        Wrong: it does not.
    """
    said = answer.json()
    found = {}
    for file in said.get("files", ()):
        try:
            content = binascii.a2b_base64(file["content"])
        except (KeyError, TypeError, ValueError):
            raise Wrong(f"no content: {str(file)[:100]}") from None
        found[file.get("path")] = hashlib.md5(content).hexdigest()
        if file.get("checksum") != found[file.get("path")]:
            raise Wrong(f"{file.get('path')}: the checksum is not that of the content")
    if found != wanted:
        raise Wrong(f"other files: {sorted(map(str, found))}, expected {sorted(wanted)}")
    return said


def names_in(answer: Answer, key: str) -> list[str]:
    """A list of names.

    Raises:
        Wrong: there is none.
    """
    names = answer.json().get(key)
    if not isinstance(names, list):
        raise Wrong(f"no {key}")
    return [str(name) for name in names]
