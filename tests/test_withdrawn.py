"""A release that an instructor took back: students do not see the assignment, and nothing handed in is lost."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume, assignment, dates, release, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import AssignmentExists, AssignmentNotFound
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.writing.durability import DirtySet
from ngshare_fs.store.writing.upload import Upload
from tests.conftest import Answer, Exchange, MakeExchange
from tests.trees import contents, tree
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, STUDENT, Plain, write_withdrawal

WORK = tree({"p.ipynb": b'{"cells": []}\n'})
REMARKS = tree({"p.html": b"<p>good</p>"})
NO_ASSIGNMENT = (404, "Assignment not found")
LARGE = {"p.ipynb": b"{}\n", "large.csv": b"0123456789abcdef" * 40_000}


async def _withdraw(exchange: Exchange, name: str = "a", user: str = "kevin") -> Answer:
    return await exchange.call("PUT", f"assignment/c/{name}/withdrawn", user)


async def _listed(exchange: Exchange, user: str) -> dict[str, Any]:
    answer = await exchange.call("GET", "listing", user, course="c")
    (listed,) = answer.body["courses"]
    assert isinstance(listed, dict)
    return listed


def _said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.message


@pytest.fixture
async def withdrawn(taught: Exchange) -> tuple[Exchange, str]:
    """`taught`, its assignment withdrawn after lawrence has handed in and got feedback; with the submission's time."""
    moment = (await taught.call("POST", "submission/c/a", "lawrence", files=WORK)).body["timestamp"]
    given = await taught.call("POST", "feedback/c/a/lawrence", "kevin", timestamp=moment, files=REMARKS)
    assert given.status == 200
    assert (await _withdraw(taught)).body == {"success": True}
    return taught, moment


async def test_students_do_not_see_it(withdrawn: tuple[Exchange, str]) -> None:
    exchange, _ = withdrawn
    assert _said(await exchange.call("GET", "assignment/c/a", "lawrence")) == NO_ASSIGNMENT
    assert _said(await exchange.call("GET", "assignment/c/a", "lawrence", list_only="true")) == NO_ASSIGNMENT
    assert _said(await exchange.call("POST", "submission/c/a", "lawrence", files=WORK)) == NO_ASSIGNMENT
    assert _said(await exchange.call("POST", "submission/c/a", "lawrence", files="no tree")) == NO_ASSIGNMENT
    assert (await exchange.call("GET", "assignments/c", "lawrence")).body["assignments"] == []
    assert (await _listed(exchange, "lawrence"))["assignments"] == []
    for call in (("GET", "assignment/c/a"), ("POST", "submission/c/a")):
        assert (await exchange.call(*call, "stranger")).status == 403


async def test_what_was_handed_in_stays_readable(withdrawn: tuple[Exchange, str]) -> None:
    exchange, moment = withdrawn
    entry = {"student_id": "lawrence", "timestamp": moment}
    for user in ("lawrence", "kevin", "root"):
        answer = await exchange.call("GET", "submissions/c/a/lawrence", user)
        assert answer.body["submissions"] == [entry]
        answer = await exchange.call("GET", "submission/c/a/lawrence", user)
        assert contents(answer.body) == {"p.ipynb": b'{"cells": []}\n'}
        answer = await exchange.call("GET", "feedback/c/a/lawrence", user, timestamp=moment)
        assert contents(answer.body) == {"p.html": b"<p>good</p>"}
    (own,) = (await _listed(exchange, "lawrence"))["submissions"]
    assert (own["timestamp"], own["notebooks"], own["feedback"] is None) == (moment, ["p"], False)
    assert (await exchange.call("GET", "submissions/c/a", "kevin")).body["submissions"] == [entry]
    more = await exchange.call("POST", "feedback/c/a/lawrence", "kevin", timestamp=moment, files=WORK)
    assert more.status == 200


