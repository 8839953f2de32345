"""Bodies as they come: broken, cut, endless, too large. A clear answer, nothing published, nothing left in staging."""

import asyncio
import io
import json
from base64 import b64encode
from hashlib import md5
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import FormData

from ngshare_fs.api.request.spill import LARGE_FILE, MOST_HELD
from ngshare_fs.http import pace
from tests.conftest import Exchange, MakeExchange, until
from tests.trees import contents, tree

SUBMIT = "submission/c/a"


async def nothing_happened(exchange: Exchange) -> None:
    """Nobody has handed in, and staging is empty, soon."""
    await until(lambda: not exchange.left_in_staging())  # a connection that was cut is noticed in its own time
    assert (await exchange.call("GET", "submissions/c/a", "kevin")).body["submissions"] == []


FILES: dict[str, list[str | None]] = {
    "Please supply files": [None],
    "Files cannot be JSON decoded": [
        "", " ", "[", '[{"path": "a", "content": ""}', "nonsense", "[NaN]", '["\\x"]', "[" * 100_000, "9" * 5000,
        '[{"path": "a", "content": ""}]]', '{"a": }', "'a'", '[{"path": "a\nb", "content": ""}]',
    ],
    "Incorrect request format": [
        "12", "{}", '"x"', "null", "true", "[1]", "[null]", "[[]]", "[{}]", '[{"path": "a"}]', '[{"content": ""}]',
        '[{"path": 1, "content": ""}]', '[{"path": "a", "content": null}]', '[{"path": ["a"], "content": ""}]',
        '[{"path": "a", "content": {}}]', '[{"path": "a", "content": "", "checksum": 5}]', "[" * 900 + "]" * 900,
        # the format comes before the path, the path before the content
        '[{"path": "/", "content": "*"}, 1]',
    ],
    "Illegal path": [
        *(tree({path: b""})
        for path in (
            "", "/", "/etc/passwd", "..", "../x", "a/../b", ".", "./a", "a/.", "a/", "a//b", "a\0b", "\ud800",
            "x" * 256, "ü" * 128, "a/" * 300 + "a", "/".join(["x" * 200] * 20), "x" * 200_000,
        )),
        tree({"a": b"", "a/b": b""}), tree({"a/b/c": b"", "a": b""}), tree({"a/b/c": b"", "a/b": b""}),
        '[{"path": "../a", "content": "*"}]',
    ],
    "Content cannot be base64 decoded": [
        *(json.dumps([{"path": "a", "content": content}])
        for content in ("*", "e30", "e30=e30=", "e3 =x", "ä", "e30K-", "====", "e30K\0", "e30_", "\\", "\ud800")),
        '[{"path": "a", "content": "*", "checksum": "0"}]',
    ],
    "Checksum does not match": [
        '[{"path": "a", "content": "e30K", "checksum": "d41d8cd98f00b204e9800998ecf8427e"}]',
        '[{"path": "a", "content": "e30K", "checksum": ""}]',
    ],
}  # fmt: skip


@pytest.mark.parametrize(("message", "files"), [(message, text) for message, texts in FILES.items() for text in texts])
async def test_a_wrong_tree_is_refused_with_its_reason(taught: Exchange, message: str, files: str | None) -> None:
    await check_that_it_is_refused(taught, message, files)


async def check_that_it_is_refused(taught: Exchange, message: str, files: str | None) -> None:
    """A submission of this tree, with this message, and nothing of it is left."""
    fields = {} if files is None else {"files": files}
    answer = await taught.call("POST", SUBMIT, "lawrence", **fields)
    assert (answer.status, answer.message) == (400, message)
    await nothing_happened(taught)


