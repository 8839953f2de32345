"""What lies between a roster on the server and one in a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngshare_fs.roster_files.roster_file import Student

# What the server says of each student, by user name.
Present = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Change:
    """A student whose names change.

    Args:
        student: as in the file.
        names: what changes: what it was, and what it will be.
    """

    student: Student
    names: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Difference:
    """What has to be done for the server to have what the file has.

    Args:
        added: who is in the file only.
        changed: whose names differ.
        removed: the user names of those who are on the server only.
    """

    added: Sequence[Student]
    changed: Sequence[Change]
    removed: Sequence[str]

    def lines(self) -> list[str]:
        """For people: a line a student."""
        return [
            *(" ".join([f"+ {each.user}", *(name for name in each.names.values() if name)]) for each in self.added),
            *(f"~ {each.student.user}: {_changes(each.names)}" for each in self.changed),
            *(f"- {user}" for user in self.removed),
        ]


def difference(wanted: Iterable[Student], present: Present) -> Difference:
    """What `sync` has to do.

    Args:
        wanted: the students in the file; names that it does not have stay as they are.
        present: those on the server.
    """
    added, changed = [], []
    users = set()
    for student in wanted:
        users.add(student.user)
        if student.user not in present:
            added.append(student)
        elif names := _changed_names(student, present[student.user]):
            changed.append(Change(student, names))
    return Difference(added, changed, [user for user in present if user not in users])


def _changed_names(student: Student, present: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    # Null is a name that was never set; to people it is as empty as ''.
    return {
        name: (present[name] or "", value)
        for name, value in student.names.items()
        if value != (present[name] or "")
    }  # fmt: skip


def _changes(names: Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f"{name} {before!r} → {after!r}" for name, (before, after) in names.items())
