"""What `course.yaml` says of the hub's groups: whose members are what in this course.

    groups:
      instructors: [staff-of-mathematics]
      graders: [tutors-of-mathematics]
      students: [first-year, second-year]

Where it is there, it takes the place of all patterns that the server has for groups: a role that it leaves out, no
group gives. It stays in the file as it was written; this is what it means.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.formats.group_pattern import COURSE
from ngshare_fs.formats.yaml_text import Node, WrongShape
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.format.unknown_keys import misspelt

GROUPS = "groups"
_ROLES = tuple(role.key for role in Role)


@dataclass(frozen=True)
class CourseGroups:
    """The groups of one course.

    Args:
        instructors, graders, students: names of groups whose members have that role.
    """

    instructors: frozenset[str] = frozenset()
    graders: frozenset[str] = frozenset()
    students: frozenset[str] = frozenset()

    def of(self, role: Role) -> frozenset[str]:
        """The groups that give a role."""
        return role.pick(self.instructors, self.graders, self.students)

    def role_by(self, groups: frozenset[str]) -> Role | None:
        """What somebody is who is in these groups: the highest of the roles that they give."""
        return next((role for role in Role if not groups.isdisjoint(self.of(role))), None)


def understand(document: Mapping[str, Node]) -> CourseGroups | None:
    """The groups that a parsed `course.yaml` names; None where it leaves that to the server.

    Raises:
        WrongShape: they are none.
    """
    if GROUPS not in document:
        return None
    said = document[GROUPS]
    if said is None:
        return CourseGroups()
    if not isinstance(said, Mapping):
        wanted = " and ".join(f"`{role}:`" for role in _ROLES)
        raise WrongShape((GROUPS,), f"below `{GROUPS}:`, {wanted} may stand, indented, each with names of groups")
    for found in misspelt(said, _ROLES, (GROUPS,)):
        # Without a word, a whole class would be shut out.
        raise WrongShape((GROUPS, found.key), str(found))
    return CourseGroups(*(_names(said, role) for role in _ROLES))


def _names(said: Mapping[str, Node], role: str) -> frozenset[str]:
    value = said.get(role)
    listed = [] if value is None else value if isinstance(value, list) else [value]
    names = [name for name in listed if isinstance(name, str) and name]
    if len(names) != len(listed):
        raise WrongShape((GROUPS, role), f"below `{role}:`, names of groups are expected: `[one, another]`")
    for name in names:
        if COURSE in name:
            # Taken as a name, it would shut out everybody without a word.
            problem = (
                f"{name!r} is a pattern, and those are for the server's options: here the group's own name belongs"
            )
            raise WrongShape((GROUPS, role), problem)
    return frozenset(names)
