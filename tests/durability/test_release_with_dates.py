"""A further release of an assignment, and its dates: two writes, of which students see the old or the new state.

First the dates are written, then the release is published. Where that fails, the dates are what they were. Where the
new dates show the assignment earlier, it is the other way round.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Volume, dates, release
from ngshare_fs.store.errors import AssignmentExists
from tests.durability.states import left_by_the_server
from tests.durability.verbs import (
    DATED,
    LATER,
    LATEST,
    NESTED,
    SMALL,
    WITHDRAWN,
    uploaded,
    write_small_volume,
)
from tests.operators.killed import killed_at_each_step, quick_path
from tests.verifying import codes
from tests.volumes import COURSE, INSTRUCTOR
from tests.written_by_hand import contents

__all__ = ["quick_path"]
pytestmark = pytest.mark.durability


def release_dated(volume: Volume) -> None:
    with uploaded(volume, NESTED) as upload:
        changes = {"due": moment_in(LATEST), "close": moment_in(LATEST)}
        release.release_again(volume, COURSE, DATED, INSTRUCTOR, upload, changes=changes)


def release_withdrawn(volume: Volume) -> None:
    with uploaded(volume, NESTED) as upload:
        release.release(volume, COURSE, WITHDRAWN, INSTRUCTOR, upload, changes={"due": moment_in(LATEST)})


def show_at_last(volume: Volume) -> None:
    with uploaded(volume, NESTED) as upload:
        release.release_again(volume, COURSE, DATED, INSTRUCTOR, upload, changes={"release": None})


def seen(data: Path, assignment: str) -> tuple[str, bool, bool]:
    """The due date, whether the release is the new one, and whether students see it."""
    volume = Volume.open(data)
    try:
        newest = release.newest(volume, COURSE, assignment)
        assert newest is not None
        found = contents(newest)
        assert found in (NESTED, SMALL)
        due = dates.of(volume, COURSE, assignment).due
        return str(due), found == NESTED, release.is_open(volume, COURSE, assignment)
    finally:
        volume.close()


@pytest.mark.parametrize(
    ("act", "assignment", "old"),
    [(release_dated, DATED, (LATER, False, True)), (release_withdrawn, WITHDRAWN, ("None", False, False))],
)
@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.long)])
def test_the_state_before_or_after(
    quick_path: Path, act: Callable[[Volume], None], assignment: str, old: tuple[str, bool, bool], is_full: bool
) -> None:
    write_small_volume(quick_path / "template")
    found = set()
    for _ in killed_at_each_step(quick_path / "template", quick_path / "data", act, is_full):
        found.add(seen(quick_path / "data", assignment))
        assert codes(quick_path / "data") == []
        assert left_by_the_server(quick_path / "data") == []
        volume = Volume.open(quick_path / "data")
        try:
            act(volume)
        except AssignmentExists:
            assert seen(quick_path / "data", assignment)[1]
        finally:
            volume.close()
        assert seen(quick_path / "data", assignment) == (LATEST, True, True), "done again, it is done"
    between = (LATEST, *old[1:])
    assert found <= ({old, (LATEST, True, True)} if is_full else {old, between, (LATEST, True, True)})
    assert old in found


def test_students_never_see_what_the_release_replaces_that_shows_the_assignment(quick_path: Path) -> None:
    write_small_volume(quick_path / "template")
    file = quick_path / "template/courses" / COURSE / "assignments" / DATED / "assignment.yaml"
    file.write_text(f"release: {LATER}\n")
    os.utime(file, (1e9, 1e9))
    found = set()
    for _ in killed_at_each_step(quick_path / "template", quick_path / "data", show_at_last):
        volume = Volume.open(quick_path / "data")
        is_shown = DATED in release.visible_assignments(volume, COURSE, dates.now())
        found.add((is_shown, contents(release.newest(volume, COURSE, DATED)) == NESTED))
        show_at_last(volume)
        assert DATED in release.visible_assignments(volume, COURSE, dates.now())
        volume.close()
        assert codes(quick_path / "data") == []
    assert (False, False) in found
    assert (True, False) not in found
