"""Dates in the API: as they apply to whoever asks, how late work is, and what is refused."""

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from ngshare_fs.api.action import act
from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Timestamp, dates, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import AssignmentClosed
from tests.conftest import Answer, Exchange
from tests.test_writing_process import job_for
from tests.trees import contents, tree

WORK = tree({"p.ipynb": b"{}"})
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
NAMES = {"first_name": "", "last_name": "", "email": ""}
NOTHING_SET = {"release": None, "due": None, "close": None, "grace_seconds": 0, "timezone": "UTC", "extended": False}
NOTHING_SET |= {"reason": None}


@pytest.fixture
async def zoned(taught: Exchange) -> Exchange:
    """`taught`, with a second student `ada`, and rules in `course.yaml`."""
    assert (await taught.call("POST", "student/c/ada", "kevin", **NAMES)).status == 200
    file = taught.data / "courses/c/course.yaml"
    edited = file.with_name("edited")
    edited.write_text(file.read_text() + "timezone: Europe/Vienna\ngrace: 5m\n")
    os.utime(edited, (1e9, 1e9))
    edited.rename(file)
    return taught


def dates_file(exchange: Exchange, assignment: str = "a") -> Path:
    return exchange.data / "courses/c/assignments" / assignment / "assignment.yaml"


async def patch(exchange: Exchange, /, user: str = "kevin", assignment: str = "a", **fields: str) -> Answer:
    return await exchange.call("PATCH", f"assignment/c/{assignment}", user, **fields)


async def dates_for(exchange: Exchange, user: str, **fields: str) -> Any:
    answer = await exchange.call("GET", "assignment/c/a", user, **fields)
    assert answer.status == 200, answer
    return answer.body["dates"]


async def listed(exchange: Exchange, user: str, **fields: str) -> dict[str, Any]:
    (course,) = (await exchange.call("GET", "listing", user, **fields)).body["courses"]
    assert isinstance(course, dict)
    return course


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.message


def at(exchange: Exchange, student: str, moment: str) -> None:
    """Let somebody have handed in at a time."""
    with exchange.volume.upload() as nothing:
        submission.submit(exchange.volume, "c", "a", student, nothing, at=Timestamp(moment))


async def test_without_dates_all_is_as_before(taught: Exchange) -> None:
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK)
    assert (answer.body["due"], answer.body["late_seconds"]) == (None, None)
    for user in ("lawrence", "kevin", "root"):
        assert await dates_for(taught, user) is None
        course = await listed(taught, user, submissions="all")
        assert [each["dates"] for each in course["assignments"]] == [None]
        assert [each["late_seconds"] for each in course["submissions"]] == [None]
    assert (await taught.call("GET", "extensions/c/a", "kevin")).body == {
        "success": True,
        "dates": None,
        "written": {"release": None, "due": None, "close": None, "grace": None},
        "extensions": [],
    }
    assert not dates_file(taught).exists()


async def test_everybody_sees_the_dates_that_apply_to_them(zoned: Exchange) -> None:
    answer = await patch(zoned, due="2090-11-15", close="2090-11-17 12:00", release="2020-01-01 08:00 UTC")
    everybodys = {
        **NOTHING_SET,
        "release": "2020-01-01 08:00:00.000000 UTC",
        "due": "2090-11-15 22:59:59.000000 UTC",
        "close": "2090-11-17 11:00:00.000000 UTC",
        "grace_seconds": 300,
        "timezone": "Europe/Vienna",
        "state": "open",
    }
    assert (answer.status, answer.body) == (200, {"success": True, "dates": everybodys})
    answer = await zoned.call("PUT", "extension/c/a/ada", "kevin", due="2090-11-18", reason=" ill ")
    ada_s = {
        **everybodys,
        "due": "2090-11-18 22:59:59.000000 UTC",
        "close": "2090-11-18 22:59:59.000000 UTC",
        "extended": True,
        "reason": "ill",
    }
    assert (answer.status, answer.body) == (200, {"success": True, "dates": ada_s})
    for user, applying in (("lawrence", everybodys), ("ada", ada_s), ("kevin", everybodys), ("root", everybodys)):
        assert await dates_for(zoned, user) == applying
        assert await dates_for(zoned, user, list_only="true") == applying
        assert [each["dates"] for each in (await listed(zoned, user))["assignments"]] == [applying]
    assert (
        dates_file(zoned)
        .read_text()
        .startswith(
            "release: 2020-01-01 08:00:00 UTC\n"
            "due: 2090-11-15 23:59:59 Europe/Vienna\n"
            "close: 2090-11-17 12:00:00 Europe/Vienna\n"
            "extensions:\n  ada:\n    due: 2090-11-18 23:59:59 Europe/Vienna\n    reason: ill\n    by: kevin\n    at: "
        )
    )
    found = (await zoned.call("GET", "extensions/c/a", "root")).body
    assert found["dates"] == everybodys
    assert found["written"] == {
        "release": "2020-01-01 08:00:00 UTC",
        "due": "2090-11-15 23:59:59 Europe/Vienna",
        "close": "2090-11-17 12:00:00 Europe/Vienna",
        "grace": None,
    }
    (given,) = found["extensions"]
    assert given.pop("at") <= dates.now().strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    assert given == {
        "student_id": "ada",
        "due": "2090-11-18 22:59:59.000000 UTC",
        "close": None,
        "due_text": "2090-11-18 23:59:59 Europe/Vienna",
        "close_text": None,
        "reason": "ill",
        "by": "kevin",
    }
    answer = await zoned.call("DELETE", "extension/c/a/ada", "kevin")
    assert (answer.status, answer.body["dates"]) == (200, everybodys)
    assert await dates_for(zoned, "ada") == everybodys
    assert list(verify_volume(zoned.data)) == []


