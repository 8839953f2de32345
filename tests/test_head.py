"""HEAD is answered as GET is, without the body: load balancers and monitors ask so."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers import Server, running

PAGES = (
    "/healthz",
    "/readyz",
    "/api/healthz",
    "/api/readyz",
    "/api",
    "/api/",
    "/api/static/style.css",
    "/api/openapi.json",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("head") / "data") as started:
        yield started


def ask(server: Server, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        headers = {name: value for name, value in answer.getheaders() if name != "Date"}
        return answer.status, headers, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", PAGES)
def test_it_is_answered_as_get_is(server: Server, path: str) -> None:
    status, headers, body = ask(server, "GET", path)
    assert status in (200, 302)
    assert int(headers["Content-Length"]) == len(body)
    if not body:
        del headers["Content-Length"]  # there is no need to say it by HEAD
    assert ask(server, "HEAD", path) == (status, headers, b"")


def test_what_cannot_be_used_is_told_by_head_too(tmp_path: Path) -> None:
    with running(tmp_path / "data") as broken:
        (tmp_path / "data/courses").rmdir()
        for path in ("/readyz", "/api/readyz"):
            status, headers, body = ask(broken, "GET", path)
            assert (status, b"courses" in body) == (503, True)
            assert ask(broken, "HEAD", path) == (status, headers, b"")


@pytest.mark.parametrize("path", PAGES)
def test_what_else_is_allowed_is_said(server: Server, path: str) -> None:
    status, headers, _ = ask(server, "PUT", path)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_calls_that_have_no_head_say_so(server: Server) -> None:
    for path, allowed in (
        ("/api/courses", "GET"),
        ("/api/assignment/c/a", "DELETE, GET, PATCH, POST, PUT"),
        ("/api/initialize-Data6ase", "GET"),
    ):
        status, headers, body = ask(server, "HEAD", path)
        assert (status, headers["Allow"], body) == (405, allowed, b"")
