"""Names with `{` and `}`, which a router may take for patterns of its own: every call and command knows them."""

import json
import logging
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from tests import servers
from tests.conftest import Exchange
from tests.trees import contents, tree

COURSE, ASSIGNMENT, STUDENT = "{course}", "a}/{b", "{ada}"
FILES = tree({"f": b"1"})


async def test_every_call_takes_braces_and_a_slash_in_any_encoding(exchange: Exchange) -> None:
    person = json.dumps([{"username": STUDENT, "first_name": "", "last_name": "", "email": ""}])
    assert (await exchange.call("POST", f"course/{COURSE}", "root", instructors='["kevin"]')).status == 200
    assert (await exchange.call("POST", f"students/{COURSE}", "kevin", students=person)).status == 200
    braces = {"upper case": ("%7B", "%7D"), "lower case": ("%7b", "%7d"), "as they are": ("{", "}")}
    assignment = ASSIGNMENT.replace("/", "%2F")
    released = await exchange.raw("POST", f"assignment/{COURSE}/{assignment}", "kevin", files=FILES)
    assert released.status == 200
    for opening, closing in braces.values():
        path = f"{COURSE}/{assignment}".replace("{", opening).replace("}", closing)
        student = STUDENT.replace("{", opening).replace("}", closing)
        handed_in = await exchange.raw("POST", f"submission/{path}", STUDENT, files=FILES)
        assert handed_in.status == 200
        timestamp = handed_in.body["timestamp"]
        collected = await exchange.raw("GET", f"submission/{path}/{student}", "kevin")
        assert contents(collected.body) == {"f": b"1"}
        given = await exchange.raw("POST", f"feedback/{path}/{student}", "kevin", timestamp=timestamp, files=FILES)
        assert given.status == 200
        feedback = await exchange.raw("GET", f"feedback/{path}/{student}", STUDENT, timestamp=timestamp)
        assert contents(feedback.body) == {"f": b"1"}
    for name in ("", "/", "a/b"):  # a name is one segment, and not empty
        assert (await exchange.raw("GET", f"students/{name}", "kevin")).status == 404


def test_the_commands_take_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    roster = tmp_path / "roster.csv"
    with servers.running(tmp_path / "volume", "--debug") as served:
        for name, value in (("NGSHARE_URL", served.url), ("HOME", str(tmp_path)), ("NGSHARE_USER", "root")):
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("JUPYTERHUB_API_TOKEN", raising=False)

        def course(*words: str) -> str:
            assert main(["course", *words]) == 0
            return capsys.readouterr().out

        course("create", COURSE, "teacher")
        roster.write_text(f"student_id\n{STUDENT}\n}}{{\n")
        assert "2 added" in course("sync", COURSE, str(roster), "--yes")
        api = {name: _api(served.url, name) for name in ("teacher", STUDENT)}
        encoded = [quote(name, safe="") for name in (COURSE, ASSIGNMENT)]
        _post(served.url + "assignment/" + "/".join(encoded), "teacher")
        _post(served.url + "submission/" + "/".join(encoded), STUDENT)
        chosen = dict(api["teacher"].submissions(COURSE, ASSIGNMENT))
        assert chosen.keys() == {STUDENT}
        folder = tmp_path / "collected"
        folder.mkdir()
        collected = list(api["teacher"].collect(COURSE, ASSIGNMENT, chosen, None, str(folder)))
        assert [(answer["student_id"], answer["success"]) for answer in collected] == [(STUDENT, True)]
        api["teacher"].remove_submission(COURSE, ASSIGNMENT, STUDENT, chosen[STUDENT])
        assert api["teacher"].submissions(COURSE, ASSIGNMENT) == []
        roster.write_text("student_id\n}{\n")
        assert "1 removed" in course("sync", COURSE, str(roster), "--yes")
        course("remove-students", COURSE, "}{")
        assert "students: 0" in course("show", COURSE)
        course("delete", COURSE, "--yes")
        assert course("list") == ""


def _api(url: str, user: str) -> ExchangeApi:
    return ExchangeApi(Client(Server(url, f"user:{user}", user, standalone=True), 5, logging.getLogger()))


def _post(url: str, user: str) -> None:
    with urllib.request.urlopen(url, urlencode({"user": user, "files": FILES}).encode()) as answer:
        assert json.load(answer)["success"]
