"""Quotas: what is too much for a student, a course or the volume is refused, with whose limit it is and what to do."""

import asyncio
import io
import json
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ngshare_fs.api import stored_bytes
from ngshare_fs.api.request import form
from ngshare_fs.api.stored_bytes import StoredBytes
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import Refused
from ngshare_fs.store import Person, course, quota, release, roster, submission, timestamp_of
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.quota import Used
from tests.conftest import Answer, Exchange, MakeExchange, until
from tests.durability.calls import ask
from tests.local_files import files_in
from tests.plug_in_client import folder_with
from tests.servers import running
from tests.signing_in import PREFIX, Service, again, service
from tests.stores import upload
from tests.trees import tree

__all__ = ["again", "service"]  # fixtures
FULL = 507
SECONDS = 60
HEADERS = {"Authorization": "token server", "Content-Type": "application/x-www-form-urlencoded"}


async def taught(make_exchange: MakeExchange, **limits: int) -> Exchange:
    exchange = await make_exchange(**limits)
    await exchange.call("POST", "course/c", "root", instructors='["kevin"]')
    for student in ("ada", "max"):
        await exchange.call("POST", f"student/c/{student}", "kevin", first_name="", last_name="", email="")
    for name in ("a", "b"):
        assert (await exchange.call("POST", f"assignment/c/{name}", "kevin", files=tree({}))).status == 200
    return exchange


async def hand_in(exchange: Exchange, size: int, user: str = "ada", name: str = "a", **fields: str) -> Answer:
    return await exchange.call("POST", f"submission/c/{name}", user, files=tree({"f": os.urandom(size)}), **fields)


def rules(exchange: Exchange | Service, text: str) -> None:
    file = Path(exchange.volume.root) / "courses/c/course.yaml"
    file.write_text(file.read_text() + text)


async def test_a_student_may_hand_in_so_much_to_all_assignments_of_a_course(make_exchange: MakeExchange) -> None:
    exchange = await taught(make_exchange, quota_student=10_000)
    assert (await hand_in(exchange, 6_000)).status == 200
    assert (await hand_in(exchange, 4_000, name="b")).status == 200
    answer = await hand_in(exchange, 1)
    assert answer.status == FULL
    assert answer.message == (
        "Quota reached (what ada handed in to c takes 9.8 KiB of 9.8 KiB, and this adds 1 B: an instructor can delete "
        "earlier submissions; leave out large files that are not needed)"
    )
    assert (answer.body["quota_student"], answer.body["used"]) == (10_000, 10_000)
    assert "Retry-After" not in answer.headers
    assert (await hand_in(exchange, 0)).status == 200
    assert (await hand_in(exchange, 10_000, "max")).status == 200
    assert exchange.left_in_staging() == []
    assert list(verify_volume(exchange.data)) == []


async def test_what_an_instructor_deletes_makes_room_at_once(make_exchange: MakeExchange) -> None:
    exchange = await taught(make_exchange, quota_student=10_000)
    first = await hand_in(exchange, 10_000)
    assert (await hand_in(exchange, 1)).status == FULL
    await exchange.call("DELETE", "submission/c/a/ada", "kevin", timestamp=first.body["timestamp"])
    assert (await hand_in(exchange, 10_000)).status == 200


async def test_a_full_student_still_gets_feedback_and_may_fetch(make_exchange: MakeExchange) -> None:
    exchange = await taught(make_exchange, quota_student=1_000)
    moment = (await hand_in(exchange, 1_000)).body["timestamp"]
    given = await exchange.call(
        "POST", "feedback/c/a/ada", "kevin", timestamp=moment, files=tree({"f.html": bytes(5_000)})
    )
    assert given.status == 200
    assert (await hand_in(exchange, 1)).status == FULL
    assert (await exchange.call("GET", "submission/c/a/ada", "ada")).status == 200


async def test_an_instructor_who_hands_in_for_a_student_meets_that_one_s_quota(make_exchange: MakeExchange) -> None:
    exchange = await taught(make_exchange, quota_student=1_000)
    assert (await hand_in(exchange, 1_000, "kevin", student="ada")).status == 200
    answer = await hand_in(exchange, 1, "kevin", student="ada")
    assert answer.status == FULL
    assert "what ada handed in" in answer.message
    assert (await hand_in(exchange, 1_000, "kevin")).status == 200


