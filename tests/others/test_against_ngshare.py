"""Plays the same calls to our server and to the released ngshare 0.6.0, and compares the answers."""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import running

from .calls import Call, Side, comparable, delete, get, post
from .ngshare_reference import NotInstallable, python, running_ngshare
from .other_answers import DIFFERENCES
from .same_answers import SCENARIOS, WITH_DEBUG, WITHOUT_DEBUG
from .usual_calls import COURSE, SUBMITTED, tree

pytestmark = pytest.mark.others


@dataclass
class Pair:
    """Both servers, empty and in the same mode."""

    ours: Side
    ngshare: Side
    debug: bool
    our_volume: Path
    ngshares_files: Path

    def in_this_mode(self, outcome: str) -> str:
        """Out of debug mode, `Permission denied` gives no reason."""
        return outcome if self.debug else re.sub(r" \(not .*\)$", "", outcome)

    def play(self, calls: Sequence[Call]) -> None:
        """Make each call to both, and compare the two answers."""
        our_times: dict[str, str] = {}
        ngshares_times: dict[str, str] = {}
        for number, call in enumerate(calls, 1):
            ngshares, ours = self.ngshare.ask(call), self.ours.ask(call)
            where = f"call {number}, {call}"
            expected = self.in_this_mode(call.expected)
            assert ngshares.outcome == expected, f"ngshare itself answers otherwise: {where}: {ngshares.text}"
            assert ours.outcome == expected, f"{where}: {ours.text}"
            assert ours.content_type == "application/json", where
            assert comparable(_without_more(call, ours.body), our_times) == comparable(ngshares.body, ngshares_times), (
                where
            )


# What our answers have beside ngshare's, by the call.
MORE = {
    ("POST", "submission"): ("student_id", "files", "due", "late_seconds"),
    ("GET", "assignment"): ("timestamp", "newest_submission", "dates"),
}


def _without_more(call: Call, body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body is None:
        return body
    more = MORE.get((call.method, call.path[0]), ())
    return {name: value for name, value in body.items() if name not in more}


@pytest.fixture(scope="module", params=["debug", pytest.param("no debug", marks=pytest.mark.long)])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    debug = request.param == "debug"
    options = ["--debug"] if debug else []
    try:
        python()
    except NotInstallable as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        ngshare = stack.enter_context(running_ngshare(folder / "ngshare", "--vngshare", *options))
        ours = stack.enter_context(running(folder / "ours", *options))
        yield Pair(Side(ours.url), Side(ngshare.url), debug, folder / "ours", folder / "ngshare" / "files")


@pytest.fixture
def empty_pair(pair: Pair) -> Pair:
    pair.ours.remove_courses()
    pair.ngshare.remove_courses()
    return pair


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_the_same(empty_pair: Pair, scenario: str) -> None:
    empty_pair.play(SCENARIOS[scenario])


def test_debug_actions_answer_the_same(empty_pair: Pair) -> None:
    empty_pair.play(WITH_DEBUG if empty_pair.debug else WITHOUT_DEBUG)


@pytest.mark.parametrize("case", DIFFERENCES)
def test_answers_differ_on_purpose(empty_pair: Pair, case: str) -> None:
    difference = DIFFERENCES[case]
    empty_pair.play(difference.before)

    ngshares = empty_pair.ngshare.ask(difference.call)
    assert ngshares.outcome == empty_pair.in_this_mode(difference.ngshare), ngshares.text
    assert (ngshares.body is not None) == difference.ngshare_sends_json
    body = comparable(ngshares.body or {}, {})
    assert {key: body.get(key) for key in difference.ngshares_body} == difference.ngshares_body

    ours = empty_pair.ours.ask(difference.call)
    assert ours.outcome == empty_pair.in_this_mode(difference.call.expected), ours.text
    assert ours.content_type == "application/json"
    assert ours.body is not None
    assert ours.body["success"] is (ours.status == 200)
    body = comparable(ours.body, {})
    assert {key: body.get(key) for key in difference.body} == difference.body


def test_unknown_paths_without_a_token_look_the_same(pair: Pair) -> None:
    call = get("root", "nix", "404")
    ngshares, ours = pair.ngshare.ask(call), pair.ours.ask(call)
    page = "<h1>404 Not Found</h1>\n"
    # In debug mode, ngshare shows its environment, secrets and all.
    assert ngshares.text.startswith(page) if pair.debug else ngshares.text == page
    assert (ngshares.status, ours.status, ours.text) == (404, 404, page)


def test_our_timestamps_name_their_zone(empty_pair: Pair) -> None:
    submit = SUBMITTED[-1]
    empty_pair.play(SUBMITTED[:-1])
    ngshares, ours = empty_pair.ngshare.ask(submit), empty_pair.ours.ask(submit)
    assert ngshares.body is not None
    assert ours.body is not None
    shape = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}"
    assert re.fullmatch(shape, ngshares.body["timestamp"])
    assert re.fullmatch(shape + " UTC", ours.body["timestamp"])


def test_dumps_have_a_key_for_each_kind(empty_pair: Pair) -> None:
    empty_pair.play(SUBMITTED)
    dump = get("root", "initialize-Data6ase", action="dump")
    kinds = {"users", "courses", "assignments", "submissions"}
    for side in (empty_pair.ngshare, empty_pair.ours):
        body = side.ask(dump).body
        assert body is not None
        assert kinds <= body.keys()
        assert [course["id"] for course in body["courses"]] == ["c"]
        assert [assignment["id"] for assignment in body["assignments"]] == ["hw"]
        assert {"root", "teach", "ann", "ben"} <= {user["id"] for user in body["users"]}
        assert len(body["submissions"]) == 3
        page = side.ask(get("root", "initialize-Data6ase", action="dump", **{"human-readable": "true"}))
        assert (page.status, page.content_type) == (200, "text/html")
        side.remove_courses()
        emptied = side.ask(dump).body
        assert emptied is not None
        # Whatever ngshare forgets to delete: files and their links to feedback stay in its tables.
        assert not {"courses", "assignments"} & emptied.keys()


def test_deleted_files_leave_our_courses_and_stay_on_ngshares_disk(empty_pair: Pair) -> None:
    secret = b"to be deleted \x00\xff"
    empty_pair.play([*COURSE, post("teach", "assignment/c/hw", files=tree(("secret", secret)))])
    empty_pair.play([delete("teach", "assignment/c/hw")])
    assert secret in {file.read_bytes() for file in empty_pair.ngshares_files.rglob("*") if file.is_file()}
    ours = [file for file in empty_pair.our_volume.rglob("*") if file.is_file() and file.read_bytes() == secret]
    assert {file.relative_to(empty_pair.our_volume).parts[0] for file in ours} == {"trash"}
