"""`ngshare-fs doctor` and the check at the start: what is amiss is said in one line, with what to do."""

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.access.identity import Admission
from ngshare_fs.check_result import CheckResult
from ngshare_fs.command.main import main
from ngshare_fs.hub import HubClient
from ngshare_fs.hub.checkup import look_at_hub, look_at_user
from ngshare_fs.hub.watch import greet_hub, watch_hub
from ngshare_fs.settings import Hub
from ngshare_fs.store import Volume
from ngshare_fs.store.checking.volume_check import look_at_volume
from tests import servers
from tests.fallible_hub import FallibleHub, user

PREFIX = "/services/ngshare/"
ADMISSION = Admission("ngshare", frozenset(), False, False, {"autograder": False})


def wrong(found: list[CheckResult]) -> list[str]:
    return [result.subject for result in found if result.ok is False]


def test_a_volume_that_is_fine(tmp_path: Path) -> None:
    Volume.open(tmp_path / "volume").close()
    before = sorted((tmp_path / "volume").rglob("*"))
    found = look_at_volume(tmp_path / "volume")
    assert wrong(found) == []
    assert [result.subject for result in found] == [
        "volume", "permissions", "file system", "locks", "space", "inodes", "volume clock",
    ]  # fmt: skip
    assert sorted((tmp_path / "volume").rglob("*")) == before


