"""Where no exchange answers, the message blames the right one: a redirect, a port, a proxy, a certificate."""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem
from ngshare_fs.exchange.sending.request_body import Body, LocalFile, fullest_folder
from tests import servers
from tests.raw_servers import LOOPBACK, certified, raw_server, saying


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def client(url: str) -> Client:
    return Client(Server(url, "own-token", "ann", standalone=False), 0.1, logging.getLogger("test"))


def said_of(url: str) -> str:
    """What is said where the exchange is at that URL."""
    with pytest.raises(ServerProblem) as problem:
        client(url).call("GET", "courses")
    said = str(problem.value)
    assert "own-token" not in said
    assert "\n" not in said
    return said


@contextmanager
def nobody() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        yield taken.getsockname()[1]


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://hub.example/services/ngshare/courses", "says that the exchange is at https://hub.example/services/n"),
        ("https://hub.example/services/ngshare/courses?own-token=1", "is at https://hub.example/services/ngshare/ . S"),
        ("https://other.example/courses", "says that the exchange is at https://other.example/ "),
        ("/hub/login?next=%2Fservices%2Fngshare%2Fcourses", "You are not signed in"),
        ("https://hub.example/hub/api/oauth2/authorize?client_id=x", "You are not signed in"),
        ("https://sso.example/", "You are not signed in"),
        ("", "You are not signed in"),
    ],
)
def test_a_redirect_is_a_sign_in_only_where_it_leads_to_one(location: str, said: str) -> None:
    with raw_server(saying(redirect(location))) as server:
        shown = said_of(f"http://{LOOPBACK}:{server.port}/services/ngshare/")
    assert said in shown
    assert ("NGSHARE_URL" in shown) == ("exchange is at" in shown)


def test_https_at_a_port_for_http_is_told() -> None:
    with raw_server(saying(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")) as server:
        said = said_of(f"https://{LOOPBACK}:{server.port}/")
    assert "does not speak https at this port" in said
    assert f"the URL is http://{LOOPBACK}:{server.port}/ " in said
    assert "certificate" not in said


def test_https_at_our_own_port_for_http_is_told(tmp_path: Path) -> None:
    with servers.running(tmp_path / "volume") as server:
        assert "does not speak https at this port" in said_of("https" + server.url.removeprefix("http"))


def test_http_at_a_port_for_https_is_told() -> None:
    page = b"<title>400 The plain HTTP request was sent to HTTPS port</title>"
    with raw_server(saying(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))) as server:
        assert f"the URL is https://{LOOPBACK}:{server.port}/ " in said_of(f"http://{LOOPBACK}:{server.port}/")


def test_a_certificate_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with raw_server(saying(b""), certified(tmp_path)) as server:
        said = said_of(f"https://{LOOPBACK}:{server.port}/")
    assert "is not trusted: self" in said
    assert "REQUESTS_CA_BUNDLE" in said


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with nobody() as port:
        monkeypatch.setenv(variable, f"http://me:own-token@{LOOPBACK}:{port}")
        said = said_of("http://hub.example/services/ngshare/")
    where = f"the proxy http://{LOOPBACK}:{port} (environment variable {variable})"
    assert f"cannot be reached: nobody is listening at {where}" in said
    assert "set NO_PROXY=hub.example" in said


def test_a_proxy_for_https_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as port:
        monkeypatch.setenv("https_proxy", f"{LOOPBACK}:{port}")
        said = said_of("https://hub.example/services/ngshare/")
    assert f"nobody is listening at the proxy {LOOPBACK}:{port} (environment variable https_proxy)" in said


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(saying(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as proxy:
        for scheme in ("http", "https"):
            monkeypatch.setenv(f"{scheme}_proxy", f"http://{LOOPBACK}:{proxy.port}")
            said = said_of(f"{scheme}://hub.example/services/ngshare/")
            assert f"the proxy http://{LOOPBACK}:{proxy.port} (environment variable {scheme}_proxy)" in said
            assert "set NO_PROXY=hub.example" in said


def test_a_server_that_is_not_there_is_not_the_proxys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as port:
        monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
        monkeypatch.setenv("no_proxy", LOOPBACK)
        said = said_of(f"http://{LOOPBACK}:{port}/")
    assert "nobody is listening there" in said
    assert "proxy" not in said


@pytest.mark.parametrize("size", [0, 300_000])
def test_too_many_files_are_counted(tmp_path: Path, size: int) -> None:
    content = tmp_path / "content"
    content.write_bytes(bytes(size))
    paths = ["p.ipynb", *(f"venv/lib/{number}.py" for number in range(30))]
    files = [LocalFile(path, str(content), size) for path in paths]
    with servers.running(tmp_path / "volume", "--max-files", "20") as server:
        root = Client(Server(server.url, "user:root", "root", standalone=True), 5, logging.getLogger("test"))
        root.call("POST", "course", "c", body=Body({"instructors": json.dumps(["root"])}))
        with pytest.raises(Refused) as refusal:
            root.call("POST", "assignment", "c", "ps1", body=Body({}, files))
        assert refusal.value.status == 413
        assert "You sent 31 files" in str(refusal.value)
        assert "30 of them are in venv/lib/. " in str(refusal.value)
        assert "too many files: at most 20 are taken at once" in str(refusal.value)
        assert "data files" not in str(refusal.value)


@pytest.mark.parametrize(
    ("paths", "fullest"),
    [
        ([], ("", 0)),
        (["a", "b"], ("", 2)),
        (["a/1", "b/1", "b/2", "c"], ("b", 2)),
        (["a/b/c/1", "a/b/c/2", "a/b/d/1", "x"], ("a/b/c", 2)),
        (["a/b/1", "a/c/1", "a/d/1"], ("a", 3)),
        (["ab/1", "a/1", "a/2"], ("a", 2)),
    ],
)
def test_the_fullest_folder(paths: list[str], fullest: tuple[str, int]) -> None:
    assert fullest_folder(paths) == fullest
