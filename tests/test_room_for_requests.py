"""What requests may hold together: who may not write is refused first, the rest is bounded, and given back."""

import asyncio
import io
from typing import Any
from urllib.parse import quote_plus

import pytest

from ngshare_fs.api.request import budget, form
from ngshare_fs.api.request.budget import MOST_FILES_AT_ONCE, Budget, LargeTrees
from ngshare_fs.api.request.spill import LARGE_FILE
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refused
from ngshare_fs.store import course
from tests.conftest import Exchange, MakeExchange, until
from tests.signing_in import PREFIX, Service, again, service
from tests.trees import tree

__all__ = ["again", "service"]

MIB = 2**20
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LARGE = b"files=" + quote_plus(tree({"a": b"x" * 4 * LARGE_FILE})).encode()


class Upload:
    """A body that stops before its end."""

    def __init__(self, writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> None:
        self.writer = writer
        self.reader = reader

    @classmethod
    async def begin(cls, port: int | None, call: str, body: bytes, chunked: bool = False, token: str = "") -> "Upload":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body) + 1000}"
        who = f"Authorization: token {token}\r\n" if token else ""
        writer.write(f"{call} HTTP/1.1\r\nHost: x\r\n{who}Content-Type: {FORM['Content-Type']}\r\n".encode())
        writer.write(f"{framing}\r\n\r\n".encode() + (b"%x\r\n%b\r\n" % (len(body), body) if chunked else body))
        return cls(writer, reader)

    async def answer(self) -> bytes:
        try:
            return await asyncio.wait_for(self.reader.readuntil(b"}"), 20)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            return getattr(error, "partial", b"")


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(
    ("call", "status"),
    [("POST collection/nope/nope", 404), ("POST submission/nope/nope", 404), ("POST submission/c/nope", 403),
     ("POST course/new", 403), ("GET assignments/c", 403)],
)  # fmt: skip
async def test_who_may_not_is_told_before_the_body(service: Service, call: str, status: int, chunked: bool) -> None:
    course.create(service.volume, "c", ["kevin"])
    method, path = call.split()
    for token, expected in (("", 403), ("unknown", 403), ("server", status)):
        port = service.client.port
        upload = await Upload.begin(port, f"{method} {PREFIX}{path}", LARGE, chunked, token)
        assert (await upload.answer()).split()[1] == str(expected).encode()
        upload.writer.close()
    assert not list((service.settings.data / ".ngshare/staging").glob("*/*"))


async def test_a_body_is_asked_for_once_it_is_welcome(service: Service) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.client.port)
    writer.write(
        f"POST {PREFIX}submission/nope/nope HTTP/1.1\r\nHost: x\r\nAuthorization: token server\r\n"
        f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    assert await reader.readline() == b"HTTP/1.1 404 Not Found\r\n"
    writer.close()


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "small", "query"])
async def test_files_that_nobody_asked_for_are_passed_over(taught: Exchange, kind: str) -> None:
    headers, query, body = FORM, {"user": "lawrence"}, LARGE + b"&files=%zz&other=%zz"
    if kind == "multipart":
        part = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n'
        headers, body = {"Content-Type": "multipart/form-data; boundary=b"}, part + LARGE + b"\r\n--b--\r\n"
    elif kind == "small":
        body = b"files=%zz&x=%zz"
    elif kind == "query":
        query, body = {**query, "files": "[", "x": "y"}, b""
    seen: list[str] = []

    async def watched() -> Any:
        for start in range(0, len(body), 2**17):
            yield body[start : start + 2**17]
            await asyncio.sleep(0)
            seen.extend(taught.left_in_staging())

    data = None if kind == "query" else io.BytesIO(body) if kind == "small" else watched()
    response = await taught.client.get("/api/courses", params=query, data=data, headers=headers)
    assert (response.status, (await response.json())["courses"]) == (200, ["c"])
    assert not seen


async def test_an_argument_is_as_long_as_its_kind_may_be(taught: Exchange) -> None:
    for length, status in ((60_000, 200), (70_000, 413)):
        person = {"first_name": "x" * length, "last_name": "", "email": ""}
        assert (await taught.call("POST", "student/c/new", "kevin", **person)).status == status
    answer = await taught.call("POST", "students/c", "kevin", students=" " * 70_000 + "[]")
    assert (answer.status, answer.message) == (400, "Please supply students")


async def test_what_is_staged_is_bounded_and_given_back(
    make_exchange: MakeExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "MOST_STAGED", 4)
    exchange = await make_exchange(max_request=MIB)
    await exchange.call("GET", "initialize-Data6ase", "root", action="init")
    # Each stages 256 KiB at least, so that 16 are room for all there are.
    body = b"files=" + quote_plus('[{"path": "a", "content": "').encode() + b"A" * (MIB - 2000)
    call = "POST /api/submission/course1/challenge?user=lawrence"
    uploads = [await Upload.begin(exchange.client.port, call, body) for _ in range(30)]
    answers = [asyncio.ensure_future(upload.answer()) for upload in uploads]
    await until(lambda: sum(answer.done() for answer in answers) >= 14)
    for said in [answer.result() for answer in answers if answer.done()]:
        assert said.startswith(b"HTTP/1.1 503")
        assert b"Too many large requests at once" in said
        assert b"Retry-After" in said
    staged = sum(entry.stat().st_size for entry in (exchange.data / ".ngshare/staging").rglob("content-*"))
    assert MIB < staged <= 4 * MIB
    for upload in uploads:
        upload.writer.transport.abort()
    await asyncio.gather(*answers)
    await until(lambda: not exchange.left_in_staging())
    done = await exchange.call("POST", "submission/course1/challenge", "lawrence", files=tree({"a": b"x" * 700_000}))
    assert done.status == 200


