"""Dates on running servers: requests across the instant, lists at the second, two servers on one volume."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.rounds import rounds
from tests.servers import Server, running, writing_processes
from tests.serving import PATIENCE, SlowUpload, address, until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
WORK = '[{"path": "p.ipynb", "content": "e30K"}]'
STATES = ["none", "open", "late", "closed"]
CLOSED = "Assignment is closed (challenge closed at "


def ask(
    server: Server, method: str, path: str, user: str, more: dict[str, str] | None = None, /, **fields: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Call an endpoint of `course1` or the listing; gives status, answer and headers."""
    form, body = urlencode({"user": user, **fields}), None
    place = "/api/" + quote(path)
    if method in ("GET", "DELETE"):
        place += "?" + form
    else:
        body = form
    connection = http.client.HTTPConnection(*address(server), timeout=PATIENCE)
    try:
        connection.request(method, place, body, {**(FORM if body else {}), **(more or {})})
        answer = connection.getresponse()
        content = answer.read()
        return (
            answer.status,
            json.loads(content) if content else {},
            {name.lower(): value for name, value in answer.headers.items()},
        )
    finally:
        connection.close()


def patch(server: Server, **fields: str) -> None:
    status, answer, _ = ask(server, "PATCH", "assignment/course1/challenge", "kevin", **fields)
    assert status == 200, answer


def hand_in(server: Server, user: str = "lawrence", **fields: str) -> tuple[int, str]:
    """Gives the status, and the message or the timestamp."""
    status, answer, _ = ask(server, "POST", "submission/course1/challenge", user, files=WORK, **fields)
    return status, answer["timestamp"] if status == 200 else answer["message"]


def this_second() -> str:
    """The present one, which is named whole: what has begun is before its end."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def is_closed(server: Server) -> bool:
    status, message = hand_in(server)
    assert status == 200 or message.startswith(CLOSED), (status, message)
    return status == 403


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with known data, and the process that writes for it."""
    data: Path = tmp_path_factory.mktemp("dates") / "data"
    with running(data, "--debug") as started:
        assert ask(started, "GET", "initialize-Data6ase", "root", action="init")[0] == 200
        until(lambda: writing_processes(started.process.pid), "the writing process", started)
        yield started


Begin = Callable[[], SlowUpload]


@pytest.fixture
def begin(server: Server) -> Iterator[Begin]:
    """Begins uploads; what is not finished is broken off at the end, for the server waits for it."""
    with ExitStack() as connections:

        def begun() -> SlowUpload:
            upload = SlowUpload(server)
            connections.callback(upload.socket.close)
            return upload

        yield begun


def test_what_began_to_arrive_before_the_close_counts(server: Server, begin: Begin) -> None:
    patch(server, due="", close="", release="")
    status, first = hand_in(server, key="early")
    assert status == 200
    uploads = [begin(), begin()]
    patch(server, close=this_second())
    until(lambda: is_closed(server), "the close", server)
    late = begin()
    status, answer = uploads[0].finish()
    assert status == 200, answer
    assert hand_in(server, key="early") == (200, first), "a retry gets its receipt"
    status, message = hand_in(server, key="late")
    assert (status, message.startswith(CLOSED)) == (403, True)
    status, answer = late.finish()
    assert (status, CLOSED in answer) == (403, True)
    assert hand_in(server, "kevin")[0] == 200
    assert hand_in(server, "kevin", student="lawrence")[0] == 200
    # Those who were given more time go on; and with the dates that count at the end, whenever it began.
    patch(server, due="2020-01-01 UTC")
    assert ask(server, "PUT", "extension/course1/challenge/lawrence", "kevin", due="2090-01-01", reason="ill")[0] == 200
    assert hand_in(server)[0] == 200
    assert ask(server, "DELETE", "extension/course1/challenge/lawrence", "kevin")[0] == 200
    assert hand_in(server)[0] == 403
    assert uploads[1].finish()[0] == 200
    assert "Traceback" not in server.log


def test_dates_that_are_changed_while_work_arrives_count_as_they_are_at_the_end(server: Server, begin: Begin) -> None:
    patch(server, due="", close="", release="")
    closed = begin()
    patch(server, close="2020-01-01 UTC")
    status, answer = closed.finish()
    assert (status, CLOSED + "2020-01-01 23:59:59 UTC)" in answer) == (403, True)
    opened = begin()
    patch(server, close="2090-01-01 UTC")
    assert opened.finish()[0] == 200
    hidden = begin()
    patch(server, release="2089-01-01 UTC")
    status, answer = hidden.finish()
    assert (status, "Assignment not found" in answer) == (404, True)


