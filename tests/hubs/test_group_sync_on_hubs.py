"""Rosters follow the groups of a real hub: by the server, and by command."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests import commands, servers
from tests.hubs.conftest import StartHub
from tests.hubs.exchange import ask, must
from tests.hubs.hub import FOLLOWERS, SERVICE_SCOPE, Hub, Plan
from tests.hubs.test_doctor_on_hubs import doctor
from tests.servers import Process
from tests.verifying import codes
from tests.volumes import write_course, write_volume
from tests.waiting import until

pytestmark = pytest.mark.hubs

PATTERNS = ("--instructor-groups", "formgrade-{course}", "--student-groups", "nbgrader-{course},{course}:student")
SYNCED = (*PATTERNS, "--group-sync", "1s", "--auth-cache", "1")
COURSE = "NBG 101"
# In one group, with long names: the hub's answer is as long as with ten times as many students.
MANY, LEAVING = 150, 30
LONG_NAME = "x" * 180


def make_group(hub: Hub, name: str, *users: str) -> None:
    hub.add_users(*users)
    hub.api("POST", f"/groups/{quote(name)}", {"users": list(users)})


def join(hub: Hub, group: str, *users: str) -> None:
    hub.add_users(*users)
    hub.api("POST", f"/groups/{quote(group)}/users", {"users": list(users)})


def leave(hub: Hub, group: str, *users: str) -> None:
    # The hub's API takes a body with DELETE here.
    hub.api("DELETE", f"/groups/{quote(group)}/users", {"users": list(users)})


def listed(data: Path, name: str = COURSE, role: str = "students") -> set[str]:
    """Who is on a roster, as the file says."""
    document: Any = yaml.safe_load((data / "courses" / name / "course.yaml").read_text())
    return set(document.get(role) or ())


def sync(hub: Hub, *words: str, data: Path | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command, as an operator runs it beside the server."""
    return commands.run(
        *("course", "sync", "--from-hub", "--data", str(data or hub.volume), *words),
        environment={**hub.environment, **environment},
    )


@contextmanager
def following(hub: Hub, data: Path, log_file: Path, *options: str) -> Iterator[Process]:
    """A server of another volume, which follows the hub's groups."""
    words = ["-m", "ngshare_fs", "serve", "--data", str(data), "--port", "0", *SYNCED, *options]
    environment = {**hub.environment, **token_of(hub, "follows all"), "JUPYTERHUB_SERVICE_URL": ""}
    with log_file.open("ab") as output:
        said = output.fileno()
        process = servers.of_ours().start(words, log_file.parent, environment, said, said, own_group=True)
    try:
        yield process
    finally:
        servers.kill_group(process)


def token_of(hub: Hub, service: str) -> dict[str, str]:
    """What makes a command that service."""
    return {"JUPYTERHUB_API_TOKEN": hub.tokens_of_services[service]}


def test_the_server_keeps_rosters_while_groups_change_and_the_hub_comes_and_goes(
    start_hub: StartHub, version: str
) -> None:
    hub = start_hub(Plan(version, managed=False, options=SYNCED, own_scopes=FOLLOWERS["follows all"]))
    make_group(hub, f"formgrade-{COURSE}", "kevin", "tina")
    make_group(hub, f"nbgrader-{COURSE}", *(f"student{number}" for number in range(12)))
    write_course(hub.volume, COURSE, ["kevin"])
    until(lambda: len(listed(hub.volume)) == 12, "the class is listed", lambda: hub.service_log)
    assert listed(hub.volume, role="instructors") == {"kevin", "tina"}
    # Never seen here, and let in by the group.
    token = hub.token("student3", SERVICE_SCOPE).text
    assert must(ask(hub, "GET", f"assignments/{COURSE}", token))["assignments"] == []
    make_group(hub, f"{COURSE}:student", "zoë@uni.example")
    leave(hub, f"nbgrader-{COURSE}", "student3")
    until(lambda: "zoë@uni.example" in listed(hub.volume) and "student3" not in listed(hub.volume), "they follow",
          lambda: hub.service_log)  # fmt: skip
    until(lambda: ask(hub, "GET", f"assignments/{COURSE}", token).status == 403, "who has left is not let in")
    # Down: nothing changes, and it is said once.
    before = listed(hub.volume)
    hub.kill()
    until(lambda: "cannot follow the hub's groups" in hub.service_log, "it is said", lambda: hub.service_log)
    assert listed(hub.volume) == before
    hub.start()
    until(lambda: "follow the hub's groups again" in hub.service_log, "it goes on", lambda: hub.service_log)
    assert hub.service_log.count("cannot follow the hub's groups") == 1
    # A group that is gone, with all that were in it: somebody has to look first.
    hub.api("DELETE", f"/groups/{quote(f'nbgrader-{COURSE}')}")
    until(lambda: "nobody was removed" in hub.service_log, "it is held back", lambda: hub.service_log)
    assert listed(hub.volume) == before
    refused = sync(hub, *PATTERNS)
    assert (refused.returncode, "say --yes" in refused.stderr) == (1, True), refused
    done = sync(hub, *PATTERNS, "--yes")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert listed(hub.volume) == {"zoë@uni.example"}
    until(lambda: f"the roster of '{COURSE}' follows the hub's groups again" in hub.service_log, "it is fine again")
    assert codes(hub.volume) == []
    for secret in hub.secrets:
        assert secret not in hub.service_log


