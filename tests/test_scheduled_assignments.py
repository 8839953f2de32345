"""Before its release date an assignment is there for those who teach alone; and what a broken file of dates hides."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Tree, Volume, dates, release
from ngshare_fs.store.reading import fingerprint
from tests.conftest import Exchange, MakeExchange
from tests.test_dates_in_api import WORK, at, dates_file, dates_for, listed, patch, said
from tests.trees import contents, tree

NO_ASSIGNMENT = (404, "Assignment not found")
UNREADABLE = (503, "Course data cannot be read; ask your administrator to run `ngshare-fs verify`")
LATER = {"release": "2090-01-01 08:00 Europe/Vienna", "due": "2090-01-15"}
MOMENT = "2020-01-01 00:00:00.000000 UTC"
BROKEN = "due: [\n"


async def seen(exchange: Exchange, user: str) -> list[str]:
    """The assignments that somebody is told of, by both lists."""
    named = (await exchange.call("GET", "assignments/c", user)).body["assignments"]
    assert named == [each["assignment_id"] for each in (await listed(exchange, user))["assignments"]]
    assert isinstance(named, list)
    return named


async def test_one_that_is_released_later_is_never_there_for_students(taught: Exchange) -> None:
    assert (await taught.call("POST", "assignment/c/new", "kevin", files=WORK, **LATER)).status == 200
    assert dates_file(taught, "new").read_text() == (
        "release: 2090-01-01 08:00:00 Europe/Vienna\ndue: 2090-01-15 23:59:59 UTC\n"
    )
    assert (await seen(taught, "lawrence"), await seen(taught, "kevin")) == (["a"], ["a", "new"])
    for call in (
        ("GET", "assignment/c/new", "lawrence"),
        ("POST", "submission/c/new", "lawrence"),
        # Nor does what is asked of one's own work say that it is there.
        ("GET", "submissions/c/new/lawrence", "lawrence"),
        ("GET", "submission/c/new/lawrence", "lawrence"),
        ("GET", "feedback/c/new/lawrence", "lawrence"),
    ):
        there = await taught.call(*call, files=WORK, timestamp=MOMENT)
        elsewhere = await taught.call(call[0], call[1].replace("new", "none"), call[2], files=WORK, timestamp=MOMENT)
        assert said(there) == said(elsewhere) == NO_ASSIGNMENT, call
    for user in ("kevin", "root"):
        (_, shown) = (await listed(taught, user))["assignments"]
        assert shown["dates"]["state"] == "scheduled"
        assert shown["dates"]["release"] == "2090-01-01 07:00:00.000000 UTC"
        assert (await taught.call("GET", "assignment/c/new", user)).status == 200
        assert (await taught.call("POST", "submission/c/new", user, files=WORK)).status == 200
    assert (await patch(taught, assignment="new", release="")).body["dates"]["state"] == "open"
    assert await seen(taught, "lawrence") == ["a", "new"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_is_withdrawn_is_released_with_new_dates(taught: Exchange, method: str) -> None:
    await patch(taught, due="2089-01-01", grace="5m")
    await taught.call("PUT", "assignment/c/a/withdrawn", "kevin")
    assert (await taught.call(method, "assignment/c/a", "kevin", files=WORK, **LATER)).status == 200
    assert await seen(taught, "lawrence") == []
    found = (await taught.call("GET", "extensions/c/a", "kevin")).body["written"]
    assert (found["release"], found["due"]) == ("2090-01-01 08:00:00 Europe/Vienna", "2090-01-15 23:59:59 UTC")
    assert found["grace"] == "5m"


async def test_refused_because_it_is_there_it_keeps_its_dates(taught: Exchange) -> None:
    await patch(taught, due="2089-01-01")
    before = dates_file(taught).read_bytes()
    answer = await taught.call("POST", "assignment/c/a", "kevin", files=WORK, **LATER)
    assert said(answer) == (409, "Assignment already exists")
    assert dates_file(taught).read_bytes() == before


async def test_who_has_handed_in_goes_on_reading_that(taught: Exchange) -> None:
    at(taught, "lawrence", MOMENT)
    await patch(taught, release="2090-01-01")
    course = await listed(taught, "lawrence")
    assert (course["assignments"], len(course["submissions"])) == ([], 1)
    assert (await taught.call("GET", "submission/c/a/lawrence", "lawrence")).status == 200
    assert (await taught.call("GET", "submissions/c/a/lawrence", "lawrence")).status == 200
    assert said(await taught.call("POST", "submission/c/a", "lawrence", files=WORK)) == NO_ASSIGNMENT


async def test_dates_beside_a_release_that_is_kept_ready(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files come from memory; the dates are those of whoever asks, as they are at that moment."""
    monkeypatch.setattr(fingerprint, "RACY_NANOSECONDS", -(10**12))  # old enough at once
    files = {"f": b"1" * 10**6}
    await taught.call("PUT", "assignment/c/a", "kevin", files=tree(files))
    for user, fields, due in (
        ("lawrence", {"due": "2090-01-01"}, "2090-01-01 23:59:59.000000 UTC"),
        ("kevin", {}, "2090-01-01 23:59:59.000000 UTC"),
        ("lawrence", {"due": "2020-01-01"}, "2020-01-01 23:59:59.000000 UTC"),
    ):
        if fields:
            await patch(taught, **fields)
        answer = await taught.call("GET", "assignment/c/a", user)
        assert int(answer.headers["Content-Length"]) > 10**6
        assert contents(answer.body) == files
        assert answer.body["dates"]["due"] == due
    await patch(taught, due="2090-01-01")
    await taught.call("PUT", "extension/c/a/lawrence", "kevin", due="2091-01-01")
    found = await asyncio.gather(*(dates_for(taught, user) for user in ("lawrence", "kevin") * 4))
    assert [each["due"][:4] for each in found] == ["2091", "2090"] * 4
    await patch(taught, release="2089-01-01")
    assert said(await taught.call("GET", "assignment/c/a", "lawrence")) == NO_ASSIGNMENT


