"""Servers bring rosters in step with the hub's groups: what is said, what is held back, and by which process."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.access import roster_sync
from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.access.roster_sync import plan
from ngshare_fs.formats.group_pattern import group_pattern_in
from ngshare_fs.hub import HubClient
from ngshare_fs.server import group_sync, worker
from ngshare_fs.server.group_sync import GroupSync, keep_rosters
from ngshare_fs.server.signals import Shutdown
from ngshare_fs.settings import Settings
from ngshare_fs.store import Person, Volume, course, roster
from ngshare_fs.store.errors import CourseNotFound
from ngshare_fs.store.upkeep.one_of_all import one_of_all
from tests.hub_groups import LIST, READ, HubWithGroups

BROUGHT = Person(source="group")
CLASS = [f"student{number:03}" for number in range(40)]


@pytest.fixture
async def hub(aiohttp_server: Any) -> HubWithGroups:
    hub = HubWithGroups(groups={"formgrade-math": ["kevin"], "nbgrader-math": list(CLASS)})
    hub.grant(LIST, READ)
    await hub.begin(aiohttp_server)
    return hub


@pytest.fixture
async def grouped(settings: Settings) -> Settings:
    return replace(
        settings,
        instructor_groups=(group_pattern_in("formgrade-{course}"),),
        student_groups=(group_pattern_in("nbgrader-{course}"),),
        group_sync=timedelta(seconds=1),
    )


@pytest.fixture
async def volume(settings: Settings) -> AsyncIterator[Volume]:
    opened = await asyncio.to_thread(Volume.open, settings.data)
    await asyncio.to_thread(course.create, opened, "math", ["kevin"])
    yield opened
    await asyncio.to_thread(opened.close)


@pytest.fixture
async def sync(volume: Volume, hub: HubWithGroups, grouped: Settings) -> AsyncIterator[GroupSync]:
    client = HubClient(hub.hub)
    yield GroupSync(volume, client, grouped, "ngshare")
    await client.close()


def students(volume: Volume, name: str = "math") -> set[str]:
    return set(roster.of(volume, name).students)


def said(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What was logged since the last look."""
    lines = [record.getMessage() for record in caplog.records if record.levelno >= level]
    caplog.clear()
    return lines


def journal(volume: Volume) -> list[str]:
    volume.journal.flush()
    return "".join(file.read_text() for file in Path(volume.root).rglob("*.jsonl")).splitlines()