def test_lists_and_fetched_answers_change_with_the_second(server: Server) -> None:
    """Nothing runs when a date comes: what a client has by its `ETag`, and what is kept in memory, is not used on."""
    patch(server, due="", close="", release="")

    def listing(tag: str | None = None) -> tuple[int, list[dict[str, Any]], str]:
        headers = {} if tag is None else {"If-None-Match": tag}
        status, answer, said = ask(server, "GET", "listing", "lawrence", headers, course="course1")
        shown = answer["courses"][0]["assignments"] if answer else []
        return status, shown, said["etag"]

    now = datetime.now(timezone.utc).replace(microsecond=0)
    dates = {name: now + timedelta(seconds=after) for name, after in (("release", 2), ("due", 3), ("close", 4))}
    patch(server, **{name: f"{moment:%Y-%m-%d %H:%M:%S} UTC" for name, moment in dates.items()})
    # From when on each state is shown: the second of a due and of a close date is named whole.
    begins = [datetime.min.replace(tzinfo=timezone.utc), dates["release"]]
    begins += [dates[name] + timedelta(seconds=1) for name in ("due", "close")]
    begins.append(datetime.max.replace(tzinfo=timezone.utc))
    tag, state, fetched = None, "", []
    deadline = time.monotonic() + PATIENCE
    while state != "closed":
        assert time.monotonic() < deadline, state
        began = datetime.now(timezone.utc)
        status, shown, new_tag = listing(tag)
        ended = datetime.now(timezone.utc)
        assert (status == 304) == (new_tag == tag)
        if status == 200:
            tag, state = new_tag, shown[0]["dates"]["state"] if shown else "none"
        # So it was at a moment between the two, also where the answer was that nothing has changed.
        number = STATES.index(state)
        assert began < begins[number + 1], state
        assert begins[number] <= ended, state
        status, answer, _ = ask(server, "GET", "assignment/course1/challenge", "lawrence")
        fetched.append((status, answer["dates"]["state"] if status == 200 else "none"))
        time.sleep(0.05)
    assert fetched == sorted(fetched, key=lambda each: STATES.index(each[1]))
    assert {status for status, state in fetched if state == "none"} <= {404}


def test_what_a_broken_file_said_counts_also_for_the_process_that_writes(tmp_path: Path) -> None:
    """That has read neither the course's file nor the assignment's, for nobody has handed in yet."""
    data = tmp_path / "data"
    with running(data, "--debug") as server:
        assert ask(server, "GET", "initialize-Data6ase", "root", action="init")[0] == 200
    with running(data) as server:
        until(lambda: writing_processes(server.process.pid), "the writing process", server)
        for name, before, is_accepted in (
            ("course.yaml", "", True),
            ("assignments/challenge/assignment.yaml", "close: 2020-01-01 UTC\n", False),
        ):
            file = data / "courses/course1" / name
            text = before or file.read_text()
            file.write_text(text)
            assert ask(server, "GET", "assignment/course1/challenge", "lawrence", list_only="true")[0] == 200
            file.write_text(text + "close: [\n")
            assert ask(server, "GET", "assignment/course1/challenge", "lawrence", list_only="true")[0] == 200
            for _ in range(4):
                assert (hand_in(server)[0] == 200) == is_accepted, name
            file.write_text(text)
            assert (hand_in(server)[0] == 200) == is_accepted
            assert (hand_in(server, "kevin")[0]) == 200


def test_two_servers_on_one_volume_agree_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--debug") as one, running(tmp_path / "data") as other:
        assert ask(one, "GET", "initialize-Data6ase", "root", action="init")[0] == 200
        for number in range(10):
            here, there = (one, other) if number % 2 else (other, one)
            close, status = ("2020-01-01", 403) if number % 3 else ("", 200)
            patch(here, close=close)
            assert hand_in(there)[0] == status, number
            patch(there, release="2089-01-01" if number % 2 else "", due="", close="")
            fetched, answer, _ = ask(here, "GET", "assignment/course1/challenge", "lawrence")
            assert (fetched, answer.get("dates")) == ((404, None) if number % 2 else (200, None)), number
            patch(there, release="")
            _, listed, _ = ask(here, "GET", "listing", "lawrence", course="course1")
            assert [each["dates"] for each in listed["courses"][0]["assignments"]] == [None]


def test_what_is_accepted_is_stored_and_nothing_else_while_dates_change(tmp_path: Path) -> None:
    """An instructor opens and closes an assignment by one server while students hand in by two."""
    over = threading.Event()
    accepted: dict[str, str] = {}

    def work(server: Server, name: str) -> None:
        number = 0
        while not over.is_set():
            number += 1
            key = f"{name}-{number}"
            status, said = hand_in(server, key=key)
            assert status == 200 or said.startswith(CLOSED), said
            if status == 200:
                accepted[key] = said

    with running(tmp_path / "data", "--debug") as one, running(tmp_path / "data") as other:
        assert ask(one, "GET", "initialize-Data6ase", "root", action="init")[0] == 200
        before = ask(one, "GET", "submissions/course1/challenge", "kevin")[1]["submissions"]
        with ThreadPoolExecutor(4) as students:
            futures = [students.submit(work, (one, other)[number % 2], str(number)) for number in range(4)]
            try:
                for number in range(rounds(40)):
                    patch(one, close="" if number % 2 else "2020-01-01")
            finally:
                over.set()
            for future in futures:
                future.result()
        patch(one, close="2020-01-01")
        there = ask(other, "GET", "submissions/course1/challenge", "kevin")[1]["submissions"]
        assert sorted(accepted.values()) == sorted(each["timestamp"] for each in there[len(before) :])
        newest_first = sorted(accepted.items(), key=lambda each: each[1], reverse=True)
        for key, timestamp in newest_first[:20:4]:  # of older ones the key is not searched for
            assert hand_in(other, key=key) == (200, timestamp)