async def test_a_date_that_is_not_named_stays_and_an_empty_one_is_removed(taught: Exchange) -> None:
    assert (await patch(taught, due="2090-01-01", close="2090-01-02", grace="1h30m")).status == 200
    found = (await patch(taught, close=" ")).body["dates"]
    assert (found["due"], found["close"], found["grace_seconds"]) == ("2090-01-01 23:59:59.000000 UTC", None, 5400)
    assert (await patch(taught, grace="", due="")).body["dates"] is None
    # Names of arguments that mean nothing change nothing, and are told.
    answer = await patch(taught, deu="2090-01-01")
    assert said(answer) == (
        400, "Wrong dates (supply at least one of release, due, close, grace; what is empty is removed)"
    )  # fmt: skip


async def test_a_body_by_patch_is_read_like_any_other(taught: Exchange) -> None:
    form = FormData({"user": "kevin", "due": "2090-01-01"})
    form.add_field("reason", b"passed over", filename="x")  # multipart
    response = await taught.client.patch("/api/assignment/c/a", data=form)
    assert (await response.json())["dates"]["due"] == "2090-01-01 23:59:59.000000 UTC"
    answer = await patch(taught, due="x" * 70_000)
    assert said(answer) == (413, "Request too large")
    response = await taught.client.patch("/api/assignment/c/a", data=b"user=%ff&due=", headers=URLENCODED)
    assert response.status == 400
    # In the query, too, as everywhere.
    response = await taught.client.patch("/api/assignment/c/a?user=kevin&due=2090-01-02")
    assert (await response.json())["dates"]["due"] == "2090-01-02 23:59:59.000000 UTC"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"due": "tomorrow"}, "due: 'tomorrow' is no date and time such as 2026-11-15 23:59:59 Europe/Vienna"),
        ({"close": "2090-02-30"}, "close: '2090-02-30': there is no 2090-02-30"),
        ({"release": "2090-01-01 08:00 Europe/Wien"}, "release: 'Europe/Wien' is no time zone"),
        ({"grace": "5"}, "grace: '5' is not a duration such as 5m"),
        ({"due": "2090-03-26 02:30 Europe/Vienna"}, "clocks in Europe/Vienna were set forward"),
        ({"release": "2090-06-01"}, "is later than the due date, 2090-01-01 23:59:59 UTC"),
        ({"close": "2089-01-01"}, "is later than the close date, 2089-01-01 23:59:59 UTC"),
        ({"due": "2091-01-01", "close": "2090-12-31"}, "the due date, 2091-01-01 23:59:59 UTC, is later"),
        ({"due": "x\n\x1b[31m"}, r"due: 'x\n\x1b[31m' is no date"),
    ],
)
@pytest.mark.parametrize("call", ["PATCH", "PUT", "POST"])
async def test_wrong_dates_say_what_is_wrong_and_change_nothing(
    taught: Exchange, call: str, fields: dict[str, str], why: str
) -> None:
    await patch(taught, due="2090-01-01")
    if call == "POST":
        await taught.call("PUT", "assignment/c/a/withdrawn", "kevin")
    before = {path: path.read_bytes() for path in taught.data.glob("courses/**/*") if path.is_file()}
    files = {} if call == "PATCH" else {"files": WORK}
    answer = await taught.call(call, "assignment/c/a", "kevin", **files, **fields)
    assert answer.status == 400
    assert answer.message.startswith("Wrong dates (")
    assert why in answer.message
    assert before == {path: path.read_bytes() for path in taught.data.glob("courses/**/*") if path.is_file()}
    assert taught.left_in_staging() == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Wrong dates (an extension needs a due date, a close date or both)"),
        ({"reason": "ill"}, "Wrong dates (an extension needs a due date, a close date or both)"),
        ({"due": "2090-01-01"}, "2090-01-01 23:59:59 UTC is not later than the due date of everybody"),
        ({"due": "2090-01-03", "close": "2090-01-02"}, "is later than the close date"),
        ({"due": "soon"}, "due: 'soon' is no date and time"),
        ({"due": "2090-01-02", "reason": "x" * 201}, "The reason has to be one line of at most 200 characters"),
        ({"due": "2090-01-02", "reason": "a\nb: c"}, "The reason has to be one line of at most 200 characters"),
        ({"due": "2090-01-02", "reason": "\u202etxt"}, "The reason has to be one line of at most 200 characters"),
    ],
)
async def test_what_is_no_extension_is_refused(taught: Exchange, fields: dict[str, str], message: str) -> None:
    await patch(taught, due="2090-01-01", close="2090-01-01")
    before = dates_file(taught).read_bytes()
    answer = await taught.call("PUT", "extension/c/a/lawrence", "kevin", **fields)
    assert answer.status == 400
    assert message in answer.message
    assert dates_file(taught).read_bytes() == before


