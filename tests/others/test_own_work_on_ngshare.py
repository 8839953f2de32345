"""ngshare 0.6.0 cannot take back a release alone, nor give students their own work: that is said, nothing is lost."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem
from ngshare_fs.exchange.own_submissions import bring_back, own_submissions
from ngshare_fs.exchange.sending.request_body import Body, LocalFile

from .ngshare_reference import NotInstallable, python, running_ngshare

pytestmark = pytest.mark.others


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    try:
        python()
    except NotInstallable as error:
        pytest.skip(str(error))
    with running_ngshare(tmp_path / "data", "--vngshare") as server:
        yield server.url


def test_what_it_cannot_do_is_said(url: str, tmp_path: Path) -> None:
    def client(user: str) -> Client:
        return Client(Server(url, f"user:{user}", user, standalone=True), 10, logging.getLogger("test"))

    client("root").call("POST", "course", "c", body=Body({"instructors": '["teach"]'}))
    client("teach").call("POST", "student", "c", "ann", body=Body({"first_name": "", "last_name": "", "email": ""}))
    teach, ann = ExchangeApi(client("teach")), ExchangeApi(client("ann"))
    (tmp_path / "p.ipynb").write_bytes(b"{}")
    files = [LocalFile("p.ipynb", str(tmp_path / "p.ipynb"), 2)]
    teach.release("c", "ps1", files, {})
    ann.submit("c", "ps1", files, "key", None)

    with pytest.raises(Refused) as refusal:
        teach.withdraw("c", "ps1")
    assert refusal.value.knows_no_such_call
    (own,) = own_submissions(ann, "c", "ps1")
    with pytest.raises(ServerProblem, match="older exchange, which gives submissions to instructors only"):
        bring_back(ann, "c", "ps1", own.submission.timestamp, str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()

    teach.submit("c", "ps1", files, "key", None)
    (tried,) = own_submissions(teach, "c", "ps1")
    assert bring_back(teach, "c", "ps1", tried.submission.timestamp, str(tmp_path / "back")).files == 1
    assert (tmp_path / "back" / "p.ipynb").read_bytes() == b"{}"


def test_that_nobody_can_bring_back_what_it_deletes_is_said(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NGSHARE_URL", url)
    monkeypatch.setenv("NGSHARE_USER", "root")
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)
    assert main(["course", "create", "c", "root"]) == 0
    api = ExchangeApi(Client(Server(url, "user:root", "root", standalone=True), 10, logging.getLogger("test")))
    (tmp_path / "p.ipynb").write_bytes(b"{}")
    api.release("c", "ps1", [LocalFile("p.ipynb", str(tmp_path / "p.ipynb"), 2)], {})
    for words in (["delete-assignment", "c", "ps1"], ["delete", "c"]):
        assert main(["course", *words]) == 1
        assert "nobody can bring it back" in capsys.readouterr().err
        assert main(["course", *words, "--yes"]) == 0
        assert "nobody can bring it back" in capsys.readouterr().out
