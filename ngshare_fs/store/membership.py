"""Rosters that follow groups: who comes, who goes, and whose role changes.

Only entries that a group has brought (`from: group`) ever go or change. What somebody entered stays as it is, and
counts before all groups.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from ngshare_fs.store import roster
from ngshare_fs.store.format.course_file import FROM_GROUP, Person, Roster
from ngshare_fs.store.format.role import Role
from ngshare_fs.store.volume import Volume
from ngshare_fs.store.writing.last_check import LastCheck, no_check

# So many may always leave a course, or all courses together. What is more, and more than this part of all whom groups
# have brought, is a mistake more often than it is meant: a hub that forgot its groups looks so.
HANDFUL = 5
PART = 4


@dataclass(frozen=True)
class Move:
    """Somebody whose role changes."""

    before: Role
    after: Role


@dataclass(frozen=True)
class Difference:
    """What lies between a roster and the groups.

    Args:
        added: who is in a group and not on the roster, and what they become.
        moved: whose groups give another role than their entry says.
        removed: whose entry a group has brought, who is in none any more; and what they were.
        followers: how many entries groups have brought.
    """

    added: Mapping[str, Role] = field(default_factory=dict)
    moved: Mapping[str, Move] = field(default_factory=dict)
    removed: Mapping[str, Role] = field(default_factory=dict)
    followers: int = 0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.added or self.moved or self.removed)

    def without_removals(self) -> "Difference":
        """The same, but for those who go."""
        return replace(self, removed={})


def difference(people: Roster, members: Mapping[Role, Collection[str]]) -> Difference:
    """What has to be done for a roster to follow groups.

    Args:
        people: the roster.
        members: who is in the groups that give each role; of several roles, the highest counts.
    """
    wanted: dict[str, Role] = {}
    for role in Role:
        for user in sorted(members.get(role, ())):
            if people.named_role(user) is None:
                wanted.setdefault(user, role)
    present = _brought_by_groups(people)
    return Difference(
        added={user: role for user, role in wanted.items() if user not in present},
        moved={user: Move(role, wanted[user]) for user, role in present.items() if wanted.get(user, role) is not role},
        removed={user: role for user, role in present.items() if user not in wanted},
        followers=len(present),
    )


def is_too_much(removed: int, followers: int) -> bool:
    """Whether nobody should be removed before somebody has looked.

    Args:
        removed: how many would go.
        followers: how many entries groups have brought.
    """
    return removed > HANDFUL and removed * PART > followers


def follow(volume: Volume, course: str, planned: Difference, last_check: LastCheck = no_check) -> Difference:
    """Change a roster as planned, by one write.

    What others have changed since then stays: whoever was entered meanwhile is left alone.

    Args:
        planned: what `difference` said of it before.
        last_check: see `roster.change`.

    Returns:
        what was done.

    Raises:
        CourseNotFound, BrokenManifest: see `roster.change`.
    """
    done = Difference()

    def changed(people: Roster) -> Roster:
        nonlocal done
        present = _brought_by_groups(people)
        done = Difference(
            {user: role for user, role in planned.added.items() if user not in people},
            {
                user: move
                for user, move in planned.moved.items()
                if present.get(user) is move.before and people.named_role(user) is None
            },
            {user: role for user, role in planned.removed.items() if present.get(user) is role},
            len(present),
        )
        return _after(people, done) if done else people

    roster.change(volume, course, changed, last_check)
    return done


def _brought_by_groups(people: Roster) -> dict[str, Role]:
    """Whom groups have brought, and as what: the higher role counts where two lists have somebody."""
    found: dict[str, Role] = {}
    for role in Role:
        for user, person in people.people(role).items():
            if person.source == FROM_GROUP:
                found.setdefault(user, role)
    return found


def _after(people: Roster, done: Difference) -> Roster:
    moved = {user: people.people(move.before)[user] for user, move in done.moved.items()}
    leaving = done.removed.keys() | moved.keys()
    after = people
    for role in Role:
        left = {
            user: person
            for user, person in people.people(role).items()
            if person.source != FROM_GROUP or user not in leaving
        }
        come = {user: moved[user] for user, move in done.moved.items() if move.after is role}
        come |= {user: Person(source=FROM_GROUP) for user, added in done.added.items() if added is role}
        after = after.with_people(role, {**left, **come})
    return after
