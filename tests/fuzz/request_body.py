"""Bodies of requests, as aiohttp's own connection hands them on: forms in either encoding, whole and as they arrive.

The first byte chooses: a form as it is, with its length said or not; fields that are put into multipart/form-data; or
bytes that only claim to be that.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import web

from ngshare_fs.api.blocking import Blocking
from ngshare_fs.api.request import form as form_module
from ngshare_fs.api.request.form import FIELD_NAME, Form, FormReader
from ngshare_fs.http import refusals
from ngshare_fs.http.refusals import Refusal, Refused
from ngshare_fs.store import Volume
from tests.fuzz.cutting import chunks, limits, text_and_cuts
from tests.fuzz.percent_encoding import fields_in

WANTED = {"user": 24, "first_name": 24, "email": 24}
MOST_BYTES, SMALL_BODY, LONGEST_NAME = 400, 200, 30
SECONDS = 5
DICTIONARY = (
    b"user=", b"&first_name=", b"&email=", b"%00", b"%ff", b"+", b"%2B", b"\r\n", b"--B", b"--B--", b"--B\r\n",
    b'Content-Disposition: form-data; name="user"\r\n\r\n', b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n",
    b"Content-Length: 3\r\n", b"Content-Type: multipart/mixed; boundary=C\r\n", b"filename*=utf-8''x",
)  # fmt: skip
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=B"

Outcome = Refusal | dict[str, str | None]


class _Wire(asyncio.Transport):
    """A connection that nobody is at the other end of."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.closed = False

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class _Server:
    """Takes requests, and keeps what became of the last one."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._volume = Volume.open(Path(self._folder.name, "volume"))
        self._blocking = Blocking()
        self.loop = asyncio.new_event_loop()

    async def outcome_of(self, head: bytes, pieces: list[bytes]) -> Outcome:
        """What the form reader makes of a request."""
        done: asyncio.Future[Outcome] = self.loop.create_future()

        async def handle(request: web.BaseRequest) -> web.Response:
            try:
                done.set_result(await self._read(request))
            except Exception as error:
                done.set_exception(error)
            return web.Response()

        connection = web.Server(handle, access_log=None)()
        connection.connection_made(_Wire())
        for piece in [head, *pieces]:
            connection.data_received(piece)
            await asyncio.sleep(0)
        try:
            return await asyncio.wait_for(done, SECONDS)
        finally:
            connection.connection_lost(None)
            await asyncio.sleep(0)

    async def _read(self, request: Any) -> Outcome:
        reader = FormReader(self._blocking, MOST_BYTES, 3)
        room = reader.room_for("u")
        try:
            form: Form = await reader.read(request, self._volume.upload(), WANTED, room)
            return dict(form.texts)
        except Refused as refused:
            return refused.refusal
        finally:
            room.release()
            assert room.memory.held == room.disk.held == room.large.held == 0


_server: _Server | None = None


def check(data: bytes) -> None:
    """Raise unless a body gives the same fields however it comes, or is refused for a declared reason."""
    global _server
    _server = _server or _Server()
    text, cuts = text_and_cuts(data)
    kind = text[0] % 3 if text else 0
    with limits(form_module, LONGEST_NAME=LONGEST_NAME, SMALL_BODY=SMALL_BODY):
        _server.loop.run_until_complete((_check_form, _check_fields, _check_claim)[kind](text[1:], cuts))


async def _check_form(body: bytes, cuts: list[int]) -> None:
    wanted = _wanted_of(fields_in(body), body)
    for outcome in [
        await _sent(URLENCODED, [body], chunked=False),
        await _sent(URLENCODED, chunks(body, cuts), chunked=False),
        await _sent(URLENCODED, chunks(body, cuts), chunked=True),
    ]:
        assert outcome in wanted, (outcome, wanted)


async def _check_fields(text: bytes, cuts: list[int]) -> None:
    fields = [(name, value) for name, value in fields_in(text) if name in WANTED and value is not None]
    body = b""
    for name, value in fields:
        body += b'--B\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name.encode(), value)
    body += b"--B--\r\n"
    if any(b"--B" in (value or b"") for _, value in fields):
        return
    wanted = _wanted_of(list(fields), body)
    for pieces in ([body], chunks(body, cuts), [body[place : place + 1] for place in range(len(body))]):
        outcome = await _sent(MULTIPART, pieces, chunked=False)
        assert outcome in wanted, (outcome, wanted)


async def _check_claim(body: bytes, cuts: list[int]) -> None:
    pieces = chunks(b"--B\r\n" + body, cuts)
    outcome = await _sent(MULTIPART, pieces, chunked=True)
    assert isinstance(outcome, dict) or outcome.status in (400, 413)
    if b"_charset_" in body:
        return  # what aiohttp makes of that depends on how it arrives
    # aiohttp's parser, which reads it as it arrives, and ours of small bodies.
    with limits(form_module, SMALL_BODY=0):
        as_it_arrives = await _sent(MULTIPART, pieces, chunked=False)
    with limits(form_module, SMALL_BODY=MOST_BYTES):
        whole = await _sent(MULTIPART, pieces, chunked=False)
    assert whole == as_it_arrives, (whole, as_it_arrives)


def _wanted_of(fields: list[tuple[str, bytes | None]], body: bytes) -> list[Outcome]:
    """What the fields of a body may become. Where a name is malformed or long, it depends on how the body arrives."""
    if len(body) > MOST_BYTES:
        # A chunked body does not say beforehand how large it is: what is wrong with its beginning may be said first.
        is_malformed = any(not FIELD_NAME.fullmatch(name) for name, _ in fields)
        return [refusals.TOO_LARGE, *([refusals.MALFORMED_FIELD] if is_malformed else [])]
    texts: dict[str, str | None] = {}
    may_be_too_large = any(len(field.partition(b"=")[0]) > LONGEST_NAME for field in body.split(b"&"))
    may_be_too_large |= any(b"%" in field and len(field) > min(WANTED.values()) for field in body.split(b"&"))
    too_large: list[Outcome] = [refusals.TOO_LARGE] if may_be_too_large else []
    for name, value in fields:
        if len(name) > LONGEST_NAME:
            return [refusals.TOO_LARGE]
        if not FIELD_NAME.fullmatch(name):
            return [refusals.MALFORMED_FIELD, *too_large]
        if name not in WANTED:
            continue
        if value is not None and len(value) > WANTED[name]:
            return [refusals.TOO_LARGE]
        try:
            texts[name] = None if value is None else value.decode("utf-8").strip()
        except UnicodeDecodeError:
            texts[name] = None
    return [texts, *too_large]


async def _sent(content_type: str, pieces: list[bytes], chunked: bool) -> Outcome:
    assert _server is not None
    size = sum(map(len, pieces))
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{length}\r\n\r\n".encode()
    if chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*filter(None, pieces), b""]]
    return await _server.outcome_of(head, pieces)
