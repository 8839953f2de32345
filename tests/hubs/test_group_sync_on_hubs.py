"""Rosters follow the groups of a real hub: by the server, and by command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.hubs.conftest import StartHub
from tests.hubs.environments import NEWEST
from tests.hubs.exchange import ask, must
from tests.hubs.hub import SERVICE_SCOPE, Hub, Plan
from tests.hubs.test_doctor_on_hubs import doctor
from tests.verifying import codes
from tests.volumes import write_course
from tests.waiting import until

pytestmark = pytest.mark.hubs

MAY_READ = ("list:groups", "read:groups")
PATTERNS = ("--instructor-groups", "formgrade-{course}", "--student-groups", "nbgrader-{course},{course}:student")
SYNCED = (*PATTERNS, "--group-sync", "1s", "--auth-cache", "1")
COURSE = "NBG 101"
# In one group of the newest hub, and of the others.
MANY, FEWER = 2000, 300


def make_group(hub: Hub, name: str, *users: str) -> None:
    hub.add_users(*users)
    hub.api("POST", f"/groups/{quote(name)}", {"users": list(users)})


def join(hub: Hub, group: str, *users: str) -> None:
    hub.add_users(*users)
    hub.api("POST", f"/groups/{quote(group)}/users", {"users": list(users)})


def leave(hub: Hub, group: str, *users: str) -> None:
    # The hub's API takes a body with DELETE here.
    hub.api("DELETE", f"/groups/{quote(group)}/users", {"users": list(users)})


def make_course(hub: Hub, name: str = COURSE) -> None:
    write_course(hub.volume, name, ["kevin"])


def listed(hub: Hub, role: str = "students", name: str = COURSE) -> set[str]:
    """Who is on a roster, as the file says."""
    document: Any = yaml.safe_load((hub.volume / "courses" / name / "course.yaml").read_text())
    return set(document.get(role) or ())


def sync(hub: Hub, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command, as an operator runs it beside the server."""
    return subprocess.run(
        [sys.executable, "-m", "ngshare_fs", "course", "sync", "--from-hub", "--data", str(hub.volume), *words],
        env=hub.environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_server_keeps_rosters_while_groups_change_and_the_hub_comes_and_goes(
    start_hub: StartHub, version: str
) -> None:
    hub = start_hub(Plan(version, managed=False, options=SYNCED, own_scopes=MAY_READ))
    make_group(hub, f"formgrade-{COURSE}", "kevin", "tina")
    make_group(hub, f"nbgrader-{COURSE}", *(f"student{number}" for number in range(12)))
    make_course(hub)
    until(lambda: len(listed(hub)) == 12, "the class is listed", lambda: hub.service_log)
    assert listed(hub, "instructors") == {"kevin", "tina"}
    # Never seen here, and let in by the group.
    token = hub.token("student3", SERVICE_SCOPE).text
    assert must(ask(hub, "GET", f"assignments/{COURSE}", token))["assignments"] == []
    make_group(hub, f"{COURSE}:student", "zoë@uni.example")
    leave(hub, f"nbgrader-{COURSE}", "student3")
    until(lambda: "zoë@uni.example" in listed(hub) and "student3" not in listed(hub), "they follow",
          lambda: hub.service_log)  # fmt: skip
    until(lambda: ask(hub, "GET", f"assignments/{COURSE}", token).status == 403, "who has left is not let in")
    # Down: nothing changes, and it is said once.
    before = listed(hub)
    hub.kill()
    until(lambda: "cannot follow the hub's groups" in hub.service_log, "it is said", lambda: hub.service_log)
    assert listed(hub) == before
    hub.start()
    until(lambda: "follow the hub's groups again" in hub.service_log, "it goes on", lambda: hub.service_log)
    assert hub.service_log.count("cannot follow the hub's groups") == 1
    # A group that is gone, with all that were in it: somebody has to look first.
    hub.api("DELETE", f"/groups/{quote(f'nbgrader-{COURSE}')}")
    until(lambda: "nobody was removed" in hub.service_log, "it is held back", lambda: hub.service_log)
    assert listed(hub) == before
    refused = sync(hub, *PATTERNS)
    assert (refused.returncode, "say --yes" in refused.stderr) == (1, True), refused
    done = sync(hub, *PATTERNS, "--yes")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert listed(hub) == {"zoë@uni.example"}
    until(lambda: f"the roster of '{COURSE}' follows the hub's groups again" in hub.service_log, "it is fine again")
    assert codes(hub.volume) == []
    for secret in hub.secrets:
        assert secret not in hub.service_log


@pytest.mark.long
def test_a_large_hub_page_by_page_and_two_servers_at_once(start_hub: StartHub, version: str, tmp_path: Path) -> None:
    hub = start_hub(Plan(version, managed=False, options=(*SYNCED, "--workers", "2"), own_scopes=MAY_READ))
    size = MANY if version == NEWEST else FEWER
    many = [f"student{number:04}" for number in range(size)]
    hub.add_users(*many)
    for number in range(120):
        make_group(hub, f"other {number}")
    make_course(hub)
    hub.api("POST", f"/groups/{quote(f'nbgrader-{COURSE}')}", {"users": many[:200]})
    hub.api("POST", f"/groups/{quote(f'nbgrader-{COURSE}')}/users", {"users": many[200:]})
    log = tmp_path / "second.log"
    command = [sys.executable, "-m", "ngshare_fs", "serve", "--data", str(hub.volume), "--port", "0", *SYNCED]
    with log.open("wb") as output, subprocess.Popen(
        command, env=hub.environment | {"JUPYTERHUB_SERVICE_URL": ""}, stderr=output
    ) as second:  # fmt: skip
        try:
            until(lambda: len(listed(hub)) == size, "all are listed", lambda: hub.service_log + log.read_text())
            leave(hub, f"nbgrader-{COURSE}", *many[:60])
            until(lambda: len(listed(hub)) == size - 60, "60 have left", lambda: hub.service_log)
        finally:
            second.kill()
    told = hub.service_log + log.read_text()
    # One of the four processes did it.
    assert told.count("removed 60: ") == 1
    lines = "".join(file.read_text() for file in (hub.volume / "journal").rglob("*.jsonl")).splitlines()
    assert sum('"leave-by-group"' in line for line in lines) == 60
    left = {json.loads(line)["student"] for line in lines if '"leave-by-group"' in line}
    assert left == set(many[:60])


@pytest.mark.long
def test_a_server_that_is_killed_is_followed_by_another(start_hub: StartHub, version: str, tmp_path: Path) -> None:
    hub = start_hub(Plan(version, managed=False, own_scopes=MAY_READ))
    make_course(hub)
    make_group(hub, f"nbgrader-{COURSE}", "ada")
    command = [sys.executable, "-m", "ngshare_fs", "serve", "--data", str(hub.volume), "--port", "0", *SYNCED]
    environment = hub.environment | {"JUPYTERHUB_SERVICE_URL": ""}
    with (tmp_path / "log").open("wb") as output:
        first = subprocess.Popen(command, env=environment, stderr=output)
        second = subprocess.Popen(command, env=environment, stderr=output)
        try:
            until(lambda: listed(hub) == {"ada"}, "it follows", (tmp_path / "log").read_text)
            first.kill()
            first.wait()
            join(hub, f"nbgrader-{COURSE}", "bob")
            until(lambda: listed(hub) == {"ada", "bob"}, "it follows still", (tmp_path / "log").read_text)
        finally:
            for each in (first, second):
                each.kill()
                each.wait()


def test_without_the_scope_nothing_follows_and_all_say_what_to_do(plain_hub: Hub) -> None:
    needed = '{"name": "ngshare-groups", "services": ["ngshare"], "scopes": ["list:groups", "read:groups"]}'
    make_course(plain_hub, "no scope")
    done = sync(plain_hub, *PATTERNS)
    assert done.returncode == 1, done
    assert needed in done.stderr
    assert doctor(plain_hub, *SYNCED)["groups"][0] == "WRONG"
    assert doctor(plain_hub, *PATTERNS)["groups"][0] == "?"
    assert "groups" not in doctor(plain_hub)


@pytest.mark.long
@pytest.mark.parametrize(
    "scopes", [("read:groups",), ("read:groups!group=nbgrader-c", "read:groups!group=formgrade-c"), ("groups",)]
)
def test_less_or_more_will_do(scopes: tuple[str, ...], start_hub: StartHub, version: str) -> None:
    hub = start_hub(Plan(version, managed=False, own_scopes=scopes))
    patterns = ("--instructor-groups", "formgrade-{course}", "--student-groups", "nbgrader-{course}")
    make_course(hub, "c")
    make_group(hub, "nbgrader-c", "ada", "zoë@uni.example")
    before = (hub.volume / "courses/c/course.yaml").read_bytes()
    foreseen = sync(hub, *patterns, "--dry-run", "--json")
    assert foreseen.returncode == 0, foreseen
    assert (hub.volume / "courses/c/course.yaml").read_bytes() == before
    done = sync(hub, *patterns, "--json")
    assert json.loads(done.stdout) == {**json.loads(foreseen.stdout), "dry_run": False}
    assert listed(hub, name="c") == {"ada", "zoë@uni.example"}
    assert doctor(hub, *patterns)["groups"][0] == "ok"
    make_course(hub, "d")
    assert sync(hub, *patterns).returncode == ("!" in scopes[0])
