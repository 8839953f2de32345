"""`last-count.jsonl` and `history.jsonl`: what was counted on the volume last, and how much there was at earlier times.

Each line is a JSON object of its own: one that somebody has broken takes no other along. Numbers are whole and not
negative, times are timestamps.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields

from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.timestamp import Timestamp

# The keys by which the lines of `last-count.jsonl` are told apart.
TIME, COURSE, ENTRY = "time", "course", "entry"


class NoLine(ValueError):
    """A line that says something else."""


@dataclass(frozen=True)
class Moment:
    """How much there was at some time: a line of `history.jsonl`, and the first one of `last-count.jsonl`.

    Args:
        time: when it had been counted.
        courses, submissions: so many.
        stored: what releases, submissions and feedback took, in bytes.
        trash: what lay in the trash, in bytes.
        bytes_free, bytes_total: of the volume's file system, for the server's user.
        inodes_free, inodes_total: the same; no total where it has no limit.
    """

    time: Timestamp
    courses: int = 0
    submissions: int = 0
    stored: int = 0
    trash: int = 0
    bytes_free: int = 0
    bytes_total: int = 0
    inodes_free: int = 0
    inodes_total: int = 0

    def line(self) -> bytes:
        """The line that says it."""
        return _line(asdict(self))


@dataclass(frozen=True)
class CourseFigures:
    """What a course had when it was counted.

    Args:
        course: its name.
        instructors, graders, students: so many are listed; None where its file cannot be read.
        quota: its own limit in bytes, 0 for none; None where it leaves that to the server, or nobody can say.
        assignments, submissions: so many.
        stored: what its files take in bytes, without manifests and its share of the trash.
        last_activity: when somebody released, handed in or gave feedback for the last time.
    """

    course: str
    instructors: int | None = None
    graders: int | None = None
    students: int | None = None
    quota: int | None = None
    assignments: int = 0
    submissions: int = 0
    stored: int = 0
    last_activity: Timestamp | None = None

    def limit(self, of_server: int) -> int:
        """The most that it may store, in bytes; 0 for no limit.

        Args:
            of_server: what counts where the course has no limit of its own.
        """
        return of_server if self.quota is None else self.quota

    def percent(self, of_server: int) -> int | None:
        """How much of that it stores; None where there is no limit."""
        limit = self.limit(of_server)
        return self.stored * 100 // limit if limit else None

    def line(self) -> bytes:
        """The line that says it."""
        return _line({key: value for key, value in asdict(self).items() if value is not None})


@dataclass(frozen=True)
class Count:
    """What `last-count.jsonl` says.

    Args:
        moment: of everything together.
        courses: by name.
        trash: what each entry of the trash takes in bytes, by its name.
    """

    moment: Moment
    courses: Mapping[str, CourseFigures] = field(default_factory=dict)
    trash: Mapping[str, int] = field(default_factory=dict)

    def text(self) -> bytes:
        """The text of the file."""
        entries = (_line({ENTRY: name, "bytes": size}) for name, size in self.trash.items())
        return b"".join([self.moment.line(), *(each.line() for each in self.courses.values()), *entries])


def understand_count(lines: Iterable[bytes]) -> Count | None:
    """What the lines of a `last-count.jsonl` say, those that say nothing left out; None without the first one."""
    moment = None
    courses: dict[str, CourseFigures] = {}
    trash: dict[str, int] = {}
    for line in lines:
        try:
            said = _mapping(line)
            if COURSE in said:
                found = _course(said)
                courses[found.course] = found
            elif ENTRY in said:
                trash[_text(said, ENTRY)] = _number(said, "bytes")
            elif TIME in said:
                moment = _moment(said)
        except NoLine:
            continue
    return None if moment is None else Count(moment, courses, trash)


def understand_history(lines: Iterable[bytes]) -> Iterator[Moment | None]:
    """What each line of a `history.jsonl` says; None where it says nothing that can be understood."""
    for line in lines:
        try:
            yield _moment(_mapping(line))
        except NoLine:
            yield None


def _line(said: Mapping[str, object]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _mapping(line: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise NoLine from None
    if not isinstance(said, dict):
        raise NoLine
    return said


def _moment(said: Mapping[str, object]) -> Moment:
    numbers = (each.name for each in fields(Moment) if each.name != TIME)
    return Moment(_time(said, TIME), **{name: _number(said, name) for name in numbers})


def _course(said: Mapping[str, object]) -> CourseFigures:
    numbers = ("instructors", "graders", "students", "quota")
    return CourseFigures(
        _text(said, COURSE),
        **{name: _number(said, name) if name in said else None for name in numbers},
        assignments=_number(said, "assignments"),
        submissions=_number(said, "submissions"),
        stored=_number(said, "stored"),
        last_activity=_time(said, "last_activity") if "last_activity" in said else None,
    )


def _number(said: Mapping[str, object], key: str) -> int:
    value = said.get(key, 0)
    if type(value) is not int or not 0 <= value < 2**63:
        raise NoLine
    return value


def _text(said: Mapping[str, object], key: str) -> str:
    value = said.get(key)
    if not isinstance(value, str) or not value:
        raise NoLine
    return value


def _time(said: Mapping[str, object], key: str) -> Timestamp:
    value = _text(said, key)
    if not timestamp.is_whole(value):
        raise NoLine
    return Timestamp(value)
