"""Somebody is taken off the roster while a request of theirs is under way: it changes nothing any more.

The same where the course is deleted meanwhile, and another one has its name: what was allowed in the old one is not
therefore allowed in the new one.
"""

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from ngshare_fs.access.permission import Who
from ngshare_fs.api.endpoint import Endpoint
from ngshare_fs.api.endpoints.table import ENDPOINTS
from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Extension, course, dates, extensions, release, roster, submission
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from tests.conftest import Exchange
from tests.rounds import rounds
from tests.servers import Server, running
from tests.trees import tree

FILES = tree({"p.ipynb": b"late"})
MOMENT = Timestamp("2020-01-01 00:00:00.000000 UTC")
NAMES = {"first_name": "Late", "last_name": "", "email": ""}
FIELDS: dict[str, str] = {
    "files": FILES,
    "timestamp": MOMENT,
    "students": json.dumps([{"username": "new", **NAMES}]),
    **NAMES,
}


def fields_of(endpoint: Endpoint) -> dict[str, str]:
    """Arguments with which an endpoint changes something."""
    if endpoint.path.startswith("removal"):
        return FIELDS | {"students": json.dumps(["lawrence"])}
    # Dates and the next release are two changes; each is made or not.
    has_dates = endpoint.method == "PATCH" or endpoint.path.startswith("extension") or endpoint.new_assignment
    return FIELDS | ({"due": "2092-01-01"} if has_dates else {})


NOT_BY_ROLE = (Who.ADMIN, Who.COURSE_CREATOR, Who.ANYONE)
CHANGES = [endpoint for endpoint in ENDPOINTS if endpoint.writes and endpoint.who not in NOT_BY_ROLE]
ROUNDS = rounds(5, least=2)
AT_ONCE = 4


def _path_and_user(endpoint: Endpoint) -> tuple[str, str]:
    """A request that would change something: by the instructor, or where a student may do it, by the student."""
    name = "new" if endpoint.new_assignment else "a"
    user = {"instructor": "kevin", "grader": "gina"}.get(endpoint.path.partition("/")[0], "lawrence")
    asking = "lawrence" if endpoint.who is Who.MEMBER else "kevin"
    return endpoint.path.format(course="c", assignment=name, user=user), asking


@pytest.fixture
async def prepared(taught: Exchange) -> Exchange:
    """`taught`, with a submission of lawrence, who has more time than others, and a grader."""
    roster.set_grader(taught.volume, "c", "gina", Person())
    hand_in_and_extend(taught)
    return taught


def hand_in_and_extend(exchange: Exchange) -> None:
    """Let lawrence hand in, and have more time than others."""
    _hand_in(exchange)
    dates.change(exchange.volume, "c", "a", {"due": moment_in("2090-01-01 UTC")})
    extensions.extend(exchange.volume, "c", "a", "lawrence", Extension(due=moment_in("2091-01-01 UTC")))


def _hand_in(exchange: Exchange) -> None:
    with exchange.volume.upload() as nothing:
        submission.submit(exchange.volume, "c", "a", "lawrence", nothing, at=MOMENT)


def _edit_by_hand(exchange: Exchange) -> None:
    """Take everybody off the roster, as an editor does."""
    edited = exchange.data / "edited"
    edited.write_text("course: c\n")
    os.utime(edited, (1e9, 1e9))
    edited.rename(exchange.data / "courses/c/course.yaml")


def _make_anew(exchange: Exchange) -> None:
    """Delete the course, and make another one of its name, with other people and the same things in it."""
    volume = exchange.volume
    course.delete(volume, "c", by="root")
    course.create(volume, "c", ["abigail"])
    roster.set_student(volume, "c", "eric", Person())
    with volume.upload() as nothing:
        release.release(volume, "c", "a", "abigail", nothing)
    _hand_in(exchange)


def _once(action: Callable[[], None]) -> Callable[[], None]:
    done: list[bool] = []

    def act() -> None:
        if not done:
            done.append(True)
            action()

    return act


