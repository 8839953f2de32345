"""What lies between the students on a roster and a list that somebody pasted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ngshare_fs.formats.sentence import sentence
from ngshare_fs.roster_files import look_alikes, roster_file
from ngshare_fs.roster_files.characters import how_they_differ
from ngshare_fs.roster_files.difference import Change, difference
from ngshare_fs.roster_files.roster_file import Student
from ngshare_fs.roster_files.rows import WrongRoster
from ngshare_fs.store import Person, Role, Roster
from ngshare_fs.store.membership import is_too_much
from ngshare_fs.web.frame.page import Wrong
from ngshare_fs.web.instructor.assignment.effects import first_of
from ngshare_fs.web.instructor.pasted import NAME, all_in_other_capitals, mistakes_of
from ngshare_fs.web.instructor.roster.entry import OF_PERSON


@dataclass(frozen=True)
class Compared:
    """What has to be done for the roster to have what the list has.

    Args:
        added: who comes.
        changed: whose names change.
        removed: who goes.
        of_groups: who is not in the list, and stays, since a group has them.
        unchanged: how many are there as in the list.
        is_too_much: whether so many go that it may be a mistake.
        notes: what was understood, but might not have been meant.
    """

    added: Sequence[Student]
    changed: Sequence[Change]
    removed: Sequence[str]
    of_groups: Sequence[str]
    unchanged: int
    is_too_much: bool
    notes: Sequence[str]

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.removed)

    @property
    def shown(self) -> object:
        """What is compared when it is confirmed."""
        return self.added, self.changed, self.removed

    @property
    def entries(self) -> list[tuple[str, Person]]:
        """Who comes or changes, as the store takes it: names that the list does not have are None."""
        students = (*self.added, *(change.student for change in self.changed))
        return [
            (each.user, Person(each.names.get("first_name"), each.names.get("last_name"), each.names.get("email")))
            for each in students
        ]


def compare(people: Roster, text: str, is_complete: bool) -> Compared:
    """What a list asks for.

    Args:
        people: the roster.
        text: see `roster_file.parse_list`.
        is_complete: whether who is not in it goes.

    Raises:
        Wrong: it cannot be understood, or cannot be done.
    """
    try:
        file = roster_file.parse_list(text, NAME)
    except WrongRoster as error:
        raise Wrong({"people": mistakes_of(error)}) from None
    listed = people.listed(Role.STUDENT)
    there: Mapping[str, Mapping[str, str | None]] = {
        user: {name: getattr(person, name) for name in OF_PERSON} for user, person in listed.items()
    }
    wanted = look_alikes.spelled_as_there(file.students, there)
    mistakes: list[str] = list(_above(people, wanted))
    if not is_complete:
        mistakes += all_in_other_capitals(wanted, there)
    if mistakes:
        raise Wrong({"people": mistakes})
    found = difference(wanted, there)
    leaving = found.removed if is_complete else []
    removed = [user for user in leaving if listed[user].source is None]
    return Compared(
        found.added,
        found.changed,
        removed,
        [user for user in leaving if listed[user].source is not None],
        len(wanted) - len(found.added) - len(found.changed),
        is_too_much(len(removed), len(listed)),
        [*file.notes, *_cautions(found.added, there)],
    )


def _cautions(added: Sequence[Student], there: Mapping[str, object]) -> list[str]:
    """What somebody might not have meant by those who come."""
    said: list[str] = []
    capital = [each.user for each in added if each.user != each.user.lower()]
    if capital:
        said.append(
            sentence(
                "JupyterHub makes user names lower-case, so that these may be nobody's: {users}",
                users=first_of(capital),
            )
        )
    for user, other in look_alikes.in_other_capitals(added, there):
        said.append(
            sentence(
                "{user} takes the place of {other}, whose work stays under that name: {how}",
                user=user,
                other=other,
                how=how_they_differ(user, other),
            )
        )
    return said


def _above(people: Roster, wanted: Sequence[Student]) -> list[str]:
    said: list[str] = []
    for role in (Role.INSTRUCTOR, Role.GRADER):
        above = people.people(role)
        both = [student.user for student in wanted if student.user in above]
        both += [f"{user} ({other})" for user, other in look_alikes.in_other_capitals(wanted, above)]
        said += [
            sentence("{user} cannot be a student, being {role}", user=user, role=sentence(role.value)) for user in both
        ]
    return said