async def test_what_is_released_for_later_beside_somebody_who_fetches_is_not_sent(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were let in before; the release that is found then is one that they may not see yet."""
    newest = release.newest

    def after_another_release(volume: Volume, course: str, assignment: str) -> Tree | None:
        monkeypatch.setattr(release, "newest", newest)
        with volume.upload() as upload:
            later = {"release": moment_in("2090-01-01 UTC")}
            release.release_again(volume, course, assignment, "kevin", upload, changes=later)
        return newest(volume, course, assignment)

    monkeypatch.setattr(release, "newest", after_another_release)
    assert said(await taught.call("GET", "assignment/c/a", "lawrence")) == NO_ASSIGNMENT
    assert release.newest is newest
    assert (await taught.call("GET", "assignment/c/a", "kevin")).status == 200


async def fresh(exchange: Exchange, make_exchange: MakeExchange) -> Exchange:
    """Another server on the same volume, which has read nothing yet."""
    return await make_exchange(data=exchange.data)


async def test_a_broken_file_that_was_understood_before_goes_on_counting(taught: Exchange) -> None:
    await patch(taught, due="2090-01-01")
    before = await dates_for(taught, "lawrence")
    _edit(dates_file(taught), BROKEN)
    assert await dates_for(taught, "lawrence") == before
    problem = "courses/c/assignments/a/assignment.yaml, line "
    assert (await listed(taught, "kevin"))["problem"].startswith(problem)
    assert (await listed(taught, "lawrence"))["problem"] is None
    for call in (("PATCH", "assignment/c/a"), ("PUT", "extension/c/a/lawrence"), ("DELETE", "extension/c/a/lawrence")):
        assert said(await taught.call(*call, "kevin", due="2091-01-01")) == UNREADABLE
    assert dates_file(taught).read_text() == BROKEN


@pytest.mark.parametrize("broken", [BROKEN, "due: tomorrow\n", "relaese: 2090-01-01 UTC\n", "due: 2090-01-01\n", None])
async def test_a_broken_file_that_was_never_understood_loses_no_work(
    taught: Exchange, make_exchange: MakeExchange, broken: str | None
) -> None:
    at(taught, "lawrence", MOMENT)
    if broken is None:
        dates_file(taught).mkdir()  # cannot be read at all
    else:
        _edit(dates_file(taught), broken)
    server = await fresh(taught, make_exchange)
    answer = await server.call("POST", "submission/c/a", "lawrence", files=WORK)
    assert (answer.status, answer.body["due"], answer.body["late_seconds"]) == (200, None, None)
    for user in ("lawrence", "kevin"):
        assert said(await server.call("GET", "assignment/c/a", user)) == UNREADABLE
    assert await seen(server, "lawrence") == []
    assert len((await listed(server, "lawrence"))["submissions"]) == 2
    assert (await server.call("GET", "submission/c/a/lawrence", "lawrence")).status == 200
    course = await listed(server, "kevin", submissions="all")
    assert course["problem"].startswith("courses/c/assignments/a/assignment.yaml")
    assert [each["dates"] for each in course["assignments"]] == [None]
    assert [each["late_seconds"] for each in course["submissions"]] == [None, None]
    collected = await server.call("POST", "collection/c/a", "kevin")
    assert json.loads(collected.body["html"].splitlines()[0])["due"] is None
    assert said(await server.call("POST", "collection/c/a", "kevin", before="due")) == UNREADABLE
    assert said(await server.call("GET", "extensions/c/a", "kevin")) == UNREADABLE
    # Mended, it counts at once.
    if broken is None:
        dates_file(taught).rmdir()
    _edit(dates_file(taught), "due: 2020-01-01 UTC\n")
    assert (await dates_for(server, "lawrence"))["state"] == "late"


async def test_work_that_is_withdrawn_is_not_taken_for_a_broken_file_either(
    taught: Exchange, make_exchange: MakeExchange
) -> None:
    await taught.call("PUT", "assignment/c/a/withdrawn", "kevin")
    _edit(dates_file(taught), BROKEN)
    server = await fresh(taught, make_exchange)
    assert said(await server.call("POST", "submission/c/a", "lawrence", files=WORK)) == NO_ASSIGNMENT


async def test_what_is_stored_is_not_told_as_lost(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fails when the work is stored, and its lateness is still to be said."""
    await patch(taught, due="2020-01-01")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(dates, "of", fail)
    monkeypatch.setattr(dates, "check_open", lambda *_: dates.Dates())
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK)
    assert (answer.status, answer.body["late_seconds"]) == (200, None)


def _edit(file: Path, text: str) -> None:
    """Write a file as an editor does, long ago."""
    aside = file.with_name("edited")
    aside.write_text(text)
    os.utime(aside, (1e9, 1e9))
    aside.rename(file)
