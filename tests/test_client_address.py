"""Where a request came from, as the log has it: nobody can write an address there that a trusted proxy has not seen."""

import json
import socket
import time
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from ngshare_fs.http.client_address import client_address
from tests.servers import Server, running

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),  # who is not trusted is not believed
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),  # the client wrote 6.6.6.6
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db9::7]:4711"], "2001:db9::7"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("2001:db8::1", ["2001:DB9:0::7"], "2001:db9::7"),
        ("fe80::1%eth0", [], "fe80::1"),
        ("10.0.0.1", ["fe80::1%x INFO GET /"], "fe80::1"),
        # What is no address is not believed, and nothing behind it.
        *(
            ("10.0.0.1", [f"6.6.6.6, {said}"], "10.0.0.1")
            for said in (
                "unknown",
                "",
                "203.0.113.9 200 root",
                "1",
                "203.0.113.999",
                "[::1",
                "x" * 4000,
                "\u0661.1.1.1",
            )
        ),
        ("10.0.0.1", ["6.6.6.6, unknown, 10.0.0.2"], "10.0.0.2"),
    ],
)
def test_who_is_believed(peer: str, forwarded: list[str], client: str) -> None:
    request = _request(peer, forwarded)
    assert client_address(request, PROXIES) == client
    assert "\n" not in client_address(request)


def test_where_there_is_no_address() -> None:
    """A socket of the file system, and a connection that was gone before anybody looked."""
    assert client_address(_request("", ["6.6.6.6"]), PROXIES) == "unix"
    assert client_address(_request(None, ["6.6.6.6"]), PROXIES) == "-"


def _request(peer: str | None, forwarded: list[str]) -> web.Request:
    headers = [("X-Forwarded-For", line) for line in forwarded]
    made = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    return made.clone(remote=peer) if peer is not None else made


def _ask(server: Server, *headers: str) -> None:
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        lines = "".join(f"{line}\r\n" for line in headers)
        connection.sendall(
            f"GET {parts.path}courses?user=zo HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n".encode()
        )
        while connection.recv(65536):
            pass


def _lines(server: Server, number: int) -> list[str]:
    deadline = time.monotonic() + 30
    while len(found := [line for line in server.log.splitlines() if "GET /api/courses" in line]) < number:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.01)
    return found


def test_the_log_has_the_client(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--trusted-proxies", "127.0.0.1") as server:
        for headers in (
            (),
            ("X-Forwarded-For: 6.6.6.6, 203.0.113.9",),
            ("X-Forwarded-For: 6.6.6.6, 203.0.113.9 200 root",),
        ):
            _ask(server, *headers)
        said = [line.split()[-2:] for line in _lines(server, 3)]
    assert said == [["127.0.0.1", "zo"], ["203.0.113.9", "zo"], ["127.0.0.1", "zo"]]


def test_the_log_in_json_has_it_too_and_believes_nobody_unasked(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--log-format", "json") as server:
        _ask(server, "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9")
        (line,) = map(json.loads, _lines(server, 1))
    assert line["client"] == "127.0.0.1"
