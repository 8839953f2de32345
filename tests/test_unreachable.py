"""Why a connection failed is said in words that help, and quotes nothing of what was sent."""

import asyncio
import dataclasses
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ngshare_fs.hub import HubClient, HubDown, client
from tests.fallible_hub import FallibleHub

LOOPBACK = "127.0.0.1"
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


@pytest.fixture
async def servers() -> AsyncIterator[list[asyncio.Server]]:
    started: list[asyncio.Server] = []
    yield started
    for server in started:
        server.close()


async def listen(servers: list[asyncio.Server], answer: bytes | None, context: ssl.SSLContext | None = None) -> str:
    """Answer whoever connects with these bytes and hang up; with None, say nothing. Returns host and port."""

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n") if answer is not None else await reader.read()
        writer.write(answer or b"")
        writer.close()

    servers.append(await asyncio.start_server(answers, LOOPBACK, 0, ssl=context))
    host, port = servers[-1].sockets[0].getsockname()
    return f"{host}:{port}"


@pytest.mark.parametrize(("answer", "said"), ANSWERS.values(), ids=ANSWERS)
async def test_what_is_no_answer_is_told(servers: list[asyncio.Server], answer: bytes, said: str) -> None:
    url = f"http://{await listen(servers, answer)}/hub/api"
    line = await said_of(url)
    assert line.startswith(f"{url} cannot be reached: {said}")
    assert "own-token" not in line
    assert "\n" not in line


async def test_who_says_nothing_is_told(servers: list[asyncio.Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.01)
    assert "no answer in time" in await said_of(f"http://{await listen(servers, None)}/hub/api")


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


async def test_http_where_https_was_meant_is_told(servers: list[asyncio.Server]) -> None:
    line = await said_of(f"https://{await listen(servers, b'HTTP/1.1 400 Bad Request')}/hub/api")
    assert "no TLS" in line
    assert "is it http rather than https?" in line


async def test_https_where_http_was_meant_is_told(servers: list[asyncio.Server], tmp_path: Path) -> None:
    line = await said_of(f"http://{await listen(servers, b'', certified(tmp_path))}/hub/api")
    assert "is that the port, and http rather than https?" in line


async def test_a_certificate_of_ones_own_is_told(servers: list[asyncio.Server], tmp_path: Path) -> None:
    line = await said_of(f"https://{await listen(servers, b'', certified(tmp_path))}/hub/api")
    assert "its certificate is not trusted: self" in line
    assert "SSL_CERT_FILE" in line


def certified(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody but itself vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
