"""Which courses somebody sees, and what they are there."""

from ngshare_fs.store import Roster, Volume, course


def courses_seen_by(volume: Volume, user: str, is_admin: bool) -> list[str]:
    """All courses to an admin, to others those that they take or teach; sorted."""
    return course.all_courses(volume) if is_admin else course.courses_of(volume, user)


def role_in(roster: Roster, user: str) -> str:
    """What somebody who sees a course is there; who is not on its roster is an admin."""
    return "instructor" if user in roster.instructors else "student" if user in roster.students else "admin"


def teaches(roster: Roster, user: str, is_admin: bool) -> bool:
    """Whether somebody may do in a course what its instructors may."""
    return is_admin or user in roster.instructors
