"""What nbgrader's plug-ins ask for beside ngshare's API: keys and receipts, the listing, the collection."""

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest

from ngshare_fs.store import Volume, course, release, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import KeyUsed
from ngshare_fs.store.reading.tree import Tree
from tests.conftest import Exchange
from tests.trees import tree

WORK = tree({"p.ipynb": b"{}", "data/a b.csv": b"1;2\n"})
OTHER_WORK = tree({"p.ipynb": b'{"cells": []}'})


async def _submissions(exchange: Exchange, student: str = "lawrence") -> list[str]:
    answer = await exchange.call("GET", f"submissions/c/a/{student}", "kevin")
    return [entry["timestamp"] for entry in answer.body["submissions"]]


async def test_a_receipt_names_what_is_stored(taught: Exchange) -> None:
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK)
    assert answer.body["student_id"] == "lawrence"
    assert answer.body["files"] == [
        {"path": "p.ipynb", "size": 2, "checksum": hashlib.md5(b"{}").hexdigest()},
        {"path": "data/a b.csv", "size": 4, "checksum": hashlib.md5(b"1;2\n").hexdigest()},
    ]


async def test_a_repeated_submission_is_one(taught: Exchange) -> None:
    first = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k1")
    again = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k1")
    assert (again.status, again.body) == (200, first.body)
    other = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k2")
    without = await taught.call("POST", "submission/c/a", "lawrence", files=WORK)
    expected = [answer.body["timestamp"] for answer in (first, other, without)]
    assert await _submissions(taught) == expected
    assert not taught.left_in_staging()


async def test_many_repeats_at_once_are_one(taught: Exchange) -> None:
    repeats = [taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k") for _ in range(12)]
    answers = await asyncio.gather(*repeats)
    assert len({answer.body["timestamp"] for answer in answers}) == 1
    assert len(await _submissions(taught)) == 1


async def test_another_process_finds_the_key_in_the_tree(taught: Exchange) -> None:
    first = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k")
    fresh = Volume.open(taught.data)
    try:
        with submission.collect(fresh, "c", "a", "lawrence", None) as stored:
            assert stored.manifest.key == "k"
        with fresh.upload() as upload:
            upload.accept([])
            with pytest.raises(KeyUsed):
                submission.submit(fresh, "c", "a", "lawrence", upload, key="k")
    finally:
        fresh.close()
    assert await _submissions(taught) == [first.body["timestamp"]]


async def test_a_key_belongs_to_who_used_it_and_to_its_files(taught: Exchange) -> None:
    assert (await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key="k")).status == 200
    other_files = await taught.call("POST", "submission/c/a", "lawrence", files=OTHER_WORK, key="k")
    assert (other_files.status, other_files.message) == (409, "Key belongs to a submission of other files")
    assert (await taught.call("POST", "submission/c/a", "kevin", files=OTHER_WORK, key="k")).status == 200
    on_behalf = await taught.call("POST", "submission/c/a", "kevin", files=OTHER_WORK, key="k", student="lawrence")
    assert on_behalf.status == 200
    assert len(await _submissions(taught)) == 2


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "ä", "../k", "a\nb"])
async def test_malformed_keys_are_refused(taught: Exchange, key: str) -> None:
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, key=key)
    assert (answer.status, answer.message) == (400, "Malformed key")
    assert await _submissions(taught) == []


async def test_only_instructors_hand_in_for_others(taught: Exchange) -> None:
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, student="kevin")
    assert (answer.status, answer.message) == (403, "Permission denied (not course instructor)")
    answer = await taught.call("POST", "submission/c/a", "lawrence", files=WORK, student="lawrence")
    assert (answer.status, answer.body["student_id"]) == (200, "lawrence")
    for nobody in ("nobody", "", "..", "x" * 300):
        answer = await taught.call("POST", "submission/c/a", "kevin", files=WORK, student=nobody)
        assert (answer.status, answer.message) == (404, "Student not found"), nobody
    answer = await taught.call("POST", "submission/c/a", "kevin", files=WORK, student="lawrence")
    assert (answer.status, answer.body["student_id"]) == (200, "lawrence")
    with submission.collect(taught.volume, "c", "a", "lawrence", None) as stored:
        assert (stored.manifest.student, stored.manifest.by) == ("lawrence", "kevin")
    assert await _submissions(taught, "kevin") == []