def test_an_empty_folder_will_do_and_stays_empty(tmp_path: Path) -> None:
    assert wrong(look_at_volume(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_a_volume_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, said in ((tmp_path / "file/none", "Not a directory"), (tmp_path / "file", "Not a directory")):
        (found,) = look_at_volume(path)
        assert found.ok is False
        assert said in found.detail
    (found,) = look_at_volume(tmp_path)
    assert "something else" in found.detail
    assert "--data" in found.remedy
    (found,) = look_at_volume(tmp_path / "none/of/these")
    assert (found.ok, "the first start makes it" in found.detail) == (True, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("ngshare.yaml", "layout: 99\n", "layout 99"),
        ("ngshare.yaml", "layout: [\n", "restore the file"),
        (".ngshare/cookie-secret", "short\n", "shorter than 32"),
    ],
)
def test_what_keeps_a_volume_from_being_opened_is_told(tmp_path: Path, file: str, content: str, said: str) -> None:
    Volume.open(tmp_path / "volume").close()
    (tmp_path / "volume" / file).write_text(content)
    (found,) = look_at_volume(tmp_path / "volume")
    assert found.ok is False
    assert said in found.detail


def test_a_folder_that_everybody_can_look_into_is_told(tmp_path: Path) -> None:
    Volume.open(tmp_path / "volume").close()
    assert (tmp_path / "volume").stat().st_mode & 0o777 == 0o700
    (tmp_path / "volume").chmod(0o755)
    assert wrong(look_at_volume(tmp_path / "volume")) == ["permissions"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_that_is_open_is_not_wrong(tmp_path: Path) -> None:
    """So Kubernetes mounts a volume: the server writes to it by its group. `helm test` has to go well there."""
    Volume.open(tmp_path / "volume").close()
    os.chown(tmp_path / "volume", 65532, 65532)
    (tmp_path / "volume").chmod(0o2775)
    found = look_at_volume(tmp_path / "volume")
    assert wrong(found) == []
    [permissions] = [observation for observation in found if observation.subject == "permissions"]
    assert permissions.ok is None
    assert "chmod 0770" in permissions.remedy


def test_a_folder_that_is_missing_inside_is_told(tmp_path: Path) -> None:
    Volume.open(tmp_path / "volume").close()
    (tmp_path / "volume/courses").rmdir()
    (tmp_path / "volume/courses").touch()
    (found,) = look_at_volume(tmp_path / "volume")
    assert "courses" in found.detail
    assert "Not a directory" in found.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="root writes everywhere, and can stop doing so")
def test_a_volume_that_belongs_to_somebody_else_is_told(tmp_path: Path) -> None:
    Volume.open(tmp_path / "volume").close()
    tmp_path.chmod(0o755)
    os.seteuid(65534)
    try:
        # The folders above belong to root alone.
        with suppress(PermissionError):
            os.stat(tmp_path / "volume")
        found = look_at_volume(tmp_path / "volume")
    finally:
        os.seteuid(0)
    assert wrong(found)[0] in ("permissions", "volume")


@pytest.fixture
async def hub(aiohttp_server: Any) -> FallibleHub:
    hub = FallibleHub(owners={"own-token": user("ngshare", kind="service")})
    await hub.begin(aiohttp_server)
    return hub


@pytest.fixture
async def clients() -> AsyncIterator[Any]:
    opened: list[HubClient] = []

    def client(hub: Hub) -> HubClient:
        opened.append(HubClient(hub))
        return opened[-1]

    yield client
    for one in opened:
        await one.close()


async def test_a_hub_that_knows_us(hub: FallibleHub, clients: Any) -> None:
    found = await look_at_hub(clients(hub.hub), hub.hub, PREFIX)
    assert wrong(found) == []
    assert [result.subject for result in found] == ["hub", "clock", "token", "prefix", "sign-in"]


@pytest.mark.parametrize(
    ("change", "prefix", "subject", "said"),
    [
        ({"api_url": "http://127.0.0.1:1/hub/api"}, PREFIX, "hub", "Connection refused"),
        ({"api_url": "http://no-such-host.invalid/hub/api"}, PREFIX, "hub", "cannot be reached"),
        ({"api_url": "URL/wrong"}, PREFIX, "hub", "is not the API of a JupyterHub"),
        ({"api_token": "unknown"}, PREFIX, "token", "JUPYTERHUB_API_TOKEN"),
        ({"api_token": "of-a-user"}, PREFIX, "token", "belongs to the user 'ada'"),
        ({}, "/services/other/", "prefix", "/services/ngshare/"),
        ({}, "/jh/services/ngshare/", "prefix", "/services/ngshare/"),
        ({"service_name": "grader"}, PREFIX, "prefix", "JUPYTERHUB_SERVICE_NAME"),
        ({"client_id": "service-grader"}, PREFIX, "sign-in", "JUPYTERHUB_CLIENT_ID"),
        ({"api_url": "http://a..b/hub/api"}, PREFIX, "hub", "cannot be reached"),
        ({"api_url": "http://..:8081/hub/api"}, PREFIX, "hub", "cannot be reached"),
    ],
)
async def test_what_is_wrong_with_the_hub_is_told(
    hub: FallibleHub, clients: Any, change: dict[str, str], prefix: str, subject: str, said: str
) -> None:
    hub.owners["of-a-user"] = user("ada")
    changes: dict[str, Any] = {name: text.replace("URL", hub.url) for name, text in change.items()}
    changed = dataclasses.replace(hub.hub, **changes)
    found = await look_at_hub(clients(changed), changed, prefix)
    assert wrong(found) == [subject]
    (line,) = [str(result) for result in found if result.ok is False]
    assert said in line
    assert "\n" not in line
    assert changed.api_token not in line


@pytest.mark.parametrize(
    ("owner", "fine", "said"),
    [
        (user("ada", "access:services!service=ngshare"), True, "ada"),
        (user("ada", "access:servers!server=ada/"), True, "enough for nbgrader"),
        (user("ada", "access:servers!server=bob/"), False, "make a token that has access:services!service=ngshare"),
        (user("ada", "read:users:name!user=ada"), False, "access:services!service=ngshare"),
        (user("grader", kind="service"), False, "--services"),
        (user("autograder", kind="service"), True, "service 'autograder'"),
        (user("service:autograder", "access:services"), False, "begin with service:"),
        (None, False, "does not know"),
    ],
)
async def test_whether_a_user_would_be_let_in(
    hub: FallibleHub, clients: Any, owner: dict[str, Any] | None, fine: bool, said: str
) -> None:
    if owner:
        hub.owners["token"] = owner
    result = await look_at_user(clients(hub.hub), hub.hub, "token", ADMISSION.refusal_of)
    assert result.ok is fine
    assert said in str(result)


async def test_where_the_scope_is_required_the_role_of_servers_needs_it_too(hub: FallibleHub, clients: Any) -> None:
    strict = dataclasses.replace(ADMISSION, require_service_scope=True)
    hub.owners["token"] = user("ada", "access:servers!server=ada/")
    result = await look_at_user(clients(hub.hub), hub.hub, "token", strict.refusal_of)
    assert result.ok is False
    assert 'the role "user" with "self", "access:services!service=ngshare"' in result.remedy
    # Not "self", which would let every notebook do at the hub what its owner may do.
    of_servers = '"users:activity!user", "access:servers!server", "access:services!service=ngshare"'
    assert f'the role "server" with {of_servers}' in result.remedy


async def test_at_the_start_it_is_said_once_what_is_wrong_until_it_is_mended(
    hub: FallibleHub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngshare_fs.hub.watch.GREET_AGAIN_SECONDS", 0.001)
    monkeypatch.setattr("ngshare_fs.hub.watch.GREET_AGAIN_AT_LAST_SECONDS", 0.001)
    caplog.set_level("INFO")
    hub.owners.clear()
    task = asyncio.create_task(greet_hub(hub.hub, PREFIX))
    while hub.calls["own-token"] < 5:
        await asyncio.sleep(0)
    hub.owners["own-token"] = user("ngshare", kind="service")
    await task
    lines = [record.getMessage() for record in caplog.records if record.name == "ngshare_fs"]
    assert len(lines) == 2
    assert lines[0].startswith("token: the hub does not know the token of this service; JUPYTERHUB_API_TOKEN")
    assert lines[1].startswith("hub: JupyterHub 0.0.0 at ")


async def test_one_whose_hub_is_gone_serves_on_until_there_is_another(
    hub: FallibleHub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngshare_fs.hub.watch.HUB_GONE_SECONDS", 0.001)
    stopped: list[bool] = []
    parent = [7]
    hub.broken = (500, "")
    task = asyncio.create_task(watch_hub(hub.hub, lambda: parent[0], lambda: stopped.append(True)))
    await asyncio.sleep(0.01)
    assert hub.greeted == 0
    parent[0] = 1
    while hub.greeted < 3:
        await asyncio.sleep(0)
    assert not stopped
    hub.broken = None
    await task
    assert stopped
    assert "making room" in caplog.text


def test_the_command_looks_at_a_running_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "volume"
    with servers.running(data) as server:
        port = server.url.rpartition(":")[2].partition("/")[0]
        arguments = ["doctor", "--standalone", "--data", str(data), "--port"]
        assert main([*arguments, port]) == 0
        assert "service URL" in capsys.readouterr().out
    assert main([*arguments, port]) == 1
    out = capsys.readouterr().out
    assert "WRONG  service URL" in out
    assert "-> start the server" in out


def test_the_command_needs_the_same_options_as_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--standalone", "--user-token-file", str(tmp_path / "none")]) == 2
    assert "--user-token-file: " in capsys.readouterr().err
    assert main(["doctor", "--standalone", "--prot", "1"]) == 2
    assert "did you mean --port" in capsys.readouterr().err
    (tmp_path / "token").write_text("two\nlines\n")
    assert main(["doctor", "--standalone", "--user-token-file", str(tmp_path / "token")]) == 2
    said = capsys.readouterr().err
    assert "characters that no token has" in said
    assert "lines" not in said
