"""Memory stays constant: an upload or a download of 100 MiB is not held as a whole, here or at the client.

In the short check it is half as much.
"""

import base64
import gzip
import hashlib
import http.client
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import pytest

from ngshare_fs.api.request.form import SMALL_BODY
from tests.rounds import rounds
from tests.servers import Server, running

MIB = 2**20
SIZE = rounds(100, least=50) * MIB
ALLOWED = 32 * MIB
BLOCK = os.urandom(3 * MIB // 4 * 4)  # a multiple of 3, so that base64 can be put together from blocks


def _peak(server: Server) -> int:
    """The most memory that the server has had, in bytes, since the last `_forget_peak`."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def _forget_peak(server: Server) -> None:
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")


def _content() -> Iterator[bytes]:
    left = SIZE
    while left:
        yield BLOCK[:left]
        left -= len(BLOCK[:left])


def _form() -> Iterator[bytes]:
    yield (
        b"user=lawrence&files="
        + quote_plus('[{"path": "small", "content": "MQ=="}, {"path": "large", "content": "').encode()
    )
    for block in _content():
        yield quote_plus(base64.b64encode(block)).encode()
    yield quote_plus('"}]').encode()


@pytest.mark.long
def test_a_submission_of_100_mib_goes_up_and_down(tmp_path: Path) -> None:
    digest = hashlib.md5()
    for block in _content():
        digest.update(block)
    with running(tmp_path / "volume", "--debug") as server, ExitStack() as closing:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        closing.callback(connection.close)

        def call(method: str, path: str, body: Iterator[bytes] | None = None) -> http.client.HTTPResponse:
            headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
            connection.request(method, "/api/" + path, body, headers, encode_chunked=body is not None)
            return connection.getresponse()

        assert call("GET", "initialize-Data6ase?action=init").read()
        call("GET", "submissions/course1/challenge?user=kevin").read()

        _forget_peak(server)
        before = _peak(server)
        answer = call("POST", "submission/course1/challenge", _form())
        body = answer.read()
        assert (answer.status, json.loads(body)["success"]) == (200, True), body
        assert _peak(server) - before <= ALLOWED

        _forget_peak(server)
        before = _peak(server)
        answer = call("GET", "submission/course1/challenge/lawrence?user=kevin")
        promised = int(answer.headers["Content-Length"])
        received, wanted = 0, hashlib.md5()
        start = answer.read(300)
        begin = start.rindex(b'"content": "') + len(b'"content": "')
        received, rest = len(start), start[begin:]
        for block in itertools.chain(iter(lambda: answer.read(MIB), b"")):
            received += len(block)
            rest += block
            whole = (len(rest) - 8) // 4 * 4  # keep the end, which is not base64, for later
            wanted.update(base64.b64decode(rest[:whole]))
            rest = rest[whole:]
        wanted.update(base64.b64decode(rest[: rest.index(b'"')]))
        assert received == promised
        assert wanted.hexdigest() == digest.hexdigest()
        assert _peak(server) - before <= ALLOWED


def test_a_small_body_that_unpacks_to_a_large_one_is_not_held(tmp_path: Path) -> None:
    packed = gzip.compress(
        b"user=lawrence&files=" + quote_plus('[{"path": "a", "content": "').encode() + b"A" * SIZE, 9
    )
    assert len(packed) < SMALL_BODY
    with running(tmp_path / "volume", "--debug") as server, ExitStack() as closing:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        closing.callback(connection.close)
        connection.request("GET", "/api/initialize-Data6ase?action=init")
        connection.getresponse().read()
        _forget_peak(server)
        before = _peak(server)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}
        connection.request("POST", "/api/submission/course1/challenge", packed, headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["message"]) == (400, "Files cannot be JSON decoded")
        assert _peak(server) - before <= ALLOWED


CLIENT = """
import logging, sys
from pathlib import Path
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.folders.replacing import replacing_folder
from ngshare_fs.exchange.receiving.received_tree import check_tree, write_tree
from ngshare_fs.exchange.connection.server import Server

def peak():
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024

url, target = sys.argv[1:]
api = ExchangeApi(Client(Server(url, "user:kevin", "kevin", standalone=True), 5, logging.getLogger()))
chosen = dict(api.submissions("course1", "challenge", "lawrence")[-1:])
before = peak()
with replacing_folder(target) as place:
    for answer in api.collect("course1", "challenge", chosen, None, place.parts):
        write_tree(place.tree, check_tree(answer))
print(peak() - before)
"""


def test_a_client_does_not_hold_what_it_downloads(tmp_path: Path) -> None:
    with running(tmp_path / "volume", "--debug") as server, ExitStack() as closing:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=60)
        closing.callback(connection.close)
        connection.request("GET", "/api/initialize-Data6ase?action=init")
        assert json.loads(connection.getresponse().read())["success"]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/api/submission/course1/challenge", _form(), headers, encode_chunked=True)
        assert json.loads(connection.getresponse().read())["success"]
        target = tmp_path / "collected"
        grown = subprocess.check_output([sys.executable, "-c", CLIENT, server.url, str(target)], timeout=120)
        assert (target / "large").stat().st_size == SIZE
        assert int(grown) <= ALLOWED