async def test_instructors_see_it_with_its_last_release(withdrawn: tuple[Exchange, str]) -> None:
    exchange, _ = withdrawn
    for user in ("kevin", "root"):
        answer = await exchange.call("GET", "assignment/c/a", user)
        assert contents(answer.body) == {"p.ipynb": b"{}\n"}
        assert (await exchange.call("GET", "assignments/c", user)).body["assignments"] == ["a"]
        (listed,) = (await _listed(exchange, user))["assignments"]
        assert listed == {
            "assignment_id": "a",
            "withdrawn": True,
            "timestamp": answer.body["timestamp"],
            "notebooks": ["p"],
            "dates": None,
        }
    handed_in = await exchange.call("POST", "submission/c/a", "kevin", files=WORK, student="lawrence")
    assert (handed_in.status, handed_in.body["student_id"]) == (200, "lawrence")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_the_next_release_brings_it_back(withdrawn: tuple[Exchange, str], method: str) -> None:
    exchange, moment = withdrawn
    before = (await exchange.call("GET", "assignment/c/a", "kevin")).body["timestamp"]
    assert (await exchange.call(method, "assignment/c/a", "kevin", files=tree(LARGE))).status == 200
    answer = await exchange.call("GET", "assignment/c/a", "lawrence")
    assert contents(answer.body) == LARGE
    assert answer.body["timestamp"] > before
    (listed,) = (await _listed(exchange, "lawrence"))["assignments"]
    assert (listed["withdrawn"], listed["timestamp"]) == (False, answer.body["timestamp"])
    assert (await exchange.call("POST", "submission/c/a", "lawrence", files=WORK)).status == 200
    submitted = (await exchange.call("GET", "submissions/c/a", "kevin")).body["submissions"]
    assert submitted[0]["timestamp"] == moment
    assert len(submitted) == 2
    assert _said(await exchange.call("POST", "assignment/c/a", "kevin", files=WORK)) == (
        409,
        "Assignment already exists",
    )
    assert exchange.left_in_staging() == []
    assert list(verify_volume(exchange.data)) == []