async def _listing(exchange: Exchange, user: str, **fields: str) -> list[dict[str, Any]]:
    answer = await exchange.call("GET", "listing", user, **fields)
    assert (answer.status, answer.body["user"]) == (200, user)
    courses = answer.body["courses"]
    assert isinstance(courses, list)
    return courses


async def test_the_listing_has_all_that_nbgrader_shows(taught: Exchange) -> None:
    assert (await taught.call("POST", "course/other", "root", instructors='["someone"]')).status == 200
    released = (await _listing(taught, "lawrence"))[0]["assignments"][0]
    assert (released["assignment_id"], released["notebooks"]) == ("a", ["p"])
    moment = (await taught.call("POST", "submission/c/a", "lawrence", files=WORK)).body["timestamp"]
    own = {"assignment_id": "a", "student_id": "lawrence", "timestamp": moment, "late_seconds": None}
    own |= {"notebooks": ["p"], "feedback": None}
    course: dict[str, Any] = {
        "course_id": "c",
        "role": "student",
        "problem": None,
        "assignments": [released],
        "submissions": [own],
    }
    assert await _listing(taught, "lawrence") == [course]

    remarks = tree({"p.html": b"good"})
    await taught.call("POST", "feedback/c/a/lawrence", "kevin", timestamp=moment, files=remarks)
    (course,) = await _listing(taught, "lawrence", submissions="all")
    returned = course["submissions"][0]["feedback"]
    assert returned["files"] == [{"path": "p.html", "checksum": hashlib.md5(b"good").hexdigest()}]

    (course,) = await _listing(taught, "kevin")
    assert (course["role"], course["submissions"]) == ("instructor", [])
    (course,) = await _listing(taught, "kevin", submissions="all")
    of_others = {**own, "notebooks": None, "feedback": {"timestamp": returned["timestamp"], "files": None}}
    assert course["submissions"] == [of_others]

    assert [(course["course_id"], course["role"]) for course in await _listing(taught, "root")] == [
        ("c", "admin"),
        ("other", "admin"),
    ]
    assert await _listing(taught, "kevin", course="other") == []
    assert await _listing(taught, "stranger") == []