@pytest.mark.parametrize("size", [2_000, 3_000_000])
async def test_the_plug_ins_say_whose_limit_it_is_and_what_to_do(limited: Service, size: int, tmp_path: Path) -> None:
    rules(limited, "quota: {student: 1000}\n")
    files = files_in(folder_with(tmp_path / "work", {"p.ipynb": os.urandom(size)}))
    url = f"{limited.client.make_url(PREFIX)}"
    client = Client(Server(url, "server", "ada", standalone=False), 30, logging.getLogger("test"))

    def submit() -> str:
        with pytest.raises(Refused) as caught:
            ExchangeApi(client).submit("c", "a", files, "k", None)
        return str(caught.value)

    said = await asyncio.to_thread(submit)
    assert said.startswith(
        "The exchange says: Quota reached (what ada handed in to c takes 0 B of 1000 B, and this adds "
    )
    assert said.endswith("leave out large files that are not needed). Nothing of it was stored.")


@pytest.mark.parametrize("size", [600, form.SMALL_BODY + 1000])
async def test_handing_in_again_under_a_key_is_answered_though_the_quota_is_full(
    size: int, make_exchange: MakeExchange
) -> None:
    exchange = await taught(make_exchange, quota_student=size)
    files = tree({"f": bytes(size)})
    answers = [await exchange.call("POST", "submission/c/a", "ada", files=files, key="k") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body
    assert (await exchange.call("POST", "submission/c/a", "ada", files=files, key="another")).status == FULL


@pytest.fixture
async def limited(service: Service, again: Any) -> Service:
    """A service of a hub, which knows who is asking before a body comes; students may hand in a million bytes."""
    course.create(service.volume, "c", ["kevin"])
    roster.set_student(service.volume, "c", "ada", Person())
    with upload(service.volume) as nothing:
        release.release(service.volume, "c", "a", "kevin", nothing)
    limited: Service = await again(service, quota_student=1_000_000)
    return limited


async def refused_after(service: Service, body: bytes, sent: int) -> dict[str, Any]:
    """What is answered to Ada when so much of a body has come, and nothing more does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.client.port)
    head = f"POST {PREFIX}submission/c/a HTTP/1.1\r\nHost: x\r\nAuthorization: token server\r\n"
    head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:sent])
    try:
        answered = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SECONDS)
        assert answered.startswith(b"HTTP/1.1 507 "), answered
        return dict(json.loads(await asyncio.wait_for(reader.readuntil(b"}"), SECONDS)))
    finally:
        writer.close()


def handed_in_long_ago(service: Service, size: int, age: timedelta) -> None:
    with upload(service.volume, f=bytes(size)) as work:
        submission.submit(service.volume, "c", "a", "ada", work, at=timestamp_of(datetime.now(timezone.utc) - age))


async def test_a_large_body_is_refused_when_it_has_grown_too_large(limited: Service) -> None:
    body = urlencode({"files": tree({"f": bytes(8_000_000)})}).encode()
    answer = await refused_after(limited, body, len(body) // 2)
    assert "takes 0 B of 977 KiB, and this adds more than is left" in answer["message"]
    assert os.listdir(limited.volume.staging.new_folder()) == []


async def test_of_a_large_body_nothing_is_read_where_nothing_is_left(limited: Service) -> None:
    handed_in_long_ago(limited, 1_000_000, timedelta(days=2))
    body = urlencode({"files": tree({"f": bytes(1_000_000)})}).encode()
    answer = await refused_after(limited, body, 0)
    assert answer["used"] == answer["quota_student"] == 1_000_000


async def test_who_may_be_repeating_what_they_handed_in_is_heard(limited: Service) -> None:
    """The work has its quota filled itself, and its answer was lost."""
    files = tree({"f": bytes(900_000)})
    form = urlencode({"key": "k", "files": files}).encode()
    answers = [
        await limited.client.post(f"{PREFIX}submission/c/a", data=io.BytesIO(form), headers=HEADERS) for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [200, 200]
    assert await answers[0].json() == await answers[1].json()


async def test_a_course_has_a_limit_and_so_have_releases_and_feedback(
    make_exchange: MakeExchange, counted: list[str | None]
) -> None:
    exchange = await taught(make_exchange, quota_course=100_000)
    moment = (await hand_in(exchange, 10)).body["timestamp"]
    await until(lambda: "c" in counted)
    sizes = await _until_full(exchange, 9_000)
    assert 90_000 <= sum(sizes) <= 100_000
    answer = await hand_in(exchange, 20_000)
    assert answer.status == FULL
    assert answer.message.startswith("Quota reached (c takes ")
    assert "the course's instructors can delete what is not needed" in answer.message
    assert answer.body["quota_course"] == 100_000
    for method, path in (("PUT", "assignment/c/a"), ("POST", "assignment/c/new"), ("POST", "feedback/c/a/ada")):
        fields = {"timestamp": moment} if "feedback" in path else {}
        refused = await exchange.call(method, path, "kevin", files=tree({"f": bytes(20_000)}), **fields)
        assert (refused.status, path) == (FULL, path)
    await exchange.call("POST", "course/other", "root", instructors='["kevin"]')
    other = await exchange.call("POST", "assignment/other/a", "kevin", files=tree({"f": bytes(20_000)}))
    assert other.status == 200


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What has been counted since: courses, and None for the volume."""
    found: list[str | None] = []
    count = StoredBytes._count

    async def noted(self: StoredBytes, what: str | None, how: Callable[[], int | None]) -> None:
        await count(self, what, how)
        if what in self._counts:  # else it has no limit
            found.append(what)

    monkeypatch.setattr(StoredBytes, "_count", noted)
    return found


async def _until_full(exchange: Exchange, size: int) -> list[int]:
    """Hand in until there is no more room; gives the sizes of what was taken."""
    taken = []
    while (await hand_in(exchange, size)).status == 200:
        taken.append(size)
        assert len(taken) < 100
    return taken


async def test_what_is_deleted_of_a_course_makes_room_soon(make_exchange: MakeExchange, monkeypatch: Any) -> None:
    """Also where somebody was refused but once, just after a count."""
    monkeypatch.setattr(stored_bytes, "OLD_AT_LIMIT_SECONDS", 0.05)
    exchange = await taught(make_exchange)
    await hand_in(exchange, 10_000)
    counts = StoredBytes(exchange.volume, quota.Limits(course=1, volume=1))
    counts.start()
    counts.stored("c", 0)
    await until(lambda: counts.used("c") == Used(10_000, 10_000))
    counts.stored("c", 5)
    assert counts.used("c") == Used(10_005, 10_005)
    assert (await exchange.call("DELETE", "assignment/c/a", "kevin")).status == 200
    counts.met_limit("c")
    await until(lambda: counts.used("c") == Used(10_000, 0))  # in the trash
    await counts.close()


async def test_the_volume_has_a_limit_and_what_lies_in_the_trash_counts(
    make_exchange: MakeExchange, counted: list[str | None]
) -> None:
    exchange = await taught(make_exchange, quota_volume=100_000)
    await until(lambda: None in counted)
    await _until_full(exchange, 9_000)
    assert (await exchange.call("DELETE", "assignment/c/a", "kevin")).status == 200
    answer = await hand_in(exchange, 50_000, name="b")
    assert answer.status == FULL
    assert "all that is stored here takes " in answer.message
    assert "the administrator can empty the trash" in answer.message


async def test_a_course_s_own_rules_count_before_the_server_s(make_exchange: MakeExchange) -> None:
    exchange = await taught(make_exchange, quota_student=1_000)
    rules(exchange, "quota: {student: 2KiB}\n")
    assert (await hand_in(exchange, 2_000)).status == 200
    assert (await hand_in(exchange, 100)).status == FULL
    text = (exchange.data / "courses/c/course.yaml").read_text()
    (exchange.data / "courses/c/course.yaml").write_text(text.replace("2KiB", "0"))
    assert (await hand_in(exchange, 100_000)).status == 200


async def test_a_course_s_own_limit_needs_none_of_the_server_s(
    make_exchange: MakeExchange, monkeypatch: pytest.MonkeyPatch, counted: list[str | None]
) -> None:
    monkeypatch.setattr(stored_bytes, "LOOK_SECONDS", 0.01)
    exchange = await taught(make_exchange)
    rules(exchange, "quota:\n  course: 50KB\n")
    await until(lambda: "c" in counted)
    assert 40_000 <= sum(await _until_full(exchange, 10_000)) <= 50_000


async def test_without_limits_nothing_is_counted(make_exchange: MakeExchange, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("counted")

    monkeypatch.setattr(quota, "used_by_student", fail)
    monkeypatch.setattr(stored_bytes, "usage_of_course", fail)
    exchange = await taught(make_exchange)
    assert (await hand_in(exchange, 1_000_000)).status == 200


def test_the_process_that_writes_heeds_them_too(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--quota-student", "10KB", "--quota-course", "1MB") as server:

        def call(method: str, path: tuple[str, ...], user: str, **fields: str) -> tuple[int, dict[str, Any]]:
            answer = ask(server.url, method, path, user, fields)
            assert answer is not None
            return answer

        call("POST", ("course", "c"), "root", instructors='["kevin"]')
        entries = [{"username": name, "first_name": "", "last_name": "", "email": ""} for name in ("ada", "max")]
        call("POST", ("students", "c"), "root", students=json.dumps(entries))
        call("POST", ("assignment", "c", "a"), "kevin", files=tree({}))
        assert call("POST", ("submission", "c", "a"), "ada", files=tree({"f": bytes(9_000)}))[0] == 200
        status, body = call("POST", ("submission", "c", "a"), "ada", files=tree({"f": bytes(2_000)}))
        assert status == FULL
        assert "what ada handed in to c takes 8.8 KiB of 9.8 KiB, and this adds 2.0 KiB" in body["message"]
        assert body["quota_student"] == 10_000
