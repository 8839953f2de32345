"""`ngshare-fs course sync --from-hub`: what it says, what it leaves, and what it asks before."""

import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store.errors import LockTimeout
from tests.hub_groups import LIST, READ, HubWithGroups, hub_in_a_thread
from tests.operators.running import Command, Ended, run
from tests.volumes import Plain, write_course

__all__ = ["run"]

CLASS = [f"s{number:02}" for number in range(20)]
EVIL = "a\x1b[2J\nb"
Sync = Callable[..., Ended]


@pytest.fixture
def hub() -> Iterator[HubWithGroups]:
    hub = HubWithGroups(groups={"i-math": ["kevin", "tina"], "s-math": ["ada"], "s-art": list(CLASS)})
    hub.grant(LIST, READ)
    with hub_in_a_thread(hub):
        yield hub


@pytest.fixture
def environment(hub: HubWithGroups, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "JUPYTERHUB_API_TOKEN": "own-token",
        "JUPYTERHUB_API_URL": f"{hub.url}/hub/api",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/",
        "JUPYTERHUB_CLIENT_ID": "service-ngshare",
        "NGSHARE_FS_STUDENT_GROUPS": "s-{course}",
        "NGSHARE_FS_INSTRUCTOR_GROUPS": "i-{course}",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sync(run: Command, environment: None) -> Sync:
    plain = Plain(run.data)
    write_course(plain.root, "art", ["kevin"])
    return lambda *words: run("course", "sync", "--from-hub", *words)


def course_file(run: Command, name: str) -> str:
    return (run.data / "courses" / name / "course.yaml").read_text()


def everything(data: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in data.rglob("*") if path.is_file() and ".ngshare" not in path.parts}


def test_a_dry_run_says_all_and_changes_nothing(sync: Sync, run: Command) -> None:
    before = everything(run.data)
    ended = sync("math", "--dry-run")
    assert ended == (
        0,
        "math: + tina (instructor)\nmath: + ada (student)\n2 to add, 0 to change, 0 to remove; nothing was changed\n",
        "",
    )
    foreseen = sync("--dry-run", "--json").document
    assert everything(run.data) == before
    done = sync("--json").document
    assert {**foreseen, "dry_run": False} == done
    assert done["courses"][1]["added"] == [
        {"user": "tina", "role": "instructor"},
        {"user": "ada", "role": "student"},
    ]
    assert "tina:\n    from: group\n" in course_file(run, "math")
    assert "kevin: {}\n" in course_file(run, "math") or "kevin:\n" in course_file(run, "math")
    assert sync().out == "0 added, 0 changed, 0 removed, in 2 courses\n"
    log = run.done("log", "--what", "join-by-group", "--json").out
    assert log.count("join-by-group") == 22
    assert '"via": "command"' in log


def test_who_changes_and_who_goes(sync: Sync, hub: HubWithGroups, run: Command) -> None:
    sync()
    hub.groups |= {"i-math": ["kevin", "ada"], "s-math": ["tina", "bob"]}
    hub.groups["s-art"].remove("s07")
    assert sync().out.splitlines() == [
        "art: - s07 (student)",
        "math: + bob (student)",
        "math: ~ tina (instructor, now student)",
        "math: ~ ada (student, now instructor)",
        "1 added, 2 changed, 1 removed, in 2 courses",
    ]
    assert "s07" not in course_file(run, "art")


def test_many_go_only_where_that_is_said(sync: Sync, hub: HubWithGroups, run: Command) -> None:
    sync()
    hub.groups |= {"s-art": ["new"], "s-math": []}
    foreseen = sync("--dry-run")
    assert foreseen.code == 0
    assert "art: 20 of 20 would be removed with --yes alone" in foreseen.out
    ended = sync()
    assert ended.code == 1
    assert ended.out.splitlines() == [
        "art: + new (student)",
        "math: - ada (student)",
        "1 added, 0 changed, 1 removed, in 2 courses",
    ]
    assert ended.err == (
        "ngshare-fs: art: 20 of 20 whom groups have brought were not removed: where that is right, say --yes\n"
    ).replace("20 of 20 whom", "20 of 20 whom")
    document = sync("--json")
    assert document.code == 1
    held = document.document["courses"][0]
    assert (held["held_back"], held["removed"], "say --yes" in held["problem"]) == (True, [], True)
    assert "s00" in course_file(run, "art")
    ended = sync("art", "--yes")
    assert (ended.code, ended.out.count("art: - ")) == (0, 20)
    assert list(filter(None, course_file(run, "art").partition("students:")[2].split())) == ["new:", "from:", "group"]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_somebody_at_a_terminal_is_asked(
    answer: str, code: int, sync: Sync, hub: HubWithGroups, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync()
    hub.groups.pop("s-art")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    ended = sync()
    assert ended.code == code
    assert "Remove whom groups have brought and no group has any more: 20 of 20 in art? [y/N]" in ended.err
    assert ("s00" in course_file(run, "art")) is bool(code)
    assert ("art: the hub has no group s-art" in ended.out) is not code


def test_what_keeps_it_from_asking_the_hub_is_said(
    sync: Sync, hub: HubWithGroups, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(run.data)
    hub.grant("read:users")
    ended = sync("math")
    assert (ended.code, ended.out) == (1, "0 added, 0 changed, 0 removed, in 1 course\n")
    assert ended.err.startswith("ngshare-fs: math: the hub does not let this service read i-math, s-math\n")
    assert "ngshare-fs: it takes in c.JupyterHub.load_roles" in ended.err
    assert "hub.loadRoles: ngshare-groups: {services: [ngshare], scopes: [list:groups, read:groups]}" in ended.err
    hub.owners.clear()
    assert "does not know the token" in run.refused("course", "sync", "--from-hub")
    monkeypatch.setenv("JUPYTERHUB_API_URL", "http://127.0.0.1:1/hub/api")
    assert "cannot be reached: Connection refused; nothing was changed" in run.refused("course", "sync", "--from-hub")
    monkeypatch.delenv("JUPYTERHUB_API_URL")
    assert "JUPYTERHUB_API_URL" in run.refused("course", "sync", "--from-hub", code=2)
    assert "without it" in run.refused("course", "sync", "--from-hub", "--standalone", code=2)
    assert everything(run.data) == before


def test_wrong_words_are_refused(sync: Sync, run: Command, tmp_path: Path) -> None:
    def refused(*words: str) -> str:
        return run.refused("course", "sync", "--from-hub", *words, code=2)

    assert refused("none") == "there is no course 'none'"
    assert "a name cannot be empty" in refused("")
    assert "--fnord is no option" in refused("--fnord", "1")
    assert "no such folder" in refused("--data", str(tmp_path / "nowhere"))
    # Without the flag it is about a file, as ever.
    assert "FILE.csv" in run.refused("course", "sync", "math", code=2)
    with pytest.raises(SystemExit):
        run("course", "sync", "--from-hub", "--help")


def test_a_course_without_groups_is_named(
    sync: Sync, run: Command, hub: HubWithGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STUDENT", "INSTRUCTOR"):
        monkeypatch.delenv(f"NGSHARE_FS_{name}_GROUPS")
    assert sync().out == "no groups belong to any course: see --student-groups, and `groups:` in course.yaml\n"
    ended = sync("math")
    assert ended.code == 1
    assert "math: no groups belong to it" in ended.err
    assert sync("--json").document == {"dry_run": False, "courses": [], "without_groups": ["art", "math"]}
    assert hub.pages == []


def test_what_is_broken_or_full_keeps_no_other_course_from_it(
    sync: Sync, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = run.data / "courses/art/course.yaml"
    file.write_text("course: [")
    ended = sync()
    assert (ended.code, "math: + ada (student)" in ended.out) == (1, True)
    assert "art: " in ended.err
    assert "mend the file" in ended.err
    assert file.read_text() == "course: ["
    write_course(run.data, "biology", ["kevin"])
    monkeypatch.setenv("NGSHARE_FS_STUDENT_GROUPS", "s-art,x-{course}")
    assert "has to stand in it" in run.refused("course", "sync", "--from-hub", code=2)


def test_a_lock_that_is_not_had_is_said(sync: Sync, run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any) -> None:
        raise LockTimeout("course art")

    monkeypatch.setattr("ngshare_fs.access.roster_sync.follow", locked)
    ended = sync("math")
    assert ended.code == 1
    assert "somebody else held a lock" in ended.err


def test_no_name_acts_on_a_terminal(sync: Sync, hub: HubWithGroups, run: Command) -> None:
    hub.groups = {f"s-{EVIL}": [EVIL]}
    write_course(run.data, EVIL, ["kevin"])
    ended = sync("--dry-run")
    assert (ended.code, "\\x1b" in ended.out) == (0, True)
    assert re.search("[^\n -~]", ended.out + ended.err) is None
    assert sync("--json").out.isascii()