async def test_withdrawing_twice_is_withdrawing_once(withdrawn: tuple[Exchange, str]) -> None:
    exchange, _ = withdrawn
    releases = exchange.data / "courses/c/assignments/a/releases"
    before = sorted(releases.iterdir())
    assert len(before) == 2
    answers = await asyncio.gather(*(_withdraw(exchange) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    assert sorted(releases.iterdir()) == before
    assert exchange.left_in_staging() == []


async def test_what_is_refused(taught: Exchange) -> None:
    assert _said(await _withdraw(taught, "no such")) == NO_ASSIGNMENT
    assert (await _withdraw(taught, user="lawrence")).status == 403
    assert (await _withdraw(taught, "no such", "stranger")).status == 403
    assert (await taught.call("PUT", "assignment/no such/a/withdrawn", "kevin")).message == "Course not found"
    assert (await taught.call("GET", "assignment/c/a/withdrawn", "kevin")).status == 405
    assert (await taught.call("GET", "assignment/c/a", "lawrence")).status == 200


async def test_an_answer_kept_ready_is_not_sent_any_more(taught: Exchange) -> None:
    """Larger than what is made anew for each; a tree of some seconds ago is kept."""
    files = {"p.ipynb": b"{}" * 200_000}
    await taught.call("PUT", "assignment/c/a", "kevin", files=tree(files))
    for path in taught.data.glob("courses/c/assignments/a/releases/*/**/*"):
        os.utime(path, (1e9, 1e9))
    for _ in range(2):
        assert contents((await taught.call("GET", "assignment/c/a", "lawrence")).body) == files
    await _withdraw(taught)
    assert _said(await taught.call("GET", "assignment/c/a", "lawrence")) == NO_ASSIGNMENT
    assert contents((await taught.call("GET", "assignment/c/a", "kevin")).body) == files


async def test_names_that_look_like_the_call(taught: Exchange) -> None:
    for encoded in ("withdrawn", "a%2Fwithdrawn", "%2E%2E"):
        assert (await taught.raw("POST", f"assignment/c/{encoded}", "kevin", files=WORK)).status == 200
        assert (await taught.raw("PUT", f"assignment/c/{encoded}/withdrawn", "kevin")).status == 200
        assert (await taught.raw("GET", f"assignment/c/{encoded}", "lawrence")).status == 404
    assert (await taught.call("GET", "assignments/c", "lawrence")).body["assignments"] == ["a"]
    assert (await taught.call("GET", "assignments/c", "kevin")).body["assignments"] == [
        "a",
        "withdrawn",
        "a/withdrawn",
        "..",
    ]


async def test_of_two_releases_at_once_by_post_one_counts(withdrawn: tuple[Exchange, str]) -> None:
    exchange, _ = withdrawn
    calls = (exchange.call("POST", "assignment/c/a", "kevin", files=tree({"p": b"%d" % number})) for number in range(6))
    answers = [answer.status for answer in await asyncio.gather(*calls)]
    assert sorted(answers) == [200] + [409] * 5
    sent = contents((await exchange.call("GET", "assignment/c/a", "lawrence")).body)
    assert sent == {"p": b"%d" % answers.index(200)}


# On the volume.


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    opened = Volume.open(Plain(tmp_path / "volume").root)
    yield opened
    opened.close()


def _write_withdrawal(plain: Plain) -> Path:
    return write_withdrawal(plain.course, (COURSE, ASSIGNMENT), INSTRUCTOR, "2020-02-15 08:00:00.000000 UTC")


async def test_one_that_is_written_by_hand_counts_until_it_is_moved_away(
    tmp_path: Path, make_exchange: MakeExchange
) -> None:
    plain = Plain(tmp_path / "volume")
    exchange = await make_exchange()
    path = f"assignment/{COURSE}/{ASSIGNMENT}"
    assert (await exchange.call("GET", path, STUDENT)).status == 200
    withdrawal = _write_withdrawal(plain)
    assert list(verify_volume(plain.root)) == []
    assert (await exchange.call("GET", path, STUDENT)).status == 404
    withdrawal.rename(tmp_path / "elsewhere")
    assert (await exchange.call("GET", path, STUDENT)).status == 200


async def test_where_the_newest_manifest_is_broken_work_is_taken(tmp_path: Path, make_exchange: MakeExchange) -> None:
    plain = Plain(tmp_path / "volume")
    (_write_withdrawal(plain) / "manifest.yaml").write_text("kind: [")
    exchange = await make_exchange()
    path = f"{COURSE}/{ASSIGNMENT}"
    assert (await exchange.call("POST", f"submission/{path}", STUDENT, files=WORK)).status == 200
    assert (await exchange.call("GET", f"assignment/{path}", STUDENT)).status == 503
    (listed,) = (await exchange.call("GET", "listing", STUDENT)).body["courses"]
    assert [(each["withdrawn"], each["timestamp"]) for each in listed["assignments"]] == [(False, None)]
    # Once more is no harm: nobody knows whether it is withdrawn.
    assert (await exchange.call("PUT", f"assignment/{path}/withdrawn", INSTRUCTOR)).status == 200
    assert (await exchange.call("GET", f"assignment/{path}", STUDENT)).status == 404


def test_what_belongs_elsewhere_is_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    withdrawal = _write_withdrawal(plain)
    place = plain.assignment / "submissions" / STUDENT / withdrawal.name
    withdrawal.rename(place)
    assert "kind-differs" in {finding.code for finding in verify_volume(plain.root)}


def test_an_assignment_whose_name_is_cut_keeps_it(volume: Volume) -> None:
    name = "x" * 300
    with volume.upload() as nothing:
        release.release(volume, COURSE, name, INSTRUCTOR, nothing)
    release.withdraw(volume, COURSE, name, INSTRUCTOR)
    assert assignment.assignments_of(volume, COURSE) == [ASSIGNMENT, name]
    assert release.visible_assignments(volume, COURSE, dates.now()) == [ASSIGNMENT]
    assert list(verify_volume(Path(volume.root))) == []


def test_one_without_a_release_can_be_withdrawn(volume: Volume) -> None:
    (Path(volume.root) / "courses" / COURSE / "assignments" / "by hand").mkdir()
    release.withdraw(volume, COURSE, "by hand", INSTRUCTOR)
    assert not release.is_open(volume, COURSE, "by hand")
    assert release.newest(volume, COURSE, "by hand") is None


def test_each_entry_is_later_than_the_one_before(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timestamp, "now", lambda: timestamp.Timestamp("2001-01-01 00:00:00.000000 UTC"))
    for _ in range(3):
        release.withdraw(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
        assert not release.is_open(volume, COURSE, ASSIGNMENT)
        with volume.upload() as nothing:
            release.release(volume, COURSE, ASSIGNMENT, INSTRUCTOR, nothing)
        assert release.is_open(volume, COURSE, ASSIGNMENT)
    assert list(verify_volume(Path(volume.root))) == []


def test_deleted_and_moved_back_it_is_still_withdrawn(volume: Volume) -> None:
    release.withdraw(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
    assignment.delete(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
    with pytest.raises(AssignmentNotFound):
        release.withdraw(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
    assert not release.is_open(volume, COURSE, ASSIGNMENT)
    (deleted,) = Path(volume.root).glob(f"trash/*/{ASSIGNMENT}")
    deleted.rename(Path(volume.root) / "courses" / COURSE / "assignments" / ASSIGNMENT)
    assert not release.is_open(volume, COURSE, ASSIGNMENT)


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_stands_in_the_place_of_an_assignment_is_no_withdrawn_one(volume: Volume, what: str) -> None:
    place = Path(volume.root) / "courses" / COURSE / "assignments" / "odd"
    if what == "file":
        place.touch()
    else:
        place.symlink_to("nowhere")
    with volume.upload() as nothing, pytest.raises(AssignmentExists):
        release.release(volume, COURSE, "odd", INSTRUCTOR, nothing)


@pytest.mark.parametrize("meanwhile", ["withdrawn", "released", "deleted", "deleted and released"])
def test_what_happens_while_the_next_release_is_staged(
    volume: Volume, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """A release of what is withdrawn, beside somebody who is faster."""
    release.withdraw(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
    write_tree_first = Upload.write_tree

    def beside(work: Upload, into: str, dirty: DirtySet) -> None:
        monkeypatch.undo()
        write_tree_first(work, into, dirty)
        if meanwhile.startswith("deleted"):
            assignment.delete(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
        if meanwhile.endswith("released"):
            with volume.upload() as other:
                release.release(volume, COURSE, ASSIGNMENT, "faster", other)
        if meanwhile == "withdrawn":
            release.withdraw(volume, COURSE, ASSIGNMENT, "somebody else")

    monkeypatch.setattr(Upload, "write_tree", beside)
    with volume.upload() as nothing:
        if meanwhile.endswith("released"):
            with pytest.raises(AssignmentExists):
                release.release(volume, COURSE, ASSIGNMENT, INSTRUCTOR, nothing)
        else:
            release.release(volume, COURSE, ASSIGNMENT, INSTRUCTOR, nothing)
    assert release.is_open(volume, COURSE, ASSIGNMENT)
    tree_of = release.newest(volume, COURSE, ASSIGNMENT)
    assert tree_of is not None
    with tree_of:
        assert tree_of.manifest.by == ("faster" if meanwhile.endswith("released") else INSTRUCTOR)
    there = submission.submissions_to(volume, COURSE, ASSIGNMENT)
    assert len(there) == (0 if meanwhile.startswith("deleted") else 1)
    assert not list(Path(volume.root).glob(".ngshare/staging/*/*"))


def test_one_that_is_deleted_at_the_last_moment_is_released_under_one_timestamp(volume: Volume) -> None:
    calls = 0

    def last_check() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            # Later than what is staged, which gets a later timestamp still...
            release.withdraw(volume, COURSE, ASSIGNMENT, INSTRUCTOR)
        if calls == 2:
            # ...and is a new assignment all the same.
            assignment.delete(volume, COURSE, ASSIGNMENT, INSTRUCTOR)

    with volume.upload() as nothing:
        moment = release.release(volume, COURSE, ASSIGNMENT, INSTRUCTOR, nothing, last_check=last_check)
    assert calls == 3
    tree_of = release.newest(volume, COURSE, ASSIGNMENT)
    assert tree_of is not None
    with tree_of:
        assert (tree_of.timestamp, tree_of.manifest.timestamp) == (moment, moment)
    assert not list(verify_volume(Path(volume.root)))
