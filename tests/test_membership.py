"""Rosters that follow groups: who comes, who goes, who changes; and whom nothing moves."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.store import Person, Role, Roster, Volume, course, roster
from ngshare_fs.store.errors import BrokenManifest, CourseNotFound
from ngshare_fs.store.membership import Difference, Move, difference, follow, is_too_much

INSTRUCTOR, GRADER, STUDENT = Role
BROUGHT = Person(source="group")
NOBODY: Mapping[str, Person] = {}
ADA = Person("Ada", "Lovelace", "ada@uni.example")


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(tmp_path / "volume")
    yield opened
    opened.close()


def of(
    instructors: Mapping[str, Person] = NOBODY,
    graders: Mapping[str, Person] = NOBODY,
    students: Mapping[str, Person] = NOBODY,
) -> Roster:
    return Roster("c", instructors, students, graders=graders)


def test_who_comes_goes_and_changes() -> None:
    people = of(
        instructors={"kevin": Person(), "old": BROUGHT},
        graders={"tina": BROUGHT},
        students={"ada": BROUGHT, "eve": BROUGHT, "max": Person()},
    )
    members = {INSTRUCTOR: {"tina", "max"}, GRADER: {"new tutor"}, STUDENT: {"ada", "kevin", "new"}}
    found = difference(people, members)
    assert found.added == {"new tutor": GRADER, "new": STUDENT}
    assert found.moved == {"tina": Move(GRADER, INSTRUCTOR)}
    assert found.removed == {"old": INSTRUCTOR, "eve": STUDENT}
    assert found.followers == 4
    assert found
    assert not found.without_removals().removed


def test_of_several_groups_the_highest_role_counts() -> None:
    members = {STUDENT: {"ada"}, GRADER: {"ada", "bob"}, INSTRUCTOR: {"bob"}}
    assert difference(of(), members).added == {"ada": GRADER, "bob": INSTRUCTOR}


def test_in_step_is_no_difference() -> None:
    found = difference(of(students={"ada": BROUGHT, "max": ADA}), {STUDENT: {"ada", "max"}})
    assert (bool(found), found.followers) == (False, 1)


users = st.sampled_from("abcdefgh")
entries = st.dictionaries(users, st.sampled_from([BROUGHT, Person(), ADA, replace(ADA, source="group")]))


@given(entries, entries, entries, st.dictionaries(st.sampled_from(Role), st.sets(users)))
def test_afterwards_groups_and_roster_say_the_same(
    instructors: dict[str, Person],
    graders: dict[str, Person],
    students: dict[str, Person],
    members: dict[Role, set[str]],
) -> None:
    before = of(instructors=instructors, graders=graders, students=students)
    found = difference(before, members)
    # By hand, the plainest way: what was entered stays, all others are what their highest group says.
    entered = {
        user for role in Role for user, person in before.people(role).items() if person.source is None
    }  # fmt: skip
    wanted = {user: role for role in reversed(Role) for user in members.get(role, ()) if user not in entered}
    present = {
        user: role
        for role in reversed(Role)
        for user, person in before.people(role).items()
        if person.source is not None
    }
    after = {user: role for user, role in present.items() if user not in found.removed}
    after |= {user: move.after for user, move in found.moved.items()}
    assert not found.added.keys() & present.keys()
    assert {**after, **found.added} == wanted
    assert all(present[user] is move.before is not move.after for user, move in found.moved.items())


@pytest.mark.parametrize(
    ("removed", "followers", "too_much"),
    [(0, 0, False), (5, 5, False), (6, 6, True), (6, 23, True), (6, 24, False), (25, 100, False), (26, 100, True)],
)
def test_more_than_a_handful_and_a_quarter_is_too_much(removed: int, followers: int, too_much: bool) -> None:
    assert is_too_much(removed, followers) is too_much


def written(volume: Volume) -> str:
    return (Path(volume.root) / "courses/c/course.yaml").read_text()


def test_a_roster_follows_by_one_write_and_keeps_what_people_wrote(volume: Volume) -> None:
    course.create_with(
        volume, of(instructors={"kevin": Person()}, students={"ada": replace(ADA, source="group"), "eve": BROUGHT})
    )
    file = Path(volume.root) / "courses/c/course.yaml"
    text = file.read_text().replace("ada:\n", "ada:\n    section: b\n") + "term: winter\n"
    file.write_text(text)
    planned = difference(roster.of(volume, "c"), {GRADER: {"ada"}, STUDENT: {"new"}})
    done = follow(volume, "c", planned)
    assert (done.added, done.moved, done.removed) == (planned.added, planned.moved, planned.removed)
    people = roster.of(volume, "c")
    assert list(people.students) == ["new"]
    assert people.students["new"].source == "group"
    assert (people.graders["ada"].last_name, people.graders["ada"].source) == ("Lovelace", "group")
    assert "section: b" in written(volume)
    assert "term: winter" in written(volume)
    # The same once more does nothing at all.
    before = file.stat()
    assert not follow(volume, "c", planned)
    assert file.stat().st_ino == before.st_ino


def test_what_others_did_meanwhile_stays(volume: Volume) -> None:
    course.create_with(volume, of(students={user: BROUGHT for user in ("ada", "bob", "eve", "max")}))
    planned = difference(roster.of(volume, "c"), {GRADER: {"bob", "max"}, STUDENT: {"zoë"}})
    assert set(planned.removed) == {"ada", "eve"}
    roster.set_student(volume, "c", "ada", ADA)  # entered by hand
    roster.set_instructor(volume, "c", "bob", Person())
    roster.set_instructor(volume, "c", "zoë", Person())
    roster.remove_student(volume, "c", "eve")
    done = follow(volume, "c", planned)
    assert (done.added, done.removed, set(done.moved)) == ({}, {}, {"max"})
    people = roster.of(volume, "c")
    assert people.named_role("ada") is STUDENT
    assert set(people.instructors) == {"bob", "zoë"}
    assert set(people.graders) == {"max"}


def test_names_come_with_the_person(volume: Volume) -> None:
    """Groups have no names; the hub says them when somebody comes."""
    course.create_with(volume, of(students={"ada": BROUGHT, "bob": replace(ADA, source="group")}))
    known = [("ada", STUDENT, ADA), ("bob", STUDENT, Person("Robert")), ("new", GRADER, Person())]
    assert roster.mark(volume, "c", known) == ["new"]
    people = roster.of(volume, "c")
    assert people.students["ada"] == people.students["bob"] == replace(ADA, source="group")
    assert roster.mark(volume, "c", known) == []


def test_a_roster_that_is_broken_or_gone_is_left_alone(volume: Volume) -> None:
    course.create_with(volume, of(students={"ada": BROUGHT}))
    file = Path(volume.root) / "courses/c/course.yaml"
    planned = Difference(added={"bob": STUDENT})
    broken = file.read_text() + "students: {}\n"
    file.write_text(broken)
    with pytest.raises(BrokenManifest):
        follow(volume, "c", planned)
    assert file.read_text() == broken
    with pytest.raises(CourseNotFound):
        follow(volume, "none", planned)