async def test_one_user_does_not_take_the_room_of_others(
    service: Service, again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form, "MOST_STAGED_OF_ONE", 1)
    small = await again(service, max_request=MIB)
    course.create(small.volume, "c", ["ada", "boss"])
    body = b"files=" + quote_plus('[{"path": "a", "content": "').encode() + b"A" * (MIB - 2000)
    call, port = f"POST {PREFIX}assignment/c/a", small.client.port
    uploads = [await Upload.begin(port, call, body, token="server") for _ in range(8)]
    answers = [asyncio.ensure_future(upload.answer()) for upload in uploads]
    await until(lambda: sum(answer.done() for answer in answers) >= 4)
    for said in [answer.result() for answer in answers if answer.done()]:
        assert said.startswith(b"HTTP/1.1 503")
        assert b"Too many large requests of one user at once" in said
    headers = {"Authorization": "token root", **FORM}
    large = b"files=" + quote_plus(tree({"a": b"x" * 600_000})).encode()
    async with small.client.post(PREFIX + "assignment/c/b", data=io.BytesIO(large), headers=headers) as other:
        assert other.status == 200
    for upload in uploads:
        upload.writer.transport.abort()
    await asyncio.gather(*answers)


async def test_refusals_for_size_say_how_much_is_allowed(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(max_request=2 * MIB, max_files=3)
    await exchange.call("GET", "initialize-Data6ase", "root", action="init")
    path = "submission/course1/challenge"
    for content in (b"", b"x" * LARGE_FILE):  # a small body, and one that is understood as it arrives
        answer = await exchange.call("POST", path, "lawrence", files=tree(dict.fromkeys("abcd", content)))
        assert (answer.status, answer.body) == (
            413, {"success": False, "message": "Request too large", "max_files": 3}
        )  # fmt: skip
    answer = await exchange.call("POST", path, "lawrence", files=tree({"a": b"x" * 2 * MIB}))
    assert answer.body == {"success": False, "message": "Request too large", "max_request": 2 * MIB}


async def test_who_has_much_under_way_waits_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "WAIT_SECONDS", 0.05)
    shared = Budget(400, 160)
    first, second, third = (shared.holding("ada") for _ in range(3))
    await first.admit(290)  # a single one may always
    with pytest.raises(Refused) as refused:
        await second.admit(1)
    assert refused.value.refusal is refusals.TOO_MUCH_OF_ONE
    other = shared.holding("bob")
    with pytest.raises(Refused) as refused:
        await other.admit(11)
    assert refused.value.refusal is refusals.TOO_MUCH_AT_ONCE
    with pytest.raises(Refused):
        second.grow(1)
    monkeypatch.setattr(budget, "WAIT_SECONDS", 20)
    waiting = [asyncio.ensure_future(each.admit(70)) for each in (second, third)]
    await asyncio.sleep(0)
    await other.admit(10)  # overtakes those who wait for their own
    first.release()
    await waiting[0]
    assert not waiting[1].done()
    waiting[1].cancel()
    for each in (other, second, third):
        each.release()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert shared.held == 0


async def test_who_was_admitted_finds_room_to_grow() -> None:
    shared = Budget(100, 100)
    holdings = [shared.holding(str(number)) for number in range(5)]
    waiting = [asyncio.ensure_future(holding.admit(25)) for holding in holdings]
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True] * 3 + [False] * 2
    for holding in holdings[:3]:
        holding.grow(8)
    with pytest.raises(Refused):
        holdings[0].grow(8)
    for holding in holdings[:3]:
        holding.release()
    await asyncio.gather(*waiting)


async def test_small_submissions_do_not_wait_for_large_ones(exchange: Exchange) -> None:
    await exchange.call("GET", "initialize-Data6ase", "root", action="init")
    call = "POST /api/submission/course1/challenge?user=lawrence"
    uploads = [await Upload.begin(exchange.client.port, call, LARGE) for _ in range(40)]
    await asyncio.sleep(0.2)
    done = exchange.call("POST", "submission/course1/challenge", "lawrence", files=tree({"a": b"x"}))
    assert (await asyncio.wait_for(done, budget.WAIT_SECONDS / 3)).status == 200
    for upload in uploads:
        upload.writer.transport.abort()


async def test_who_came_first_is_admitted_first() -> None:
    shared = Budget(100, 100)
    holdings = [shared.holding(str(number)) for number in range(4)]
    await holdings[0].admit(100)
    order: list[int] = []

    async def admitted(number: int, count: int) -> None:
        await holdings[number].admit(count)
        order.append(number)

    tasks = [asyncio.ensure_future(admitted(number, count)) for number, count in ((1, 90), (2, 20), (3, 1))]
    await asyncio.sleep(0)
    holdings[0].release()
    await tasks[0]
    assert order == [1]
    holdings[1].release()
    await asyncio.gather(*tasks)
    assert order == [1, 2, 3]


def test_large_trees_take_turns() -> None:
    trees = LargeTrees()
    trees.enter(10 * MOST_FILES_AT_ONCE)  # a single one may always
    trees.enter(budget.FEW_FILES)
    with pytest.raises(Refused):
        trees.enter(budget.FEW_FILES + 1)
    trees.leave(budget.FEW_FILES)
    trees.leave(10 * MOST_FILES_AT_ONCE)
    trees.enter(MOST_FILES_AT_ONCE)
