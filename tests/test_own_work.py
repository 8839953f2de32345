"""Students' own work is theirs to read, also after they have left; strangers hear nothing of a course."""

import pytest

from tests.conftest import Exchange
from tests.trees import contents, tree

FIRST, SECOND = {"p.ipynb": b"1"}, {"p.ipynb": b"2", "data/x.csv": b"x\n"}


@pytest.fixture
async def moments(taught: Exchange) -> list[str]:
    """The timestamps of two submissions of lawrence, feedback on the first."""
    found = []
    for files in (FIRST, SECOND):
        answer = await taught.call("POST", "submission/c/a", "lawrence", files=tree(files))
        found.append(answer.body["timestamp"])
    await taught.call("POST", "feedback/c/a/lawrence", "kevin", timestamp=found[0], files=tree({"p.html": b"good"}))
    names = {"first_name": "", "last_name": "", "email": ""}
    assert (await taught.call("POST", "student/c/eric", "kevin", **names)).status == 200
    return found


@pytest.mark.parametrize("has_left", [False, True])
async def test_it_is_given_with_its_files_by_timestamp_too(
    taught: Exchange, moments: list[str], has_left: bool
) -> None:
    if has_left:
        assert (await taught.call("DELETE", "student/c/lawrence", "kevin")).status == 200
    path = "submission/c/a/lawrence"
    answer = await taught.call("GET", path, "lawrence")
    assert (answer.body["timestamp"], contents(answer.body)) == (moments[1], SECOND)
    answer = await taught.call("GET", path, "lawrence", timestamp=moments[0])
    assert (answer.body["timestamp"], contents(answer.body)) == (moments[0], FIRST)
    answer = await taught.call("GET", path, "lawrence", list_only="true")
    assert [file.keys() for file in answer.body["files"]] == [{"path", "checksum"}] * 2
    answer = await taught.call("GET", "submissions/c/a/lawrence", "lawrence")
    assert [entry["timestamp"] for entry in answer.body["submissions"]] == moments
    answer = await taught.call("GET", "feedback/c/a/lawrence", "lawrence", timestamp=moments[0])
    assert contents(answer.body) == {"p.html": b"good"}


async def test_it_is_nobody_elses(taught: Exchange, moments: list[str]) -> None:
    for user in ("eric", "stranger"):
        for path in ("submission/c/a/lawrence", "submissions/c/a/lawrence", "feedback/c/a/lawrence"):
            assert (await taught.call("GET", path, user, timestamp=moments[0])).status == 403, (user, path)
    answer = await taught.call("GET", "submission/c/a/eric", "eric")
    assert (answer.status, answer.message) == (404, "Submission not found")


async def test_who_has_left_has_no_more_than_that(taught: Exchange, moments: list[str]) -> None:
    assert (await taught.call("POST", "assignment/c/other", "kevin", files=tree(FIRST))).status == 200
    assert (await taught.call("DELETE", "student/c/lawrence", "kevin")).status == 200
    for path in ("assignments/c", "assignment/c/a", "instructors/c", "submissions/c/a", "submission/c/a/eric"):
        assert (await taught.call("GET", path, "lawrence")).status == 403, path
    assert (await taught.call("POST", "submission/c/a", "lawrence", files=tree(FIRST))).status == 403
    assert (await taught.call("GET", "courses", "lawrence")).body["courses"] == []
    assert (await taught.call("GET", "listing", "lawrence")).body["courses"] == []
    for name in ("other", "no such"):
        assert (await taught.call("GET", f"submissions/c/{name}/lawrence", "lawrence")).status == 403, name


@pytest.mark.parametrize("kind", ["submissions", "submission", "feedback"])
async def test_a_stranger_does_not_hear_which_assignments_there_are(taught: Exchange, kind: str) -> None:
    answers = [
        await taught.call("GET", f"{kind}/c/{name}/stranger", "stranger", timestamp=when)
        for name in ("a", "no such")
        for when in ("", "2020-01-01 00:00:00.000000 UTC", "no time")
    ]
    assert {(answer.status, answer.message) for answer in answers} == {
        (403, "Permission denied (not course instructor)")
    }
