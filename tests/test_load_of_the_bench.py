"""The load of the bench is what clients send, and its checks catch servers that are fast because they are wrong."""

import asyncio
import base64
import hashlib
import json
import logging
import re
import socket
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.bodies import SUBMISSION, Work, make_files
from bench.client import Address, Client, token_of
from bench.load import Measured
from bench.sample import Course, students
from bench.works import collect, fetch, large, listings, roster, rush
from ngshare_fs.exchange.connection.client import Client as PlugInClient
from ngshare_fs.exchange.connection.server import Server as PlugInServer
from ngshare_fs.exchange.sending.request_body import Body, LocalFile

SECONDS = 60
# Each load is a process that starts from nothing.
in_the_long_check = partial(pytest.param, marks=pytest.mark.long)
PLAN = rush.Plan(students=10, pairs=40, clients=5)


class Honest:
    """A server that holds everything in memory. Those below tell lies."""

    def __init__(self) -> None:
        self.held: defaultdict[str, list[tuple[str, list[dict[str, str]]]]] = defaultdict(list)
        self.latest = datetime(2020, 1, 1)
        self.calls = self.submitted = 0
        self.keys: list[str] = []

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        self.latest += timedelta(microseconds=1)
        self.held[student].append((self.latest.strftime("%Y-%m-%d %H:%M:%S.%f UTC"), files))
        return {"timestamp": self.held[student][-1][0]}

    def listed(self, some: list[str]) -> list[dict[str, str]]:
        return [{"student_id": student, "timestamp": moment} for student in some for moment, _ in self.held[student]]

    def download(self, student: str) -> dict[str, Any]:
        moment, files = self.held[student][-1]
        return {"timestamp": moment, "files": [{**file, "checksum": _md5(file["content"])} for file in files]}

    async def answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        parts = request.path.removeprefix("/api/").split("/")
        if request.method == "POST":
            user, tree = await self._handed_in(request)
            said = self.submit(user, tree)
        elif parts[0] == "submissions":
            said = {"submissions": self.listed([parts[3]] if len(parts) == 4 else list(self.held))}
        else:
            said = self.download(parts[3])
        return web.json_response({"success": True, **said})

    async def _handed_in(self, request: web.Request) -> tuple[str, list[dict[str, str]]]:
        if request.content_type == "multipart/form-data":
            fields = await request.post()
            self.keys.append(str(fields["key"]))
            tree = json.loads(str(fields["files"]))
            assert all(file.pop("checksum") == _md5(file["content"]) for file in tree)
            return request.headers["Authorization"].removeprefix("token " + token_of("")), tree
        form = parse_qs(await request.text())
        return form["user"][0], json.loads(form["files"][0])


def _md5(content: str) -> str:
    return hashlib.md5(base64.b64decode(content)).hexdigest()


class SaysYes(Honest):
    """It acknowledges everything and keeps nothing."""

    async def answer(self, request: web.Request) -> web.Response:
        self.latest += timedelta(microseconds=1)
        moment = self.latest.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        said: dict[str, list[str]] = {"submissions": [], "files": [], "students": [], "status": [], "assignments": []}
        return web.json_response({"success": True, "timestamp": moment, **said})


class ForgetsPeople(SaysYes):
    """It says that it added everybody, and lists nobody."""

    async def answer(self, request: web.Request) -> web.Response:
        said: dict[str, Any] = {"success": True, "students": [], "status": [{"success": True}] * 5}
        return web.json_response(said)


class Loses(Honest):
    """It loses one of twenty."""

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        said = super().submit(student, files)
        self.submitted += 1
        if self.submitted % 20 == 0:
            self.held[student].pop()
        return said


class Invents(Honest):
    """It lists what nobody handed in."""

    def listed(self, some: list[str]) -> list[dict[str, str]]:
        return [*super().listed(some), {"student_id": some[0], "timestamp": "2020-01-01 00:00:00.000000 UTC"}]


class Repeats(Honest):
    """Its clock stands still."""

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        self.latest = datetime(2020, 1, 1)
        return super().submit(student, files)


class Changes(Honest):
    """It changes one file, its checksum too."""

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        return super().submit(student, [{**files[0], "content": "e30K"}, *files[1:]])


class Stale(Honest):
    """It sends the latest submission as if it were the first."""

    def download(self, student: str) -> dict[str, Any]:
        return {**super().download(student), "timestamp": self.held[student][0][0]}


class Fails(Honest):
    """It fails now and then."""

    async def answer(self, request: web.Request) -> web.Response:
        answer = await super().answer(request)
        if self.calls % 20 == 0:
            answer.set_status(500)
        return answer


class HangsUp(Honest):
    """It closes the connection instead of answering, now and then."""

    async def answer(self, request: web.Request) -> web.Response:
        answer = await super().answer(request)
        if self.calls % 20 == 0 and request.transport is not None:
            request.transport.close()
        return answer


@asynccontextmanager
async def serving(server: Honest) -> AsyncIterator[Address]:
    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(application) as test_server:
        yield Address(str(test_server.make_url("/api/")))