@pytest.mark.long
def test_a_large_hub_page_by_page_and_two_servers_at_once(plain_hub: Hub, tmp_path: Path) -> None:
    hub, data, name = plain_hub, tmp_path / "volume", "large"
    many = [f"student{number:04}{LONG_NAME}" for number in range(MANY)]
    hub.add_users(*many)
    for number in range(120):
        make_group(hub, f"other {number}")
    hub.api("POST", f"/groups/nbgrader-{name}", {"users": many[:100]})
    hub.api("POST", f"/groups/nbgrader-{name}/users", {"users": many[100:]})
    write_course(write_volume(data), name, ["kevin"])
    logs = tmp_path / "first.log", tmp_path / "second.log"

    def told() -> str:
        return "".join(log.read_text() for log in logs)

    with following(hub, data, logs[0], "--workers", "2"), following(hub, data, logs[1]):
        until(lambda: len(listed(data, name)) == MANY, "all are listed", told)
        leave(hub, f"nbgrader-{name}", *many[:LEAVING])
        until(lambda: len(listed(data, name)) == MANY - LEAVING, "some have left", told)
        until(lambda: f"removed {LEAVING}: " in told(), "it is said", told)
    # One of the four processes did it.
    assert told().count(f"removed {LEAVING}: ") == 1
    lines = "".join(file.read_text() for file in (data / "journal").rglob("*.jsonl")).splitlines()
    assert sum('"leave-by-group"' in line for line in lines) == LEAVING
    left = {json.loads(line)["student"] for line in lines if '"leave-by-group"' in line}
    assert left == set(many[:LEAVING])


@pytest.mark.long
def test_a_server_that_is_killed_is_followed_by_another(plain_hub: Hub, tmp_path: Path) -> None:
    hub, data, log, name = plain_hub, tmp_path / "volume", tmp_path / "log", "goes on"
    write_course(write_volume(data), name, ["kevin"])
    make_group(hub, f"nbgrader-{name}", "ada")
    with following(hub, data, log) as first, following(hub, data, log):
        until(lambda: listed(data, name) == {"ada"}, "it follows", log.read_text)
        servers.kill_group(first)
        join(hub, f"nbgrader-{name}", "bob")
        until(lambda: listed(data, name) == {"ada", "bob"}, "it follows still", log.read_text)


def test_without_the_scope_nothing_follows_and_all_say_what_to_do(plain_hub: Hub) -> None:
    needed = '{"name": "ngshare-groups", "services": ["ngshare"], "scopes": ["list:groups", "read:groups"]}'
    write_course(plain_hub.volume, "no scope", ["kevin"])
    done = sync(plain_hub, *PATTERNS)
    assert done.returncode == 1, done
    assert needed in done.stderr
    assert doctor(plain_hub, *SYNCED)["groups"][0] == "WRONG"
    assert doctor(plain_hub, *PATTERNS)["groups"][0] == "?"
    assert "groups" not in doctor(plain_hub)


@pytest.mark.long
def test_less_or_more_will_do(plain_hub: Hub, tmp_path: Path) -> None:
    hub = plain_hub
    patterns = ("--instructor-groups", "formgrade-{course}", "--student-groups", "nbgrader-{course}")
    make_group(hub, "nbgrader-c", "ada", "zoë@uni.example")
    for service in ("follows what it knows", "follows two", "may do anything"):
        data, token = tmp_path / service, token_of(hub, service)
        write_course(write_volume(data), "c", ["kevin"])
        before = (data / "courses/c/course.yaml").read_bytes()
        foreseen = sync(hub, *patterns, "--dry-run", "--json", data=data, **token)
        assert foreseen.returncode == 0, (service, foreseen)
        assert (data / "courses/c/course.yaml").read_bytes() == before
        done = sync(hub, *patterns, "--json", data=data, **token)
        assert json.loads(done.stdout) == {**json.loads(foreseen.stdout), "dry_run": False}
        assert listed(data, "c") == {"ada", "zoë@uni.example"}
        assert doctor(hub, *patterns, data=data, **token)["groups"][0] == "ok"
        write_course(data, "d", ["kevin"])
        # Of a group that it may not read, it says so.
        assert sync(hub, *patterns, data=data, **token).returncode == (service == "follows two")