LEGAL: dict[str, tuple[dict[str, bytes], dict[str, bytes]]] = {
    "nothing": ({}, {}),
    "an empty file": ({"a": b""}, {"a": b""}),
    "odd paths": (
        odd := {"a b/ü/😀.txt": b"1", "...": b"2", "a\nb": b"3", "-x": b"4", "x" * 255: b"5", ".x/y": b"6"},
        odd,
    ),
    "a deep path": (deep := {"a/" * 200 + "a": b"1"}, deep),
    "large and small": (
        mixed := {"a": b"x" * LARGE_FILE, "b": b"", "c/d": b"y" * (LARGE_FILE * 3 + 1), "e": b"z"},
        mixed,
    ),
    "many": (many := {f"{i // 100}/{i}": bytes([i % 256]) * (2 * MOST_HELD // 999) for i in range(999)}, many),
}


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("case", LEGAL)
async def test_every_legal_tree_comes_back(taught: Exchange, case: str, wrapped: bool) -> None:
    sent, wanted = LEGAL[case]
    assert (await taught.call("POST", SUBMIT, "lawrence", files=tree(sent, wrapped))).status == 200
    answer = await taught.call("GET", "submission/c/a/lawrence", "kevin")
    assert contents(answer.body) == wanted
    assert [file["path"] for file in answer.body["files"]] == list(wanted)
    names = await taught.call("GET", "submission/c/a/lawrence", "kevin", list_only="true")
    assert [set(file) for file in names.body["files"]] == [{"path", "checksum"}] * len(wanted)
    assert taught.left_in_staging() == []


async def test_of_the_same_path_or_key_twice_the_last_counts(taught: Exchange) -> None:
    twice = '[{"path": "a", "content": "MQ=="}, {"path": "b", "path": "a", "content": "*", "content": "Mg=="}]'
    assert (await taught.call("POST", SUBMIT, "lawrence", files=twice)).status == 200
    answer = await taught.call("GET", "submission/c/a/lawrence", "kevin")
    assert [(file["path"], file["content"]) for file in answer.body["files"]] == [("a", "Mg==")]


async def test_of_large_content_twice_the_last_counts(taught: Exchange) -> None:
    """The first is then on the volume already, or a thread still writes it."""
    for first, last in ((b"1" * (8 * LARGE_FILE), b"2" * (3 * LARGE_FILE)), (b"1" * (3 * LARGE_FILE), b"2")):
        entry = {"path": "a", "checksum": md5(last).hexdigest(), "content": b64encode(first).decode()}
        twice = json.dumps([entry])[:-2] + f', "content": "{b64encode(last).decode()}"}}]'
        assert (await taught.call("POST", SUBMIT, "lawrence", files=twice)).status == 200
        answer = await taught.call("GET", "submission/c/a/lawrence", "kevin")
        assert contents(answer.body) == {"a": last}
    assert taught.left_in_staging() == []


async def test_of_a_field_twice_the_last_counts_and_the_body_comes_before_the_query(taught: Exchange) -> None:
    large = quote(tree({"x": b"x" * (LARGE_FILE * 2)}))
    body = f"files={large}&user=stranger&files={quote(tree({'a': b'1'}))}&user=lawrence"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await taught.client.post("/api/submission/c/a?user=kevin", data=body, headers=headers)
    assert response.status == 200
    answer = await taught.call("GET", "submission/c/a/lawrence", "kevin")
    assert contents(answer.body) == {"a": b"1"}
    assert taught.left_in_staging() == []


async def test_multipart_bodies_have_the_same_fields(taught: Exchange) -> None:
    sent = {"ü": b"x" * (2 * LARGE_FILE), "b": b""}
    fields = FormData({"user": "lawrence"}, default_to_multipart=True)
    fields.add_field("files", tree(sent), content_type="application/json", filename="files.json")
    response = await taught.client.post("/api/submission/c/a", data=fields)
    assert response.status == 200, await response.text()
    assert contents((await taught.call("GET", "submission/c/a/lawrence", "kevin")).body) == sent


@pytest.mark.parametrize("body", ["first_name=%zz", "first_name=%ff", "first_name=%", "first_name=%E4"])
async def test_text_that_is_no_text_is_refused(taught: Exchange, body: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = "/api/student/c/new?user=kevin&last_name=&email="
    response = await taught.client.post(url, data=body, headers=headers)
    assert response.status == 400
    assert "percent-encoded UTF-8" in (await response.json())["message"]
    assert (await taught.call("GET", "student/c/new", "kevin")).status == 404


@pytest.mark.parametrize("files", ["%zz", "[%5", "%5B%5D%", "%ff", '[{"path": "%ff", "content": ""}]'])
async def test_files_that_are_no_text_are_refused(taught: Exchange, files: str) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = await taught.client.post("/api/submission/c/a?user=lawrence", data=f"files={files}", headers=headers)
    assert (response.status, (await response.json())["message"]) == (400, "Files cannot be JSON decoded")
    await nothing_happened(taught)


async def test_a_body_over_the_limit_is_refused(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange(max_request=1000, max_files=3)
    await exchange.call("GET", "initialize-Data6ase", "root", action="init")
    path = "/api/submission/course1/challenge?user=lawrence"
    before = len((await exchange.call("GET", "submissions/course1/challenge", "kevin")).body["submissions"])

    async def chunked() -> Any:
        for _ in range(100):
            yield b"files=" + b"x" * 100

    for data in (b"files=" + b"x" * 1000, chunked()):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = await exchange.client.post(path, data=data, headers=headers)
        assert (response.status, (await response.json())["message"]) == (413, "Request too large")
    answer = await exchange.call(
        "POST", "submission/course1/challenge", "lawrence", files=tree(dict.fromkeys("abcd", b""))
    )
    assert (answer.status, answer.message) == (413, "Request too large")
    answer = await exchange.call(
        "POST", "submission/course1/challenge", "lawrence", files=tree(dict.fromkeys("abc", b""))
    )
    assert answer.status == 200
    listed = (await exchange.call("GET", "submissions/course1/challenge", "kevin")).body["submissions"]
    assert len(listed) == before + 1
    assert exchange.left_in_staging() == []


@pytest.mark.parametrize(
    "body", [b"x" * 10**6, b"a" * 70_000 + b"=1", b"=1", b"a%00=1", b"a&" * 100_000, b"a=&" * 100_000]
)
async def test_fields_without_end_or_number_are_refused(taught: Exchange, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    url = "/api/submission/c/a?user=lawrence"
    response = await taught.client.post(url, data=io.BytesIO(body), headers=headers)
    assert response.status in (400, 413)
    await nothing_happened(taught)


async def send_raw(exchange: Exchange, request: bytes, end: bool = False) -> bytes:
    """Send bytes as they are; what comes back until the server closes or the answer is complete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.client.port)
    try:
        writer.write(request)
        if end:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(65536), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def head(length: str, more: str = "") -> bytes:
    """The head of a submission by lawrence."""
    return (
        "POST /api/submission/c/a?user=lawrence HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n{length}\r\n{more}\r\n"
    ).encode()


WHOLE = b"files=" + quote_plus(tree({"a": b"x" * (LARGE_FILE * 2)})).encode()


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(taught: Exchange) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", taught.client.port)
    writer.write(head(f"Content-Length: {len(WHOLE)}") + WHOLE[:-1000])
    await writer.drain()
    await until(lambda: bool(taught.left_in_staging()))  # the server has begun to write
    writer.transport.abort()
    await nothing_happened(taught)


@pytest.mark.parametrize(
    "request_",
    [
        head(f"Content-Length: {len(WHOLE)}") + WHOLE[:-10],
        head("Transfer-Encoding: chunked") + b"20\r\nfiles=",
        head("Transfer-Encoding: chunked") + b"zz\r\nfiles=",
        head("Content-Length: -1") + WHOLE,
        head("Content-Length: x") + WHOLE,
        head("Content-Length: 5\r\nContent-Length: 7") + WHOLE,
        head("Content-Length: 5\r\nTransfer-Encoding: chunked") + WHOLE,
        head("Content-Length: 12", "Content-Encoding: gzip\r\n") + b"not gzip.....",
        b"\x00\xff\r\n\r\n",
        b"GET /api/courses?user=\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)  # fmt: skip
async def test_broken_http_is_refused_or_cut(taught: Exchange, request_: bytes) -> None:
    answered = await send_raw(taught, request_, end=True)
    assert answered == b"" or answered.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answered[:200]
    await nothing_happened(taught)


async def test_a_body_longer_than_its_length_is_not_read_on(taught: Exchange) -> None:
    body = b"files=" + quote_plus(tree({"a": b"1"})).encode()
    answered = await send_raw(taught, head(f"Content-Length: {len(body)}") + body + b"GARBAGE")
    if answered.startswith(b"HTTP/1.1 200"):
        assert contents((await taught.call("GET", "submission/c/a/lawrence", "kevin")).body) == {"a": b"1"}
    else:  # noticed before the request was looked at
        assert answered.split()[1] == b"400"
        await nothing_happened(taught)


async def test_a_body_that_stops_for_too_long_is_given_up(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "IDLE_SECONDS", 0.05)
    answered = await send_raw(taught, head("Content-Length: 1000000") + WHOLE[:400_000])
    assert answered.startswith(b"HTTP/1.1 408")
    await nothing_happened(taught)


async def test_a_body_that_trickles_is_given_up(taught: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "SLOWEST_BYTES_PER_SECOND", 1e9)
    monkeypatch.setattr(pace, "IDLE_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", taught.client.port)
    writer.write(head("Content-Length: 1000000"))
    answered = asyncio.ensure_future(reader.read(100))

    def trickle() -> bool:
        writer.write(b"a=1&")
        return answered.done()

    await until(trickle)
    writer.close()
    assert answered.result().startswith(b"HTTP/1.1 408")


async def test_a_body_too_large_is_refused_before_it_is_sent(taught: Exchange) -> None:
    request = head(f"Content-Length: {2**30}", "Expect: 100-continue\r\n")
    assert (await send_raw(taught, request)).startswith(b"HTTP/1.1 413")
    body = b"files=" + quote_plus(tree({"a": b"1"})).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", taught.client.port)
    writer.write(head(f"Content-Length: {len(body)}", "Expect: 100-continue\r\n"))
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    writer.write(body)
    await reader.readline()
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_roster_that_is_none_is_refused(taught: Exchange) -> None:
    good = {"username": "new", "first_name": "", "last_name": "", "email": ""}
    cases: dict[str, list[str | None]] = {
        "Please supply students": [None, "", " ", "[]"],
        "Students cannot be JSON decoded": ["x", "[", "[" * 100_000],
        "Incorrect request format": [
            "{}", "12", "null", "[1]", "[{}]", json.dumps([good, {**good, "email": None}]),
            json.dumps([good, {**good, "username": ""}]), json.dumps([good, {**good, "username": "\ud800"}]),
        ],
    }  # fmt: skip
    for message, texts in cases.items():
        for text in texts:
            answer = await taught.call("POST", "students/c", "kevin", **({} if text is None else {"students": text}))
            assert (answer.status, answer.message) == (400, message), text
    listed = (await taught.call("GET", "students/c", "kevin")).body["students"]
    assert [student["username"] for student in listed] == ["lawrence"]
