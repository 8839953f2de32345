"""Why a connection failed is said in words that help, and quotes nothing of what was sent."""

import dataclasses
import socket
from pathlib import Path

import pytest

from ngshare_fs.hub import HubClient, HubDown, client
from tests.fallible_hub import FallibleHub
from tests.raw_servers import LOOPBACK, certified, raw_server, saying

# What a server sends to whoever connects, and what is said of it.
ANSWERS = {
    "hangs up": (b"", "it hung up without an answer"),
    "another protocol": (b"SSH-2.0-own-token\r\n\r\n", "its answer is no HTTP"),
    "a header without an end": (b"HTTP/1.1 200 OK\r\nX: own-token" + b"x" * 10_000, "its answer is no HTTP"),
    "breaks off": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "its answer broke off"),
    "chunks that are none": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "its answer is no HTTP"),
    "not compressed": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nown-token",
        "its answer broke off, or cannot be read",
    ),
}


async def said_of(url: str) -> str:
    """What is said where the hub is at that URL."""
    hub_client = HubClient(dataclasses.replace(FallibleHub().hub, api_url=url))
    try:
        with pytest.raises(HubDown) as down:
            await hub_client.own_account()
    finally:
        await hub_client.close()
    return str(down.value)


@pytest.mark.parametrize(("answer", "said"), ANSWERS.values(), ids=ANSWERS)
async def test_what_is_no_answer_is_told(answer: bytes, said: str) -> None:
    with raw_server(saying(answer)) as server:
        url = f"http://{LOOPBACK}:{server.port}/hub/api"
        line = await said_of(url)
    assert line.startswith(f"{url} cannot be reached: {said}")
    assert "own-token" not in line
    assert "\n" not in line


async def test_who_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.01)
    with raw_server(lambda connection, server: server.ended.wait()) as server:
        assert "no answer in time" in await said_of(f"http://{LOOPBACK}:{server.port}/hub/api")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_where_nobody_listens_the_system_says_why(scheme: str) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))  # without listening
        assert "Connection refused" in await said_of(f"{scheme}://{LOOPBACK}:{taken.getsockname()[1]}/hub/api")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no-such-host.invalid", ""),  # each resolver has its own words
        ("a..b", "that is no address"),
        (f"{LOOPBACK}:99999", "that is no address"),
    ],
)
async def test_a_place_that_cannot_be_is_told(place: str, said: str) -> None:
    line = await said_of(f"http://{place}/hub/api")
    assert line.startswith(f"http://{place}/hub/api cannot be reached: {said}")
    assert "Error" not in line  # words, not the name of a class


async def test_http_where_https_was_meant_is_told() -> None:
    with raw_server(saying(b"HTTP/1.1 400 Bad Request")) as server:
        line = await said_of(f"https://{LOOPBACK}:{server.port}/hub/api")
    assert "no TLS" in line
    assert "is it http rather than https?" in line


async def test_https_where_http_was_meant_is_told(tmp_path: Path) -> None:
    with raw_server(saying(b""), certified(tmp_path)) as server:
        line = await said_of(f"http://{LOOPBACK}:{server.port}/hub/api")
    assert "is that the port, and http rather than https?" in line


async def test_a_certificate_of_ones_own_is_told(tmp_path: Path) -> None:
    with raw_server(saying(b""), certified(tmp_path)) as server:
        line = await said_of(f"https://{LOOPBACK}:{server.port}/hub/api")
    assert "its certificate is not trusted: self" in line
    assert "SSL_CERT_FILE" in line
