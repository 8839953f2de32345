"""What `course.yaml` says of the work that is kept: how much of it, how much room it may take, and what is in time.

    retention:
      submissions: 5
    quota:
      course: 20GiB
      student: 500MiB
    timezone: Europe/Vienna
    grace: 5m
    close_after: 2d

All may be missing. They stay in the file as they were written; this is what they mean.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ngshare_fs.formats.byte_size import bytes_in
from ngshare_fs.formats.civil_time import zone_named
from ngshare_fs.formats.duration import duration_in
from ngshare_fs.formats.yaml_text import Node, WrongShape, text_in
from ngshare_fs.store.format.unknown_keys import Misspelt, misspelt

RETENTION = "retention"
QUOTA = "quota"
TIMEZONE, GRACE, CLOSE_AFTER = "timezone", "grace", "close_after"
# The keys of the file, and those below them.
KEYS: Mapping[str, tuple[str, ...]] = {
    RETENTION: ("submissions",),
    QUOTA: ("course", "student"),
    TIMEZONE: (),
    GRACE: (),
    CLOSE_AFTER: (),
}


@dataclass(frozen=True)
class CourseRules:
    """The rules of one course.

    Args:
        keep: how many submissions of a student to an assignment pruning leaves; None where it takes none.
        quota: what the course may take, in bytes; 0 for as much as there is, None for what the server says.
        quota_of_student: the same of what one student hands in.
        timezone: in which times are meant and shown; None where nobody has said.
        grace: of assignments that say nothing of it: what is late by no more than this is not late.
        close_after: of assignments that say nothing of it: how long after the due date work is accepted.
    """

    keep: int | None = None
    quota: int | None = None
    quota_of_student: int | None = None
    timezone: str | None = None
    grace: timedelta | None = None
    close_after: timedelta | None = None


NO_RULES = CourseRules()


def understand(document: Mapping[str, Node]) -> CourseRules:
    """The rules in a parsed `course.yaml`.

    Raises:
        WrongShape: they are none.
    """
    if not KEYS.keys() & document.keys():
        return NO_RULES
    retention, quota = _rule(document, RETENTION), _rule(document, QUOTA)
    return CourseRules(
        keep=_number(retention, "submissions"),
        quota=_size(quota, "course"),
        quota_of_student=_size(quota, "student"),
        timezone=_timezone(document),
        grace=_duration(document, GRACE),
        close_after=_duration(document, CLOSE_AFTER),
    )


def misspelt_keys(document: Mapping[str, Node]) -> Iterator[Misspelt]:
    """Keys in these rules that mean nothing, and look as if they should."""
    for rule, keys in KEYS.items():
        said = document.get(rule)
        if isinstance(said, Mapping):
            yield from misspelt(said, keys, (rule,))


def _rule(document: Mapping[str, Node], rule: str) -> Mapping[str, Node]:
    said = document.get(rule)
    if said is not None and not isinstance(said, Mapping):
        wanted = " and ".join(f"`{key}:`" for key in KEYS[rule])
        raise WrongShape((rule,), f"below `{rule}:`, {wanted} may stand, indented")
    return said or {}


def _number(rule: Mapping[str, Node], key: str) -> int | None:
    text = text_in(rule, key, RETENTION)
    if text is None:
        return None
    if not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise WrongShape((RETENTION, key), f"`{key}` has to be a number, 1 or more, of submissions to keep")
    return int(text)


def _size(rule: Mapping[str, Node], key: str) -> int | None:
    text = text_in(rule, key, QUOTA)
    try:
        return None if text is None else bytes_in(text)
    except ValueError as error:
        raise WrongShape((QUOTA, key), str(error)) from None


def _timezone(document: Mapping[str, Node]) -> str | None:
    name = text_in(document, TIMEZONE)
    try:
        if name is not None:
            zone_named(name)
    except ValueError as error:
        raise WrongShape((TIMEZONE,), str(error)) from None
    return name


def _duration(document: Mapping[str, Node], key: str) -> timedelta | None:
    text = text_in(document, key)
    try:
        return None if text is None else duration_in(text)
    except ValueError as error:
        raise WrongShape((key,), str(error)) from None
