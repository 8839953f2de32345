"""What the hub's groups make of those who are in them: which course they mean, and which role there."""

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ngshare_fs.formats.group_pattern import GroupPattern
from ngshare_fs.settings import Settings
from ngshare_fs.store import CourseGroups, Role, Roster

# Of so many sets of groups it is remembered what they mean. Those who take the same courses share one.
MOST_SETS = 1024


@dataclass(frozen=True)
class UserGroups:
    """The groups that somebody is in.

    Args:
        names: as the hub has them.
        by_pattern: the courses that they mean by the server's patterns, be there such or not, and the roles there.
    """

    names: frozenset[str] = frozenset()
    by_pattern: Mapping[str, Role] = field(default_factory=dict)

    def role_in(self, course: str, roster: Roster) -> Role | None:
        """What they make of somebody in a course; None where that is nothing.

        Args:
            course: its name, which is that of its folder, whatever its file says.
            roster: what its file says.
        """
        if roster.groups is None:
            return self.by_pattern.get(course)
        return roster.groups.role_by(self.names)


NO_GROUPS = UserGroups()


@dataclass(frozen=True)
class GroupPatterns:
    """The server's patterns: which groups give which role.

    Args:
        instructors, graders, students: those whose members have that role.
    """

    instructors: tuple[GroupPattern, ...] = ()
    graders: tuple[GroupPattern, ...] = ()
    students: tuple[GroupPattern, ...] = ()

    @classmethod
    def configured(cls, settings: Settings) -> "GroupPatterns":
        """Those that the settings have."""
        return cls(settings.instructor_groups, settings.grader_groups, settings.student_groups)

    def of(self, role: Role) -> tuple[GroupPattern, ...]:
        """The patterns that give a role."""
        return role.pick(self.instructors, self.graders, self.students)

    def taken_twice(self) -> Iterator[tuple[GroupPattern, GroupPattern]]:
        """The pairs of which the second has no group that does not fit the first one, too."""
        patterns = {pattern for role in Role for pattern in self.of(role)}
        for wide, narrow in itertools.permutations(sorted(patterns, key=str), 2):
            if wide.takes_all_of(narrow):
                yield wide, narrow

    def understand(self, names: frozenset[str]) -> UserGroups:
        """What groups mean to somebody who is in all of them."""
        return _understood(self, names) if names else NO_GROUPS

    def groups_of(self, course: str, roster: Roster) -> CourseGroups:
        """All groups that give a role in a course: by its own file, or else by the patterns."""
        if roster.groups is not None:
            return roster.groups
        names = (frozenset(pattern.group_of(course) for pattern in self.of(role)) for role in Role)
        return CourseGroups(*names)


NO_PATTERNS = GroupPatterns()


@functools.lru_cache(MOST_SETS)
def _understood(patterns: GroupPatterns, names: frozenset[str]) -> UserGroups:
    found: dict[str, Role] = {}
    for role in Role:
        for pattern in patterns.of(role):
            for name in names:
                course = pattern.course_of(name)
                if course is not None:
                    found.setdefault(course, role)  # the highest role came first
    return UserGroups(names, found)
