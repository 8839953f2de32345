"""A live move: from a server that speaks ngshare's API, which is ours here; the released one is in `tests/others`."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.transfer.ngshare import NotNgshare
from ngshare_fs.transfer.ngshare.server import Refused, Server
from tests import waiting
from tests.faulty_proxy import LOST_ANSWER, LOST_REQUEST, RESTARTING, Fault, faulty_proxy
from tests.operators.ngshare_content import ODD_COURSE
from tests.operators.old_ngshare import OldNgshare, Outcome, run
from tests.servers import running
from tests.verifying import codes

COURSE = "NBG 101"
CUT = Fault(forward=True, send=30)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume that has all of it."""
    old = OldNgshare(tmp_path_factory.mktemp("moved"))
    old.move()
    return old.data


@pytest.fixture(scope="module")
def source(moved: Path) -> Iterator[str]:
    """The URL of its server."""
    with running(moved) as server:
        yield server.url


def from_url(url: str, data: Path, *options: str, code: int | None = None) -> Outcome:
    words = ["--from-url", url, "--user", "root", "--data", str(data), "--json"]
    return run("import", "ngshare", *words, *options, code=code)


def work_in(data: Path) -> dict[str, bytes]:
    """What was handed in, whose times are known; and what the others are, without theirs."""
    found = {}
    for path in data.glob("courses/*/assignments/**/files/**/*"):
        parts = path.relative_to(data).parts
        if path.is_file():
            is_dated = "submissions" in parts and "feedback" not in parts
            found["/".join(parts if is_dated else [part for part in parts if not part.endswith("Z")])] = (
                path.read_bytes()
            )
    return found


def test_it_comes_through_a_proxy_that_loses_and_cuts(source: str, moved: Path, tmp_path: Path) -> None:
    with faulty_proxy(source) as proxy:

        def disturb() -> None:
            waiting.until(lambda: proxy.requests, "somebody asks")
            proxy.faults.extend([LOST_REQUEST, RESTARTING, LOST_ANSWER, CUT])

        disturber = threading.Thread(target=disturb)
        disturber.start()
        outcome = from_url(proxy.url, tmp_path / "new", code=0)
        disturber.join()
        assert not proxy.faults
    assert outcome.new(COURSE) == (5, 4, 9, 3)
    assert outcome.new(ODD_COURSE) == (6, 2, 9, 1)
    assert codes(tmp_path / "new") == []
    assert work_in(tmp_path / "new") == work_in(moved)
    assert from_url(source, tmp_path / "new", code=0).new(COURSE) == (0, 0, 0, 0)


def test_a_dry_run_fetches_no_work(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = Server.get

    def get(server: Server, *path: str, **arguments: str) -> dict[str, Any]:
        asked.append((path[0], arguments.get("list_only")))
        return real(server, *path, **arguments)

    monkeypatch.setattr(Server, "get", get)
    outcome = from_url(source, tmp_path / "new", "--dry-run", "--course", COURSE, code=0)
    assert outcome.new(COURSE) == (5, 4, 9, 3)
    assert outcome.course(COURSE)["submissions"]["bytes"] is None, "nobody knows before it is fetched"
    of_trees = {call for call in asked if call[0] in ("assignment", "submission", "feedback")}
    assert of_trees == {(kind, "true") for kind in ("assignment", "submission", "feedback")}
    assert not (tmp_path / "new").exists()


def test_who_may_not_see_it_all_hears_so(source: str, tmp_path: Path) -> None:
    words = ["--from-url", source, "--user", "lawrence", "--data", str(tmp_path / "new"), "--json"]
    outcome = run("import", "ngshare", *words, code=1)
    (stopped,) = outcome.document["problems"]
    assert "this needs the token of an admin" in stopped["message"]


def test_a_wrong_url_is_no_matter_of_minutes(source: str, tmp_path: Path) -> None:
    for url, said in (
        ("http://127.0.0.1:1/", "does not answer: Connection refused"),
        (source.replace("/api/", "/"), "is no ngshare: 404, and no JSON of its kind"),
    ):
        assert said in from_url(url, tmp_path / "new", code=2).err
    assert not (tmp_path / "new").exists()


def test_a_server_that_is_gone_is_waited_for_and_given_up(tmp_path: Path) -> None:
    with running(tmp_path / "empty") as source, Server(source.url, None, "root", patience=1) as server:
        assert server.get("courses")["courses"] == []
        with pytest.raises(Refused, match="404 Course not found"):
            server.get("students", "c")
        source.stop()
        with pytest.raises(NotNgshare, match="does not answer: Connection refused"):
            server.get("courses")


@pytest.mark.parametrize("token", ["secret", None])
def test_what_netrc_has_for_the_host_is_neither_sent_nor_in_the_way(
    source: str, token: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with faulty_proxy(source) as proxy, Server(proxy.url, token, "root") as server:
        assert server.get("courses")["courses"]
        assert proxy.tokens == [None if token is None else f"token {token}"]