async def test_a_course_that_is_deleted_meanwhile_is_not_listed_in_part(
    taught: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = release.newest

    def deleted_first(volume: Volume, name: str, each: str) -> Tree | None:
        course.delete(volume, name, by="root")
        return newest(volume, name, each)

    monkeypatch.setattr(release, "newest", deleted_first)
    assert await _listing(taught, "lawrence") == []


async def test_a_student_sees_nothing_of_others(taught: Exchange) -> None:
    names = {"first_name": "", "last_name": "", "email": ""}
    await taught.call("POST", "student/c/eric", "kevin", **names)
    await taught.call("POST", "submission/c/a", "eric", files=WORK)
    for fields in ({}, {"submissions": "all"}, {"submissions": "all", "course": "c"}):
        (course,) = await _listing(taught, "lawrence", **fields)
        assert course["submissions"] == []


async def test_an_unchanged_listing_is_not_sent_again(taught: Exchange) -> None:
    async def ask(tag: str | None) -> tuple[int, str]:
        headers = {"If-None-Match": tag} if tag else {}
        response = await taught.client.get("/api/listing?user=lawrence", headers=headers)
        body = await response.read()
        assert bool(body) == (response.status == 200)
        return response.status, response.headers["ETag"]

    status, tag = await ask(None)
    assert status == 200
    assert await ask(tag) == (304, tag)
    await taught.call("POST", "submission/c/a", "lawrence", files=WORK)
    status, new_tag = await ask(tag)
    assert (status, new_tag != tag) == (200, True)


async def test_a_broken_course_hides_no_other(taught: Exchange) -> None:
    await taught.call("POST", "course/b", "root", instructors='["kevin"]')
    (taught.data / "courses/b/course.yaml").write_text("students: [")
    assert [course["course_id"] for course in await _listing(taught, "kevin")] == ["c"]


async def _collected(exchange: Exchange, user: str = "kevin", **fields: str) -> list[dict[str, Any]]:
    response = await exchange.client.post("/api/collection/c/a", data={"user": user, **fields})
    assert (response.status, response.content_type) == (200, "application/x-ndjson")
    *lines, last = [json.loads(line) for line in (await response.text()).splitlines()]
    assert last == {"success": True, "submissions": len(lines)}
    return lines


@pytest.fixture
async def handed_in(taught: Exchange) -> dict[str, list[str]]:
    """The timestamps of two submissions of lawrence, between them one of eric."""
    names = {"first_name": "", "last_name": "", "email": ""}
    await taught.call("POST", "student/c/eric", "kevin", **names)
    moments: dict[str, list[str]] = {"lawrence": [], "eric": []}
    for student, files in (("lawrence", WORK), ("eric", OTHER_WORK), ("lawrence", OTHER_WORK)):
        answer = await taught.call("POST", "submission/c/a", student, files=files)
        moments[student].append(answer.body["timestamp"])
    return moments


async def test_a_class_is_collected_by_one_request(taught: Exchange, handed_in: dict[str, list[str]]) -> None:
    eric, lawrence = await _collected(taught)
    assert (eric["student_id"], eric["timestamp"]) == ("eric", handed_in["eric"][0])
    assert (lawrence["student_id"], lawrence["timestamp"]) == ("lawrence", handed_in["lawrence"][1])
    assert base64.b64decode(lawrence["files"][0]["content"]) == b'{"cells": []}'
    assert [line["student_id"] for line in await _collected(taught, students='["lawrence", "nobody"]')] == ["lawrence"]
    assert await _collected(taught, students="[]") == []


async def test_what_counts_at_a_deadline_is_collected(taught: Exchange, handed_in: dict[str, list[str]]) -> None:
    before = handed_in["lawrence"][0]
    eric, lawrence = await _collected(taught, before=before)
    assert lawrence["timestamp"] == before
    assert eric["timestamp"] == handed_in["eric"][0]  # too late, and all there is
    await taught.call("POST", "submission/c/a", "eric", files=WORK)
    eric, _ = await _collected(taught, before=before)
    assert eric["timestamp"] != handed_in["eric"][0]


async def test_damage_of_one_does_not_stop_the_others(taught: Exchange, handed_in: dict[str, list[str]]) -> None:
    for file in taught.data.glob("courses/c/assignments/a/submissions/eric/*/files/p.ipynb"):
        file.unlink()
    eric, lawrence = await _collected(taught)
    assert (eric["success"], eric["student_id"], eric["message"]) == (False, "eric", "Stored files are damaged")
    assert lawrence["success"] is True


async def test_large_work_is_collected_whole(taught: Exchange) -> None:
    large = bytes(range(256)) * 4096
    await taught.call("POST", "submission/c/a", "lawrence", files=tree({"large": large, "empty": b""}))
    (line,) = await _collected(taught)
    assert [base64.b64decode(file["content"]) for file in line["files"]] == [large, b""]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"before": "yesterday"}, "Time format incorrect"),
        ({"students": "nobody"}, "Students cannot be JSON decoded"),
        ({"students": '"nobody"'}, "Incorrect request format"),
        ({"students": "[1]"}, "Incorrect request format"),
    ],
)
async def test_malformed_collections_are_refused(taught: Exchange, fields: dict[str, str], message: str) -> None:
    answer = await taught.call("POST", "collection/c/a", "kevin", **fields)
    assert (answer.status, answer.message) == (400, message)