async def test_who_may_be_given_more_time(taught: Exchange) -> None:
    more = {"due": "2090-01-02", "reason": "Kind krank: 2 Tage"}
    assert (await taught.call("PUT", "extension/c/a/lawrence", "kevin", **more)).message == (
        "Wrong dates (there is no due date that could be extended: set that first)"
    )
    await patch(taught, due="2090-01-01")
    assert said(await taught.call("PUT", "extension/c/a/nobody", "kevin", **more)) == (404, "Student not found")
    assert said(await taught.call("PUT", "extension/c/nope/lawrence", "kevin", **more)) == (404, "Assignment not found")
    assert (await taught.call("PUT", "extension/c/a/lawrence", "lawrence", **more)).status == 403
    # One who has left has handed in; and an extension is taken back whether or not somebody is still there.
    at(taught, "eve", "2020-01-01 00:00:00.000000 UTC")
    for student in ("eve", "lawrence"):
        assert (await taught.call("PUT", f"extension/c/a/{student}", "kevin", **more)).status == 200
    assert (await taught.call("DELETE", "student/c/lawrence", "kevin")).status == 200
    assert (await taught.call("DELETE", "extension/c/a/lawrence", "kevin")).status == 200
    for student in ("lawrence", "nobody"):
        answer = await taught.call("DELETE", f"extension/c/a/{student}", "kevin")
        assert said(answer) == (404, "Extension not found")
    found = (await taught.call("GET", "extensions/c/a", "kevin")).body["extensions"]
    assert [(given["student_id"], given["reason"]) for given in found] == [("eve", "Kind krank: 2 Tage")]


async def test_lateness_follows_from_the_dates_as_they_are_now(zoned: Exchange) -> None:
    for seconds, student in ((0, "ada"), (300, "ada"), (301, "ada"), (86400, "lawrence")):
        moment = moment_in("2020-01-01 23:59:59 UTC").at + timedelta(seconds=seconds, microseconds=999)
        at(zoned, student, moment.strftime("%Y-%m-%d %H:%M:%S.%f UTC"))
    await patch(zoned, due="2020-01-01 UTC")
    course = await listed(zoned, "kevin", submissions="all")
    assert [each["late_seconds"] for each in course["submissions"]] == [0, 0, 301, 86400]
    assert [each["late_seconds"] for each in (await listed(zoned, "ada"))["submissions"]] == [0, 0, 301]
    await zoned.call("PUT", "extension/c/a/lawrence", "kevin", due="2020-01-02 UTC")
    await patch(zoned, grace="0")
    course = await listed(zoned, "kevin", submissions="all")
    assert [each["late_seconds"] for each in course["submissions"]] == [0, 300, 301, 0]
    answer = await zoned.call("POST", "submission/c/a", "ada", files=WORK, key="k")
    late = dates.now() - moment_in("2020-01-01 23:59:59 UTC").at
    assert answer.body["due"] == "2020-01-01 23:59:59.000000 UTC"
    assert 0 <= late.total_seconds() - answer.body["late_seconds"] < 60
    # A repetition hears what the first one did.
    assert (await zoned.call("POST", "submission/c/a", "ada", files=WORK, key="k")).body == answer.body
    on_behalf = await zoned.call("POST", "submission/c/a", "kevin", files=WORK, student="lawrence")
    assert on_behalf.body["due"] == "2020-01-02 23:59:59.000000 UTC"