async def test_rosters_follow_and_it_is_told_once(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ngshare_fs")
    assert await sync.is_done()
    assert students(volume) == set(CLASS)
    people = roster.of(volume, "math")
    assert people.instructors["kevin"].source is None
    assert people.students[CLASS[0]].source == "group"
    (line,) = said(caplog)
    assert line.startswith("the roster of 'math' follows the hub's groups: added 40: student000 (student), ")
    assert line.endswith(" and 20 more")
    assert len([line for line in journal(volume) if '"join-by-group", "by": "server", "via": "server"' in line]) == 40
    assert await sync.is_done()
    hub.groups["nbgrader-math"].remove("student003")
    hub.groups["nbgrader-math"].append("zoë")
    hub.groups["formgrade-math"].append("student004")
    assert await sync.is_done()
    people = roster.of(volume, "math")
    assert set(people.students) == {*CLASS, "zoë"} - {"student003", "student004"}
    assert people.instructors["student004"].source == "group"
    assert said(caplog) == [
        "the roster of 'math' follows the hub's groups: added 1: zoë (student); "
        "changed 1: student004 (student, now instructor); removed 1: student003"
    ]
    assert any('"leave-by-group"' in line and '"student": "student003"' in line for line in journal(volume))


async def test_many_who_go_are_held_back_and_others_come_all_the_same(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    assert await sync.is_done()
    hub.groups["nbgrader-math"] = ["new"]
    for _ in range(2):
        assert await sync.is_done()
    assert students(volume) == {*CLASS, "new"}
    (line,) = said(caplog, logging.WARNING)
    assert "40 whom groups have brought are in none any more: too many to go unasked, and nobody" in line
    assert "`ngshare-fs course sync --from-hub math --yes`" in line
    del hub.groups["nbgrader-math"]
    assert await sync.is_done()
    (line,) = said(caplog, logging.WARNING)
    assert "41 whom" in line
    assert "the hub has no group 'nbgrader-math'" in line
    hub.groups["nbgrader-math"] = [*CLASS, "new"]
    caplog.set_level(logging.INFO, "ngshare_fs")
    assert await sync.is_done()
    assert said(caplog) == ["the roster of 'math' follows the hub's groups again"]


async def test_small_courses_together_are_held_back_too(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        await asyncio.to_thread(course.create, volume, f"c{number}", [])
        hub.groups[f"nbgrader-c{number}"] = ["ada", "bob", "eve"]
    hub.groups["nbgrader-math"].clear()
    assert await sync.is_done()
    hub.groups.clear()
    assert await sync.is_done()
    assert all(students(volume, f"c{number}") == {"ada", "bob", "eve"} for number in range(3))
    assert len(said(caplog, logging.WARNING)) == 3
    # One alone may go.
    hub.groups |= {f"nbgrader-c{number}": ["ada", "bob", "eve"] for number in range(2)}
    assert await sync.is_done()
    assert students(volume, "c2") == set()


async def test_a_hub_that_is_down_is_told_once_and_nothing_changes(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ngshare_fs")
    hub.broken = (503, "")
    assert [await sync.is_done() for _ in range(3)] == [False] * 3
    assert students(volume) == set()
    (line,) = said(caplog)
    assert line.startswith("rosters cannot follow the hub's groups, and stay as they are: ")
    hub.broken = None
    assert await sync.is_done()
    assert said(caplog)[0] == "rosters follow the hub's groups again"
    hub.owners.clear()
    assert not await sync.is_done()
    assert "does not know the token" in said(caplog)[0]
    assert students(volume) == set(CLASS)


async def test_a_missing_scope_is_told_once_with_what_to_do(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    assert await sync.is_done()
    hub.groups["nbgrader-math"].clear()
    for scopes in ([], [LIST], [f"{READ}!group=nbgrader-math"]):
        hub.grant(*scopes)
        assert await sync.is_done()
        assert students(volume) == set(CLASS)
    first, second = said(caplog, logging.WARNING)
    assert "does not let this service read groups (2: 'formgrade-math', 'nbgrader-math'), and rosters" in first
    assert "do not follow them (1: 'math'); it takes in c.JupyterHub" in first
    assert '{"name": "ngshare-groups", "services": ["ngshare"], "scopes": ["list:groups", "read:groups"]}' in first
    assert "read groups (1: 'formgrade-math'), and" in second
    caplog.set_level(logging.INFO, "ngshare_fs")
    hub.grant(LIST, READ)
    assert await sync.is_done()
    assert "lets this service read the groups of all courses again" in said(caplog)[0]


async def test_what_cannot_be_read_or_written_keeps_no_other_course_from_it(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    for name in ("art", "biology"):
        await asyncio.to_thread(course.create, volume, name, [])
        hub.groups[f"nbgrader-{name}"] = ["ada"]
    broken = Path(volume.root) / "courses/art/course.yaml"
    text = broken.read_text()
    broken.write_text("course: [")
    real = roster_sync.carry_out

    def full(volume: Volume, name: str, *rest: Any) -> Any:
        if name == "biology":
            raise OSError(28, "No space left on device")
        return real(volume, name, *rest)

    monkeypatch.setattr(group_sync, "carry_out", full)
    for _ in range(2):
        assert await sync.is_done()
    assert students(volume) == set(CLASS)
    told = said(caplog, logging.WARNING)
    assert len(told) == 3  # the file itself is told of, too, when it is read
    assert any("'art' does not follow" in line and "cannot be read" in line for line in told)
    assert any("'biology' does not follow" in line and "No space left" in line for line in told)
    broken.write_text(text)
    monkeypatch.setattr(group_sync, "carry_out", real)
    assert await sync.is_done()
    assert students(volume, "art") == students(volume, "biology") == {"ada"}


async def test_of_a_course_that_is_deleted_nothing_more_is_said(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ngshare_fs")
    await asyncio.to_thread(course.create, volume, "art", [])
    broken = Path(volume.root) / "courses/art/course.yaml"
    text = broken.read_text()
    for mends in (True, False):
        broken.write_text("course: [")
        assert await sync.is_done()
        assert any("'art' does not follow" in line for line in said(caplog, logging.WARNING))
        broken.write_text(text)
        if not mends:
            await asyncio.to_thread(course.delete, volume, "art", "root")
        assert await sync.is_done()
        assert any("'art' follows the hub's groups again" in line for line in said(caplog)) is mends


async def test_a_courses_own_groups_count_in_place_of_the_patterns(
    sync: GroupSync, hub: HubWithGroups, volume: Volume
) -> None:
    file = Path(volume.root) / "courses/math/course.yaml"
    file.write_text(file.read_text() + "groups: {graders: [tutors], students: [first, second]}\n")
    hub.groups |= {"tutors": ["tina"], "first": ["ada"], "second": ["bob", "tina", "service:x"]}
    assert await sync.is_done()
    people = roster.of(volume, "math")
    assert (set(people.students), set(people.graders)) == ({"ada", "bob"}, {"tina"})
    file.write_text(file.read_text().partition("groups:")[0] + "groups: {}\n")
    asked = len(hub.pages)
    assert await sync.is_done()
    assert students(volume) == {"ada", "bob"}  # no groups belong to it: nobody has left one
    assert len(hub.pages) == asked


async def test_who_joins_while_the_hub_is_asked_has_not_left(
    hub: HubWithGroups, volume: Volume, grouped: Settings
) -> None:
    client = HubClient(hub.hub)

    def join(offset: int) -> None:
        roster.change(volume, "math", lambda people: replace(people, students={**people.students, "late": BROUGHT}))

    hub.before_page = join
    found = await plan(volume, client, GroupPatterns.configured(grouped))
    await client.close()
    assert not found.courses[0].difference.removed
    with pytest.raises(CourseNotFound):
        await plan(volume, client, GroupPatterns.configured(grouped), ["none"])


async def test_one_process_does_it_until_it_is_gone(
    sync: GroupSync, hub: HubWithGroups, volume: Volume, grouped: Settings
) -> None:
    other = await asyncio.to_thread(Volume.open, Path(volume.root))
    with contextlib.ExitStack() as turn:
        with one_of_all(other, group_sync.TASK) as is_ours:
            assert is_ours
            assert not sync.is_ours(turn)
        assert sync.is_ours(turn)
        task = asyncio.create_task(keep_rosters(volume, grouped, hub.hub))
    await asyncio.wait_for(_pages(hub, 2), 30)
    with one_of_all(other, group_sync.TASK) as is_ours:
        assert not is_ours
    task.cancel()
    await asyncio.wait([task])
    with one_of_all(other, group_sync.TASK) as is_ours:
        assert is_ours
    await asyncio.to_thread(other.close)
    assert students(volume) == set(CLASS)


async def _pages(hub: HubWithGroups, number: int) -> None:
    while len(hub.pages) < number:
        await asyncio.sleep(0.01)


async def test_a_server_that_stops_changes_nothing_more(
    hub: HubWithGroups, volume: Volume, grouped: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread that waits for a roster's lock outlives the server's work, and the volume is closed by then."""
    caplog.set_level(logging.INFO, "ngshare_fs")
    started = asyncio.Event()
    loop = asyncio.get_running_loop()
    ended = threading.Event()

    def carrying_out(*work: Any) -> Any:
        loop.call_soon_threadsafe(started.set)
        try:
            return roster_sync.carry_out(*work)
        finally:
            ended.set()

    with pytest.MonkeyPatch.context() as patch, volume.locks.hold("course", "math"):
        patch.setattr(group_sync, "carry_out", carrying_out)
        task = asyncio.create_task(keep_rosters(volume, grouped, hub.hub))
        await asyncio.wait_for(started.wait(), 30)
        task.cancel()
        await asyncio.wait([task], timeout=30)
        assert task.cancelled()
        assert not ended.is_set()
    assert await asyncio.to_thread(ended.wait, 30)
    assert students(volume) == set()
    assert not any("follow" in line for line in said(caplog))


@pytest.mark.parametrize("seconds", [0, 60])
async def test_only_a_server_that_is_told_to_keeps_rosters(
    seconds: int, hub: HubWithGroups, volume: Volume, grouped: Settings
) -> None:
    told = replace(grouped, hub=hub.hub, group_sync=timedelta(seconds=seconds), trash_days=0)
    tasks = worker._beside_serving(told, None, Shutdown(), volume)
    assert len(tasks) == 1 + bool(seconds)
    for task in tasks:
        task.cancel()
        await asyncio.wait([task])
