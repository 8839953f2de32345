"""`assignment.yaml`: the dates of an assignment. It may be missing, servers change it, and people edit it by hand.

    release: 2026-11-02 08:00:00 Europe/Vienna
    due: 2026-11-15 23:59:59 Europe/Vienna
    close: 2026-11-17 23:59:59 Europe/Vienna
    grace: 5m
    extensions:
      ada:
        due: 2026-11-18 23:59:59 Europe/Vienna
        reason: ill
        by: kevin
        at: 2026-11-14 10:00:00.000000 UTC

Every line may be missing.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.civil_time import Moment, moment_in
from ngshare_fs.formats.duration import duration_in, duration_text
from ngshare_fs.formats.sentence import Sentence, sentence
from ngshare_fs.formats.yaml_text import Node, WrongShape, mapping_in, text_in
from ngshare_fs.store.format.unknown_keys import Misspelt, misspelt, unknown_keys

DATES = ("release", "due", "close")
KEYS = (*DATES, "grace", "extensions")
OF_EXTENSION = ("due", "close", "reason", "by", "at")
# What nbgrader and other systems call them. Passed over, they would show what is scheduled, or accept what is late.
OTHER_WORDS = {
    **dict.fromkeys(("release_date", "releasedate", "visible_from", "available_from"), "release"),
    **dict.fromkeys(("due_date", "duedate", "deadline"), "due"),
    **dict.fromkeys(("close_date", "closedate", "closing", "closing_date", "cutoff", "cutoff_date"), "close"),
    "grace_period": "grace",
}


@dataclass(frozen=True)
class Extension:
    """More time for one student; at least one of the dates is there.

    Args:
        due, close: as those of the assignment, for this student.
        reason: why; by: who gave it; at: when, as the API writes it. None where nobody has said.
        more: what else somebody wrote into the entry; kept as it is.
    """

    due: Moment | None = None
    close: Moment | None = None
    reason: str | None = None
    by: str | None = None
    at: str | None = None
    more: Mapping[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class AssignmentFile:
    """What an `assignment.yaml` says; None is what it does not.

    Args:
        release: before it, the assignment is there for those who teach only.
        due: until then work is in time.
        close: until then it is accepted.
        grace: what is late by no more than this is not late.
        extensions: by student.
        more: what else somebody wrote into the file; kept as it is.
    """

    release: Moment | None = None
    due: Moment | None = None
    close: Moment | None = None
    grace: timedelta | None = None
    extensions: Mapping[str, Extension] = field(default_factory=dict)
    more: Mapping[str, Node] = field(default_factory=dict)

    def without(self, student: str) -> "AssignmentFile":
        """The same without a student's extension."""
        return replace(self, extensions={name: given for name, given in self.extensions.items() if name != student})

    def to_yaml(self) -> bytes:
        """The text of `assignment.yaml`."""
        document: dict[str, object] = {name: str(date) for name in DATES if (date := getattr(self, name)) is not None}
        if self.grace is not None:
            document["grace"] = duration_text(self.grace)
        if self.extensions:
            document["extensions"] = {student: _entry(given) for student, given in self.extensions.items()}
        document.update(self.more)
        return yaml_text.dump(document)


NO_DATES = AssignmentFile()


def understand(document: Mapping[str, Node]) -> AssignmentFile:
    """What a parsed `assignment.yaml` says.

    Raises:
        WrongShape: it says nothing of that kind. A key that looks like one of a date is an error, too: without a word,
            the assignment would be without that date.
    """
    for found in misspelt(document, KEYS, other_words=OTHER_WORDS):
        raise WrongShape((found.key,), str(found))
    return AssignmentFile(
        release=_date(document, "release"),
        due=_date(document, "due"),
        close=_date(document, "close"),
        grace=_grace(document),
        extensions=dict(_extensions(document)),
        more=unknown_keys(document, KEYS),
    )


def later(first: Moment | None, second: Moment | None) -> Moment | None:
    """Of two dates the later one; the first where they are the same, None where there is none."""
    if first is None or second is None:
        return first or second
    return second if second.at > first.at else first


def disorder(file: AssignmentFile) -> Iterator[Sentence]:
    """Dates for everybody of which the earlier one is the later one, in words."""
    named = [(name, moment) for name in DATES if (moment := getattr(file, name)) is not None]
    for (earlier, first), (later, second) in itertools.pairwise(named):
        if first.at > second.at:
            yield sentence(
                "the {earlier} date, {first}, is later than the {later} date, {second}",
                earlier=sentence(earlier),
                first=first,
                later=sentence(later),
                second=second,
            )


def disorder_of_extensions(file: AssignmentFile) -> Iterator[str]:
    """Extensions whose due date is later than their close date, in words."""
    for student, given in file.extensions.items():
        if given.due is not None and given.close is not None and given.due.at > given.close.at:
            yield f"that of {student!r} is due {given.due}, later than it closes, {given.close}"


def extensions_of_nothing(file: AssignmentFile) -> Iterator[str]:
    """The students whose extension has a due date where the assignment has none."""
    if file.due is None:
        yield from (student for student, given in file.extensions.items() if given.due is not None)


def misspelt_keys(file: AssignmentFile) -> Iterator[Misspelt]:
    """Keys of a file that was understood which mean nothing, and look as if they should."""
    for student, given in file.extensions.items():
        yield from misspelt(given.more, OF_EXTENSION, ("extensions", student), {**OTHER_WORDS, "until": "due"})


def _extensions(document: Mapping[str, Node]) -> Iterator[tuple[str, Extension]]:
    for student, entry in mapping_in(document, "extensions").items():
        above = ("extensions", student)
        if not student:
            raise WrongShape(("extensions",), "a user name is empty")
        if not isinstance(entry, Mapping):
            raise WrongShape(above, f"below {student!r}, `due:` or `close:` is expected, indented")
        due, close = _date(entry, "due", *above), _date(entry, "close", *above)
        if due is None and close is None:
            raise WrongShape(above, f"the extension of {student!r} has neither `due:` nor `close:`")
        said = {key: text_in(entry, key, *above) for key in ("reason", "by", "at")}
        yield student, Extension(due, close, more=unknown_keys(entry, OF_EXTENSION), **said)


def _date(document: Mapping[str, Node], key: str, *above: str) -> Moment | None:
    text = text_in(document, key, *above)
    try:
        return None if text is None else moment_in(text)
    except ValueError as error:
        raise WrongShape((*above, key), str(error)) from None


def _grace(document: Mapping[str, Node]) -> timedelta | None:
    text = text_in(document, "grace")
    try:
        return None if text is None else duration_in(text)
    except ValueError as error:
        raise WrongShape(("grace",), str(error)) from None


def _entry(given: Extension) -> dict[str, object]:
    entry: dict[str, object] = {key: str(value) for key in OF_EXTENSION if (value := getattr(given, key)) is not None}
    entry.update(given.more)
    return entry