async def test_a_deleted_submission_is_in_the_trash(taught: Exchange, handed_in: dict[str, list[str]]) -> None:
    first, second = handed_in["lawrence"]
    remarks = tree({"p.html": b"good"})
    await taught.call("POST", "feedback/c/a/lawrence", "kevin", timestamp=second, files=remarks)
    for timestamp, status, message in (
        (second, 200, "None"),
        (second, 404, "Submission not found"),
        ("", 400, "Time format incorrect"),
        ("yesterday", 400, "Time format incorrect"),
    ):
        answer = await taught.call("DELETE", "submission/c/a/lawrence", "kevin", timestamp=timestamp)
        assert (answer.status, answer.message) == (status, message)
    answer = await taught.call("DELETE", "submission/c/a/lawrence", "kevin")
    assert (answer.status, answer.message) == (400, "Please supply timestamp")
    assert await _submissions(taught) == [first]
    (entry,) = (taught.data / "trash").iterdir()
    said = (entry / "trash.yaml").read_text()
    for line in ("kind: submission", "student: lawrence", f"submission: {second}", "by: kevin"):
        assert line in said
    assert list(verify_volume(taught.data)) == []
    (deleted,) = entry.glob("*Z")
    assert len(list(deleted.glob("feedback/*/files/p.html"))) == 1
    deleted.rename(taught.data / "courses/c/assignments/a/submissions/lawrence" / deleted.name)
    assert await _submissions(taught) == [first, second]


@pytest.mark.parametrize("zone", [" CET", "CET", " Europe/Berlin", "+01:00", " -0500", "Z", " UTC+1", " UTCX"])
async def test_times_of_another_zone_are_refused_and_not_taken_for_utc(
    taught: Exchange, handed_in: dict[str, list[str]], zone: str
) -> None:
    bare = handed_in["lawrence"][1].removesuffix(" UTC")
    files = tree({"f": b"1"})
    for method, path, fields, status, message in (
        ("GET", "feedback/c/a/lawrence", {"timestamp": bare + zone}, 400, "Time format incorrect"),
        ("GET", "submission/c/a/lawrence", {"timestamp": bare + zone}, 404, "Submission not found"),
        ("POST", "collection/c/a", {"before": bare + zone}, 400, "Time format incorrect"),
        ("POST", "feedback/c/a/lawrence", {"timestamp": bare + zone, "files": files}, 400, "Time format incorrect"),
        ("DELETE", "submission/c/a/lawrence", {"timestamp": bare + zone}, 400, "Time format incorrect"),
    ):
        answer = await taught.call(method, path, "kevin", **fields)
        assert (answer.status, answer.message) == (status, message), path
    for known in ("", " ", " UTC", "\tutc ", " GMT"):
        answer = await taught.call("GET", "submission/c/a/lawrence", "kevin", timestamp=bare + known)
        assert answer.body["timestamp"] == handed_in["lawrence"][1]


async def test_a_damaged_record_of_a_deleted_submission_is_found(
    taught: Exchange, handed_in: dict[str, list[str]]
) -> None:
    await taught.call("DELETE", "submission/c/a/lawrence", "kevin", timestamp=handed_in["lawrence"][0])
    (file,) = (taught.data / "trash").glob("*/trash.yaml")
    said = file.read_text()
    for broken, code in (
        (said.replace(handed_in["lawrence"][0], handed_in["lawrence"][1]), "timestamp-differs"),
        (said.replace("student: lawrence", "student: eric"), "student-differs"),
        (said.replace("student: lawrence\n", ""), "trash-file-broken"),
    ):
        file.write_text(broken)
        assert code in {finding.code for finding in verify_volume(taught.data)}