def _before_the_lock(exchange: Exchange, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    hold = exchange.volume.locks.hold

    @contextmanager
    def later(*scope: str) -> Iterator[None]:
        act()
        with hold(*scope):
            yield

    monkeypatch.setattr(exchange.volume.locks, "hold", later)


def _before_the_flush(exchange: Exchange, act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    flush = exchange.volume.flusher.flush

    def later(files: list[str], folders: list[str]) -> None:
        act()
        flush(files, folders)

    monkeypatch.setattr(exchange.volume.flusher, "flush", later)


def _state(exchange: Exchange) -> dict[str, bytes]:
    """All files of all courses."""
    place = exchange.data / "courses"
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("happens", [_edit_by_hand, _make_anew])
@pytest.mark.parametrize("when", [_before_the_lock, _before_the_flush])
@pytest.mark.parametrize("endpoint", CHANGES, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
async def test_nothing_is_changed_any_more(
    prepared: Exchange,
    endpoint: Endpoint,
    when: Callable[[Exchange, Callable[[], None], pytest.MonkeyPatch], None],
    happens: Callable[[Exchange], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, user = _path_and_user(endpoint)
    after: dict[str, bytes] = {}

    def act() -> None:
        happens(prepared)
        after.update(_state(prepared))

    if (
        when is _before_the_flush
        and endpoint.path.startswith(("student", "instructor", "grader", "removal"))
        and happens is _make_anew
    ):
        return  # the flush is under the roster's lock, which whoever deletes the course waits for
    when(prepared, _once(act), monkeypatch)
    answer = await prepared.call(endpoint.method, path, user, **fields_of(endpoint))
    if not after:
        assert when is _before_the_lock, "a change flushes something"
        assert endpoint.method == "DELETE" or endpoint.new_assignment, "takes a lock"
        assert answer.status == 200
        return
    assert answer.status == 403, answer
    assert _state(prepared) == after
    assert prepared.left_in_staging() == []


async def test_who_is_a_student_by_now_hands_in_for_nobody_else(
    prepared: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def demote() -> None:
        roster.remove_instructor(prepared.volume, "c", "kevin")
        roster.set_student(prepared.volume, "c", "kevin", Person())

    _before_the_flush(prepared, _once(demote), monkeypatch)
    answer = await prepared.call("POST", "submission/c/a", "kevin", files=FILES, student="lawrence")
    assert answer.status == 403, answer
    assert submission.submissions_by(prepared.volume, "c", "a", "lawrence") == [("lawrence", MOMENT)]


async def test_what_is_withdrawn_while_work_is_staged_takes_it_no_more(
    prepared: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    _before_the_flush(prepared, _once(lambda: release.withdraw(prepared.volume, "c", "a", "kevin")), monkeypatch)
    answer = await prepared.call("POST", "submission/c/a", "lawrence", files=FILES)
    assert (answer.status, answer.message) == (404, "Assignment not found")
    assert submission.submissions_by(prepared.volume, "c", "a", "lawrence") == [("lawrence", MOMENT)]


# And at random, on two processes that serve one volume.


def _ask(server: Server, method: str, path: str, user: str, **fields: str) -> tuple[int, dict[str, Any]]:
    form = urlencode({"user": user, **fields})
    url = server.url + quote(path)
    body = None
    if method in ("GET", "DELETE"):
        url += "?" + form
    else:
        body = form.encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data: Path = tmp_path_factory.mktemp("servers") / "volume"
    with running(data, "--workers", "2") as server:
        yield server


@contextmanager
def _busy(act: Callable[[], object]) -> Iterator[None]:
    """Several at once go on doing it; at the end all of it is over."""
    over = threading.Event()
    begun = threading.Barrier(AT_ONCE + 1)

    def go_on() -> None:
        act()
        begun.wait(60)
        while not over.is_set():
            act()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(go_on) for _ in range(AT_ONCE)]
        begun.wait(60)
        try:
            yield
        finally:
            over.set()
        for future in futures:
            future.result()


def test_an_instructor_who_is_removed_stays_removed(server: Server) -> None:
    """Requests of theirs, under way and new, go on writing their entry."""
    for number in range(ROUNDS):
        name = f"removed {number}"
        assert _ask(server, "POST", f"course/{name}", "root", instructors='["t"]')[0] == 200

        def stay(name: str = name) -> int:
            return _ask(server, "POST", f"instructor/{name}/t", "t", **NAMES)[0]

        with _busy(stay):
            assert _ask(server, "DELETE", f"instructor/{name}/t", "root")[0] == 200
            assert _ask(server, "GET", f"instructors/{name}", "root")[1]["instructors"] == []
        assert _ask(server, "GET", f"instructors/{name}", "root")[1]["instructors"] == []
        assert stay() == 403


def test_nor_does_somebody_come_into_a_course_that_was_made_anew(server: Server) -> None:
    for number in range(ROUNDS):
        name = f"anew {number}"
        assert _ask(server, "POST", f"course/{name}", "root", instructors='["t"]')[0] == 200

        def work(name: str = name) -> None:
            _ask(server, "POST", f"instructor/{name}/t", "t", **NAMES)
            _ask(server, "POST", f"student/{name}/added", "t", **NAMES)
            _ask(server, "POST", f"assignment/{name}/a", "t", files=FILES)

        with _busy(work):
            assert _ask(server, "DELETE", f"course/{name}", "root")[0] == 200
            assert _ask(server, "POST", f"course/{name}", "root", instructors='["other"]')[0] == 200
        found = _ask(server, "GET", f"instructors/{name}", "root")[1]["instructors"]
        assert [entry["username"] for entry in found] == ["other"]
        assert _ask(server, "GET", f"students/{name}", "root")[1]["students"] == []
        assert _ask(server, "GET", f"assignments/{name}", "root")[1]["assignments"] == []
