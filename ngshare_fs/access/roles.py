"""What somebody is in a course: the one place that says it, of the roster and of the hub's groups."""

from functools import partial

from ngshare_fs.access.groups import UserGroups
from ngshare_fs.store import Role, Roster, Volume
from ngshare_fs.store import course as courses

# The word for somebody who sees a course and is nothing there.
ADMIN = "admin"


def role_in(course: str, roster: Roster, user: str, groups: UserGroups) -> Role | None:
    """What somebody is in a course: as its roster says, or else as their groups do; None for a stranger."""
    return roster.named_role(user) or (groups.role_in(course, roster) if groups.names else None)


def courses_seen_by(volume: Volume, user: str, is_admin: bool, groups: UserGroups) -> list[str]:
    """All courses to an admin, to others those in which they have a role; sorted."""
    if is_admin:
        return courses.all_courses(volume)
    return courses.courses_where(volume, partial(role_in, user=user, groups=groups))


def in_words(role: Role | None) -> str:
    """The word for what somebody is who sees a course."""
    return ADMIN if role is None else role.value


def teaches(role: Role | None, is_admin: bool) -> bool:
    """Whether somebody with a role in a course may do there what its instructors may."""
    return is_admin or role is Role.INSTRUCTOR


def grades(role: Role | None, is_admin: bool) -> bool:
    """The same for what its graders may, and so its instructors."""
    return is_admin or role is Role.INSTRUCTOR or role is Role.GRADER
