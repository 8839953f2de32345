"""Rosters that follow groups, cut off at any step: each is as it was or as it is to be; the next run does the rest."""

from pathlib import Path

import pytest

from ngshare_fs.access.roster_sync import carry_out
from ngshare_fs.store import Person, Role, Roster, Volume, course, roster
from ngshare_fs.store.membership import Difference, Move
from tests.operators.killed import killed_at_each_step, quick_path
from tests.verifying import codes

__all__ = ["quick_path"]

COURSES = ("art", "math")
BROUGHT = Person(source="group")
BEFORE = {"ada", "eve", "tina"}
AFTER = {"ada", "new"}
PLANNED = Difference(
    added={"new": Role.STUDENT},
    moved={"tina": Move(Role.STUDENT, Role.GRADER)},
    removed={"eve": Role.STUDENT},
    followers=3,
)


@pytest.fixture
def template(quick_path: Path) -> Path:
    volume = Volume.open(quick_path / "template")
    for name in COURSES:
        course.create_with(volume, Roster(name, {"kevin": Person()}, {user: BROUGHT for user in sorted(BEFORE)}))
    volume.close()
    return quick_path / "template"


def follow_all(volume: Volume) -> None:
    for name in COURSES:
        carry_out(volume, name, PLANNED, "server", "server")


@pytest.mark.parametrize("is_full", [False, True])
def test_each_roster_is_as_before_or_as_it_is_to_be(is_full: bool, template: Path, quick_path: Path) -> None:
    seen = set()
    for _ in killed_at_each_step(template, quick_path / "data", follow_all, is_full):
        volume = Volume.open(quick_path / "data")
        for name in COURSES:
            people = roster.of(volume, name)
            assert (set(people.students), set(people.graders)) in ((BEFORE, set()), (AFTER, {"tina"}))
            seen.add(len(people.students))
        follow_all(volume)
        assert all(set(roster.of(volume, name).students) == AFTER for name in COURSES)
        volume.close()
        assert codes(quick_path / "data") == []
    assert seen == {len(BEFORE), len(AFTER)}