async def test_what_is_collected_before_each_student_s_own_due_date(zoned: Exchange) -> None:
    for student in ("ada", "lawrence", "late"):
        for day in (1, 3, 5) if student != "late" else (7, 9):
            at(zoned, student, f"2020-01-0{day} 12:00:00.000000 UTC")
    await patch(zoned, due="2020-01-02 UTC")
    await zoned.call("PUT", "extension/c/a/ada", "kevin", due="2020-01-04 UTC")

    async def collected(**fields: str) -> dict[str, tuple[str, str | None, int | None]]:
        answer = await zoned.call("POST", "collection/c/a", "kevin", **fields)
        assert answer.status == 200
        lines = [json.loads(line) for line in answer.body["html"].splitlines()]
        assert lines.pop() == {"success": True, "submissions": len(lines)}
        return {line["student_id"]: (line["timestamp"][:10], line["due"], line["late_seconds"]) for line in lines}

    of_ada, everybodys = "2020-01-04 23:59:59.000000 UTC", "2020-01-02 23:59:59.000000 UTC"
    noon = 12 * 3600 + 1
    assert await collected(before="due") == {
        "ada": ("2020-01-03", of_ada, 0),
        "late": ("2020-01-09", everybodys, 6 * 86400 + noon),
        "lawrence": ("2020-01-01", everybodys, 0),
    }
    newest = {
        "ada": ("2020-01-05", of_ada, noon),
        "late": ("2020-01-09", everybodys, 6 * 86400 + noon),
        "lawrence": ("2020-01-05", everybodys, 2 * 86400 + noon),
    }
    assert await collected() == newest
    assert await collected(before="due", students='["ada"]') == {"ada": ("2020-01-03", of_ada, 0)}
    assert said(await zoned.call("POST", "collection/c/a", "kevin", before="soon")) == (400, "Time format incorrect")
    await zoned.call("DELETE", "extension/c/a/ada", "kevin")
    assert (await patch(zoned, due="")).status == 200
    assert await collected(before="due", students='["lawrence"]') == {"lawrence": ("2020-01-05", None, None)}


async def test_an_upload_that_is_kept_open_ends_an_hour_after_the_close(taught: Exchange) -> None:
    await patch(taught, close="2020-01-01 12:00 UTC")
    close = moment_in("2020-01-01 12:00 UTC").at
    began = close - timedelta(hours=20)
    for after, is_closed in ((timedelta(minutes=60), False), (timedelta(minutes=60, seconds=1), True)):
        assert dates.of(taught.volume, "c", "a").is_closed(dates.arrival(began, close + after)) == is_closed
    # Who begins before it needs to be ready by then, not faster; who begins after it is refused as before.
    assert dates.arrival(close, close + timedelta(minutes=3)) == close
    assert _submitted(taught, began) == 403
    await patch(taught, close=f"{dates.now() - timedelta(minutes=30):%Y-%m-%d %H:%M:%S} UTC")
    assert _submitted(taught, dates.now() - timedelta(hours=2)) == 200
    assert _submitted(taught, dates.now()) == 403


def _submitted(exchange: Exchange, began: datetime) -> int:
    """Hand in with a request that began to arrive at some time, and is here now."""
    call, endpoint = job_for(exchange, "a")
    try:
        act(replace(call, arrived=began), endpoint)
    except AssignmentClosed:
        return 403
    return 200


async def test_after_its_close_only_those_who_teach_hand_in(taught: Exchange) -> None:
    first = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k")
    await patch(taught, due="2020-01-01", close="2020-01-02 12:00 Europe/Vienna")
    assert (await dates_for(taught, "lawrence"))["state"] == "closed"
    closed = (403, "Assignment is closed (a closed at 2020-01-02 12:00:00 Europe/Vienna)")
    for fields in ({}, {"key": "other"}, {"student": "lawrence"}):
        assert said(await taught.call("POST", "submission/c/a", "lawrence", files=WORK, **fields)) == closed
    assert taught.left_in_staging() == []
    again = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k")
    assert (again.status, again.body["timestamp"]) == (200, first.body["timestamp"])
    for user, fields in (("kevin", {}), ("kevin", {"student": "lawrence"}), ("root", {"student": "lawrence"})):
        answer = await taught.call("POST", "submission/c/a", user, files=WORK, **fields)
        assert answer.status == 200
        assert answer.body["late_seconds"] > 0
    # The others can still be fetched and read.
    assert contents((await taught.call("GET", "assignment/c/a", "lawrence")).body) == {"p.ipynb": b"{}\n"}
    await taught.call("PUT", "extension/c/a/lawrence", "kevin", close="2090-01-01")
    assert (await taught.call("POST", "submission/c/a", "lawrence", files=WORK)).status == 200