@pytest.mark.parametrize("behind_hub", [in_the_long_check(False), True])
async def test_the_rush_believes_an_honest_server(behind_hub: bool) -> None:
    honest = Honest()
    async with serving(honest) as address:
        measured = await rush.load(replace(address, behind_hub=behind_hub), PLAN)
    assert measured.wrong == []
    assert len(measured.milliseconds["POST"]) == len(measured.milliseconds["GET"]) == PLAN.pairs
    submitted = PLAN.pairs + min(PLAN.warm_up, PLAN.pairs)
    assert len(set(honest.keys)) == (submitted if behind_hub else 0)
    handed_in = [file["content"] for all_of_one in honest.held.values() for _, files in all_of_one for file in files]
    assert len(handed_in) == len(set(handed_in)) == len(SUBMISSION) * submitted


class Busy(Honest):
    """It cannot work now and then, and says so."""

    async def answer(self, request: web.Request) -> web.Response:
        if self.calls % 20 == 10:
            self.calls += 1
            return web.json_response({"success": False, "message": "later"}, status=503)
        return await super().answer(request)


@pytest.mark.parametrize("patient", [in_the_long_check(False), True])
async def test_patient_clients_ask_again_after_a_503_and_count_it(patient: bool) -> None:
    async with serving(Busy()) as address:
        measured = await rush.load(replace(address, patient=patient), PLAN)
    assert bool(measured.wrong_count) is not patient
    assert bool(measured.facts["refused"]) is patient


def test_the_rush_sends_what_the_plug_ins_send(tmp_path: Path) -> None:
    """Byte for byte, but for the boundary, the key, the version of the HTTP client and the proxy's own header."""
    heard: list[bytes] = []

    def listen() -> None:
        while len(heard) < 2:
            connection, _ = listener.accept()
            with connection:
                said = b""
                while not said.endswith(b"--\r\n") and (piece := connection.recv(2**16)):
                    said += piece
                heard.append(said)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":true}')

    work = Work([2000, 1500, 500], 1)
    files = []
    for number, (name, content) in enumerate(make_files([2000, 1500, 500], 1).items()):
        (tmp_path / str(number)).write_bytes(content)
        files.append(LocalFile(name, str(tmp_path / str(number)), len(content), hashlib.md5(content).hexdigest()))
    fields = {"key": "0123456789abcdef0123456789abcdef", "after": "2020-01-30 10:30:00.000000 UTC"}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        thread = threading.Thread(target=listen)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/services/ngshare/"
        plug_in = PlugInClient(PlugInServer(url, token_of("ada"), "ada", False), 10, logging.getLogger())
        plug_in.call("POST", "submission", "math", "ps1", body=Body(fields, files))
        body, ask = work.multipart(0, fields), Client(Address(url, behind_hub=True)).ask
        asyncio.run(ask("POST", "submission/math/ps1", body.content, user="ada", encoding=body.encoding))
        thread.join()
    theirs, ours = map(_in_form, heard)
    assert ours == theirs


def _in_form(request: bytes) -> tuple[str, list[str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    boundary = head.partition(b"boundary=")[2].partition(b"\r\n")[0]
    first, *lines = head.replace(boundary, b"BOUNDARY").decode().split("\r\n")
    lines = [re.sub(r"python-requests/.*|(?<=Connection: ).*", "", line) for line in lines]
    return first, sorted(lines), body.replace(boundary, b"BOUNDARY")


@pytest.mark.parametrize(
    "liar", [Loses, HangsUp, *map(in_the_long_check, (SaysYes, Invents, Repeats, Changes, Stale, Fails))]
)
async def test_the_rush_catches_a_wrong_server(liar: type[Honest]) -> None:
    async with serving(liar()) as url:
        measured = await rush.load(url, PLAN)
    assert measured.wrong_count


COURSE = Course("math", students(4), ["ps1"], submitting=4, times=2)
LOADS: dict[str, Callable[[Address], Awaitable[Measured]]] = {
    "fetch": lambda url: fetch.load(url, students(10), 1),
    "collect": lambda url: collect.load(url, COURSE),
    "listings": lambda url: listings.load(url, COURSE, 3),
    "small list": lambda url: listings.load_small({"0": url}, COURSE, 3),
    "roster": lambda url: roster.load(url, 5, 3),
    "download": lambda url: large.load_down(url, "submission/math/ps1/student-0000", 1000),
}


@pytest.mark.parametrize("name", LOADS)
async def test_other_works_catch_a_server_that_says_yes_to_everything(name: str) -> None:
    async with serving(SaysYes()) as url:
        measured = await LOADS[name](url)
    assert measured.wrong_count


@pytest.mark.parametrize("name", [name if name == "fetch" else in_the_long_check(name) for name in LOADS])
async def test_a_server_that_is_gone_is_a_wrong_answer(name: str) -> None:
    """The kernel may have killed it for want of memory."""
    async with serving(Honest()) as address:
        pass
    measured = await LOADS[name](address)
    assert measured.wrong_count


async def test_a_roster_that_is_not_kept_is_caught() -> None:
    async with serving(ForgetsPeople()) as url:
        measured = await roster.load(url, 5, 3)
    assert measured.wrong_count
