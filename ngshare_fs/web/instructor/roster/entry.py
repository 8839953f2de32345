"""One entry of the roster: adding somebody, or changing what they are and what is known of them."""

from collections.abc import Mapping
from typing import Any

from ngshare_fs.access.permission import Who
from ngshare_fs.roster_files import rows
from ngshare_fs.roster_files.characters import wrong_in_user_name
from ngshare_fs.store import Person, Role, roster
from ngshare_fs.store.errors import IsGrader, IsInstructor
from ngshare_fs.web.frame.page import Done, Field, Form, Page, Wrong
from ngshare_fs.web.frame.visit import Visit
from ngshare_fs.web.instructor.pasted import in_other_capitals, spelled_as_there
from ngshare_fs.web.instructor.roster.members import ROSTER, members_of

# The parameter that says whose entry it is.
MEMBER = "member"
OF_PERSON = ("first_name", "last_name", "email")
FIELDS = (Field(MEMBER, 300), Field("role", 20), *(Field(name, 300, required=False) for name in OF_PERSON))


def read(visit: Visit) -> Mapping[str, Any]:
    """What the entry has so far."""
    found = next((each for each in members_of(visit.roster) if each.user == visit.query.get(MEMBER)), None)
    return {
        "names": dict(visit.asking.names),
        "found": found,
        "roles": [role.value for role in reversed(Role) if role is not Role.INSTRUCTOR or _sets_instructors(visit)],
    }


def _sets_instructors(visit: Visit) -> bool:
    """Whether they may make somebody an instructor; their own names are changed by everybody."""
    return visit.caller.is_admin or visit.role is Role.INSTRUCTOR


def save(visit: Visit, values: Mapping[str, str]) -> Done:
    """Make somebody a member, or change the entry."""
    user = spelled_as_there(values[MEMBER].strip(), visit.roster.users())
    role = next((each for each in Role if each.value == values["role"]), None)
    _check(visit, user, role, values)
    first_name, last_name, email = (values[name].strip() for name in OF_PERSON)
    person = Person(first_name, last_name, email)
    try:
        _set(visit, user, role, person)
    except IsInstructor:
        raise Wrong({"role": "wrong.is-instructor"}) from None
    except IsGrader:
        raise Wrong({"role": "wrong.is-grader"}) from None
    return Done(ROSTER.path, visit.asking.names, "entry-set")


def _set(visit: Visit, user: str, role: Role | None, person: Person) -> None:
    about = visit.volume, visit.course, user, person, visit.last_check
    if role is Role.INSTRUCTOR:
        # As in the API: only admins make instructors for good.
        roster.set_instructor(*about, stays_marked=not visit.caller.is_admin)
        visit.note("set-instructor", user, student="")
    elif role is Role.GRADER:
        roster.set_grader(*about)
        visit.note("set-grader", user, student="")
    else:
        roster.set_student(*about)
        visit.note("set-student", student=user)


def _check(visit: Visit, user: str, role: Role | None, values: Mapping[str, str]) -> None:
    problems: dict[str, str] = {}
    wrong = wrong_in_user_name(user)
    if wrong is not None:
        problems[MEMBER] = rows.with_hidden_character(user, wrong)
    elif (other := in_other_capitals(user, visit.roster.users())) is not None:
        problems[MEMBER] = other
    if role is None:
        problems["role"] = "wrong.no-role"
    elif role is Role.INSTRUCTOR and not visit.caller.is_admin and user != visit.user:
        problems["role"] = "wrong.only-admins"
    for name in OF_PERSON:
        mistake = rows.wrong_text(name, values[name].strip())
        if mistake is not None:
            problems[name] = mistake
    if problems:
        raise Wrong(problems)


ROSTER_ENTRY = Page(
    "pages/roster-entry/{course}",
    Who.INSTRUCTOR,
    "roster_entry",
    read,
    under=ROSTER,
    forms=(Form("save", save, FIELDS),),
)
