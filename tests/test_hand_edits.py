"""Volumes made by hand are served; `course.yaml` may be edited while the server runs, and may be broken by hand."""

import os
from pathlib import Path

import pytest

from tests.conftest import Exchange, MakeExchange
from tests.hand_made import AGAIN, LATER, LONG, RELEASED, RETURNED, RETURNED_AGAIN, SUBMITTED, text_time, write_volume
from tests.trees import contents, tree

BLANK = {"first_name": "", "last_name": "", "email": ""}


@pytest.fixture
async def served(make_exchange: MakeExchange, tmp_path: Path) -> Exchange:
    write_volume(tmp_path / "volume")
    return await make_exchange()


@pytest.fixture
def course_file(served: Exchange) -> Path:
    return served.data / "courses/NBG 101/course.yaml"


async def test_a_volume_made_by_hand_is_served(served: Exchange) -> None:
    async def get(path: str, user: str = "kevin", **fields: str) -> dict[str, object]:
        answer = await served.call("GET", path, user, **fields)
        assert answer.status == 200, (path, answer)
        return answer.body

    assert (await get("courses", "lawrence"))["courses"] == ["NBG 101", LONG]
    assert (await get("assignments/NBG 101"))["assignments"] == ["..", "a/b", "no", "ps1", LONG]
    assert contents(await get("assignment/NBG 101/ps1", "lawrence")) == {"p.ipynb": b"{ }", "data/x.csv": b"1,2\n"}
    listed = (await get("submissions/NBG 101/ps1"))["submissions"]
    assert isinstance(listed, list)
    assert {entry["student_id"] for entry in listed} == {"lawrence", "007", ".hidden", LONG}
    assert [entry["timestamp"] for entry in listed] == [text_time(SUBMITTED)] * 4 + [text_time(LATER)] * 4
    # `007` is on no roster: what is listed can be collected
    body = await get("submission/NBG 101/ps1/007")
    assert (body["timestamp"], contents(body)) == (text_time(LATER), {"p.ipynb": b"007"})
    feedback = await get("feedback/NBG 101/ps1/lawrence", "lawrence", timestamp=text_time(SUBMITTED))
    assert contents(feedback) == {"p.html": RETURNED_AGAIN.encode()}
    assert RETURNED < RETURNED_AGAIN
    assert RELEASED < AGAIN
    person = await get("student/NBG 101/lawrence", "lawrence")
    assert (person["first_name"], person["last_name"]) == ("Lawrence", "")
    assert (await get("instructor/NBG 101/kevin"))["email"] is None


async def test_an_edit_is_seen_at_the_next_request(served: Exchange, course_file: Path) -> None:
    async def students() -> list[str]:
        answer = await served.call("GET", "students/NBG 101", "kevin")
        return [student["username"] for student in answer.body["students"]]

    text = course_file.read_text()
    assert await students() == ["lawrence"]
    course_file.write_text(
        text + "  # joined late\n  no: {first_name: 1e3}\n  007:\n  zoë@x: {section: B, email: z@x}\n"
    )
    assert await students() == ["lawrence", "no", "007", "zoë@x"]
    assert (await served.call("GET", "student/NBG 101/no", "no")).body["first_name"] == "1e3"
    # the server writes: comments may go, what it does not know stays
    assert (await served.call("POST", "student/NBG 101/zoë@x", "kevin", **BLANK)).status == 200
    assert (await served.call("POST", "student/NBG 101/new", "kevin", **BLANK)).status == 200
    assert await students() == ["lawrence", "no", "007", "zoë@x", "new"]
    assert "section: B" in course_file.read_text()
    # several edits of one size within a moment, each with the old time restored
    for name in ("ann", "bob", "cat", "dan"):
        status = course_file.stat()
        course_file.write_text(text + f"  {name}:\n")
        os.utime(course_file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert await students() == ["lawrence", name]


async def test_a_broken_file_stops_only_changes_of_its_course(
    served: Exchange, course_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await served.call("GET", "students/NBG 101", "kevin")).status == 200
    whole = course_file.read_text()
    broken = whole.replace("  lawrence:", "  lawrence: [")
    for text in (broken, "", whole[: len(whole) // 4], "students: {}\n", whole + "  lawrence: {}\n"):
        course_file.write_text(text)
        assert (await served.call("GET", "students/NBG 101", "kevin")).status == 200
        answer = await served.call("POST", "submission/NBG 101/ps1", "lawrence", files=tree({"f": b"1"}))
        assert answer.status == 200
        answer = await served.call("POST", "student/NBG 101/new", "kevin", **BLANK)
        assert (answer.status, answer.message[:26]) == (503, "Course data cannot be read")
        assert answer.headers["Retry-After"]
        assert course_file.read_text() == text
        assert (await served.raw("POST", f"student/{LONG}/new", "kevin", **BLANK)).status == 200
    assert "course.yaml, line 1" in caplog.text
    course_file.write_text(whole)
    assert (await served.call("POST", "student/NBG 101/new", "kevin", **BLANK)).status == 200


async def test_a_file_that_was_never_whole_stops_its_course_alone(served: Exchange, course_file: Path) -> None:
    course_file.write_text("course: [")
    for method, path in (("GET", "students/NBG 101"), ("GET", "assignment/NBG 101/ps1")):
        assert (await served.call(method, path, "root")).status == 503
    assert (await served.call("GET", "courses", "lawrence")).body["courses"] == [LONG]
    assert (await served.call("GET", "courses", "root")).body["courses"] == ["NBG 101", LONG]
    assert (await served.raw("GET", f"students/{LONG}", "kevin")).status == 200


async def test_what_is_deleted_is_whole_in_the_trash_and_can_be_moved_back(served: Exchange) -> None:
    assert (await served.call("DELETE", "assignment/NBG 101/ps1", "kevin")).status == 200
    assert (await served.call("GET", "assignment/NBG 101/ps1", "kevin")).status == 404
    assert (await served.call("POST", "assignment/NBG 101/ps1", "kevin", files=tree({"f": b"new"}))).status == 200
    assert (await served.call("GET", "submissions/NBG 101/ps1", "kevin")).body["submissions"] == []
    old = next(served.data.glob("trash/*/ps1"))
    assert "by: kevin" in (old.parent / "trash.yaml").read_text()
    place = served.data / "courses/NBG 101/assignments/ps1"
    place.rename(served.data / "courses/NBG 101/assignments/ps1 new")
    old.rename(place)
    assert len((await served.call("GET", "submissions/NBG 101/ps1", "kevin")).body["submissions"]) == 8
    assert (await served.call("GET", "assignments/NBG 101", "kevin")).body["assignments"][-1] == "ps1 new"


async def test_a_new_release_keeps_the_old_ones_and_the_submissions(served: Exchange) -> None:
    answer = await served.call("PUT", "assignment/NBG 101/ps1", "kevin", files=tree({"f": b"third"}))
    assert answer.status == 200
    assert contents((await served.call("GET", "assignment/NBG 101/ps1", "lawrence")).body) == {"f": b"third"}
    assert len(list((served.data / "courses/NBG 101/assignments/ps1/releases").iterdir())) == 3
    assert len((await served.call("GET", "submissions/NBG 101/ps1", "kevin")).body["submissions"]) == 8
    answer = await served.call("PUT", "assignment/NBG 101/nope", "kevin", files=tree({}))
    assert (answer.status, answer.message) == (404, "Assignment not found")
