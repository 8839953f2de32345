"""The roster of a course: who is what, and where each of them comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.access.permission import Who
from ngshare_fs.store import Person, Role, Roster
from ngshare_fs.store.problems import Problems
from ngshare_fs.web.frame.page import Page
from ngshare_fs.web.frame.part_of_table import PART, part_of
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.student.course import COURSE

PATH = "pages/roster/{course}"
# The parameter that says whom to look for.
SEARCH = "search"


@dataclass(frozen=True)
class Member:
    """Somebody on the roster.

    Args:
        user: their user name.
        role: what they are.
        person: what is known of them.
        by_group: what a group has brought them as, where it has.
    """

    user: str
    role: Role
    person: Person
    by_group: Role | None

    @property
    def is_listed(self) -> bool:
        """Whether somebody has entered them, whatever groups say."""
        return self.person.source is None

    def has(self, text: str) -> bool:
        """Whether a text is in their names or in their address."""
        known = (self.user, self.person.first_name, self.person.last_name, self.person.email)
        full = f"{self.person.first_name or ''} {self.person.last_name or ''}"
        return any(text in (each or "").casefold() for each in (*known, full))


def members_of(people: Roster) -> list[Member]:
    """Everybody, those of the highest role first."""
    marked = {
        user: role for role in reversed(Role) for user, entry in people.people(role).items() if entry.source is not None
    }
    return [
        Member(user, role, person, marked.get(user))
        for role in Role
        for user, person in sorted(people.listed(role).items())
    ]


def groups_of(visit: Visit) -> Sequence[tuple[Role, Sequence[str]]]:
    """The hub's groups that give roles here, by role."""
    named = GroupPatterns.configured(visit.settings).groups_of(visit.course, visit.roster)
    return [(role, sorted(named.of(role))) for role in Role if named.of(role)]


def read(visit: Visit) -> Mapping[str, Any]:
    """Everybody, or those who are looked for."""
    everybody = members_of(visit.roster)
    search = visit.query.get(SEARCH, "").strip()
    found = [each for each in everybody if each.has(search.casefold())] if search else everybody
    problems = Problems(visit.volume)
    problems.note_of_roster(visit.course)
    return {
        "course": visit.course,
        "members": part_of(found, visit.query.get(PART)),
        "counts": [(role.value, sum(each.role is role for each in everybody)) for role in Role],
        "search": search,
        "groups": groups_of(visit),
        "problem": problems.first,
        "may_change": visit.teaches,
    }


ROSTER = Page(PATH, Who.GRADER, "roster", read, under=COURSE, in_menu=True)
