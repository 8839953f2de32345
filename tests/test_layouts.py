"""Every layout that ever was is opened, verified and served; an upgrade ends well wherever it is cut off."""

import errno
import hashlib
import json
import logging
import os
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store import (
    AssignmentFile,
    Volume,
    VolumeError,
    assignment,
    course,
    dates,
    feedback,
    release,
    roster,
    submission,
)
from ngshare_fs.store.format import layout
from ngshare_fs.store.migrations import table
from ngshare_fs.store.migrations.migration import Migration
from ngshare_fs.store.migrations.workplace import Workplace
from tests import made_up_layout
from tests.conftest import MakeExchange
from tests.killed_steps import copies_after_kills
from tests.servers import running
from tests.serving import get
from tests.test_store import small_disk
from tests.trees import tree
from tests.verifying import codes, everything
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, STUDENT, Plain, write_course
from tests.written_by_hand import contents

__all__ = ["small_disk"]

EXAMPLES = Path(__file__).parent / "volumes_of_layouts"
# What was stored once is not made to fit a later program.
CHECKSUMS = {
    1: "77fff975f24d6f47a8c72c7e7453f1bac8f719654c891ffd56788498a447c3f2",
    2: "d7bac8177d42472c81b1d1073e9a66c25a402a537f6ce50806a8d56a3ab6daa6",
}


def example(number: int, place: Path) -> Path:
    """The stored volume of a layout."""
    with tarfile.open(EXAMPLES / f"{number}.tar.xz") as stored:
        stored.extractall(place, filter="fully_trusted") if sys.version_info >= (3, 12) else stored.extractall(place)
    return place / "volume"


def seen(volume: Volume) -> dict[str, Any]:
    """All that can be read of a volume, files by their checksums."""

    def files(opened: Any) -> dict[str, str] | None:
        if opened is None:
            return None
        return {path: hashlib.md5(content).hexdigest() for path, content in contents(opened).items()}

    found: dict[str, Any] = {}
    for name in course.all_courses(volume):
        people = roster.of(volume, name)
        found[name] = {"instructors": list(people.instructors), "students": list(people.students), "assignments": {}}
        found[name]["more"] = {key: value for key, value in people.more.items() if key != "graders"}
        if graders := getattr(people, "graders", people.more.get("graders")):
            found[name]["graders"] = list(graders)
        for each in assignment.assignments_of(volume, name):
            of_entries = submission.submissions_to(volume, name, each)
            submissions = [
                {
                    "student": entry.student,
                    "timestamp": entry.timestamp,
                    "files": files(submission.collect(volume, name, each, entry.student, entry.timestamp)),
                    "feedback": files(feedback.newest(volume, name, each, entry.student, entry.timestamp)),
                }
                for entry in of_entries
            ]
            found[name]["assignments"][each] = {
                "is_open": release.is_open(volume, name, each),
                "release": files(release.newest(volume, name, each)),
                "submissions": sorted(submissions, key=lambda entry: (str(entry["student"]), str(entry["timestamp"]))),
            }
            if (file := dates.written(volume, name, each)) != AssignmentFile():
                dates_of = dates.of_everybody(volume, name, each)
                found[name]["assignments"][each]["more"] = dict(file.more)
                found[name]["assignments"][each]["dates"] = {
                    student: [
                        *map(str, (of_student.release, of_student.due, of_student.close, of_student.grace)),
                        *map(
                            of_student.late_seconds,
                            (entry.timestamp for entry in of_entries if entry.student == student),
                        ),
                    ]
                    for student in ("", *file.extensions)
                    for of_student in [dates_of(student)]
                }
    return found


@pytest.mark.parametrize("number", sorted(CHECKSUMS))
async def test_each_layout_is_opened_verified_and_served(
    tmp_path: Path, make_exchange: MakeExchange, number: int
) -> None:
    assert hashlib.sha256((EXAMPLES / f"{number}.tar.xz").read_bytes()).hexdigest() == CHECKSUMS[number]
    root = example(number, tmp_path)
    volume = Volume.open(root)
    assert json.loads(json.dumps(seen(volume))) == json.loads((EXAMPLES / f"{number}.json").read_text())
    volume.close()
    assert set(codes(root)) == {"rebuilt"}
    exchange = await make_exchange()
    assert "NBG 101" in (await exchange.call("GET", "courses", "root")).body["courses"]
    files = tree({"p.ipynb": b"{}"})
    assert (await exchange.call("POST", f"submission/NBG 101/{ASSIGNMENT}", STUDENT, files=files)).status == 200
    assert (await exchange.call("GET", f"submission/NBG 101/{ASSIGNMENT}/{STUDENT}", INSTRUCTOR)).status == 200
    assert set(codes(root)) == {"rebuilt"}


def test_each_layout_has_an_example_and_each_but_the_first_a_migration() -> None:
    assert sorted(CHECKSUMS) == list(range(1, layout.LAYOUT + 1))
    assert sorted(path.name for path in EXAMPLES.glob("*.tar.xz")) == [f"{number}.tar.xz" for number in CHECKSUMS]
    assert [migration.to for migration in table.MIGRATIONS] == list(range(2, layout.LAYOUT + 1))


@pytest.fixture
def old(tmp_path: Path) -> Plain:
    """A volume of layout 2."""
    plain = Plain(tmp_path / "volume")
    (plain.course / "course.yaml").write_text("# by hand\n" + (plain.course / "course.yaml").read_text())
    write_course(plain.root, "a/b", [INSTRUCTOR])
    return plain


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """This process knows layout 3."""
    made_up_layout.prepare(monkeypatch)
    return monkeypatch


def without_private(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in (".ngshare", "trash")
    }


def kept(root: Path) -> list[bytes]:
    """What was replaced."""
    return [path.read_bytes() for path in sorted(root.glob("trash/*/layout-2/courses/*/course.yaml"))]


def is_new(root: Path) -> bool:
    files = list(root.glob("courses/*/course.yaml"))
    moved = (root / made_up_layout.NEW_ASSIGNMENT).exists()
    return moved and len(files) == 2 and all("term: spring" in file.read_text() for file in files)


def test_a_start_upgrades_and_keeps_what_it_replaces(
    old: Plain, newer: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    replaced = sorted(file.read_bytes() for file in old.root.glob("courses/*/course.yaml"))
    with caplog.at_level(logging.WARNING):
        volume = Volume.open(old.root)
    assert "upgrading to layout 3: each course.yaml gets the key `term`" in caplog.text
    assert contents(release.newest(volume, COURSE, "problem set 1"))
    volume.close()
    assert is_new(old.root)
    assert (old.root / "ngshare.yaml").read_text() == "layout: 3\n"
    assert sorted(kept(old.root)) == replaced
    assert codes(old.root) == []
    once = everything(old.root / "courses")
    Volume.open(old.root).close()
    assert everything(old.root / "courses") == once
    newer.undo()
    with pytest.raises(VolumeError, match="says layout 3, and this program knows layouts up to 2"):
        Volume.open(old.root)


def test_a_volume_that_may_not_be_upgraded_is_refused_by_all(
    old: Plain, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(old.root)
    with pytest.raises(VolumeError, match="says layout 2, and this program works on layout 3: upgrade the volume with"):
        Volume.open(old.root, upgrade_layout=False)
    for look in (Volume.open_existing, Volume.read_only):
        with pytest.raises(VolumeError, match="upgrade the volume with `ngshare-fs migrate`"):
            look(old.root)
    for command in ("verify", "repair"):
        assert main([command, "--data", str(old.root)]) == 2
        assert "upgrade the volume with `ngshare-fs migrate`" in capsys.readouterr().err
    assert everything(old.root) == before


def test_a_server_that_may_not_upgrade_does_not_start(old: Plain) -> None:
    before = everything(old.root)
    words = ["serve", "--standalone", "--port", "0", "--data", str(old.root), "--no-upgrade-layout"]
    command = [sys.executable, "-m", "tests.made_up_layout", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[1])
    assert done.returncode == 1
    assert "upgrade the volume with `ngshare-fs migrate`" in done.stderr
    assert everything(old.root) == before


@pytest.mark.long
def test_a_server_upgrades_at_its_start(old: Plain) -> None:
    with running(old.root, "--workers", "2", module="tests.made_up_layout") as server:
        assert is_new(old.root)
        assert get(server, "courses?user=root") == 200


def test_after_a_kill_at_any_step_it_goes_on(
    old: Plain, tmp_path: Path, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced = sorted(file.read_bytes() for file in old.root.glob("courses/*/course.yaml"))
    (tmp_path / "copies").mkdir()
    copies = copies_after_kills(old.root, tmp_path / "copies", "migrate", module="tests.made_up_layout")
    states = set()
    for copy in copies:
        is_marked = (copy / "ngshare.yaml").read_text() == "layout: 3\nupgrading_from: 2\n"
        states.add(is_marked)
        if is_marked:
            with pytest.raises(VolumeError, match="the upgrade from layout 2 to 3 is not finished"):
                Volume.read_only(copy)
            assert main(["verify", "--data", str(copy)]) == 2
            assert main(["migrate", "--list", "--data", str(copy)]) == 0
            assert "cut off" in capsys.readouterr().out
        assert main(["migrate", "--data", str(copy)]) == 0
        assert is_new(copy)
        assert codes(copy) == []
        assert without_private(copy) == without_private(copies[-1])
        assert set(kept(copy)) == set(replaced)
    assert states == {True, False}
    assert len(copies) > 5


def test_what_an_older_program_finds_in_the_middle_it_refuses(old: Plain, newer: pytest.MonkeyPatch) -> None:
    (old.root / "ngshare.yaml").write_text("layout: 3\nupgrading_from: 2\n")
    newer.undo()
    with pytest.raises(VolumeError, match="this program knows layouts up to 2"):
        Volume.open(old.root)


def test_while_a_server_of_the_old_layout_runs_nothing_is_upgraded(
    old: Plain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(old.root) as server:
        made_up_layout.prepare(monkeypatch)
        courses = everything(old.root / "courses")
        for words in (["--dry-run"], []):
            assert main(["migrate", "--data", str(old.root), *words]) == 1
            assert "stop all servers and commands on it" in capsys.readouterr().err
        assert everything(old.root / "courses") == courses
        assert (old.root / "ngshare.yaml").read_text() == "layout: 2\n"
        assert get(server, "courses?user=root") == 200
    assert main(["migrate", "--data", str(old.root)]) == 0
    assert is_new(old.root)


def test_a_server_that_starts_in_the_last_moment_goes_first(
    old: Plain, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has read the old number before the new one was written."""
    late: list[Volume] = []
    late_one = Volume(str(old.root))

    def settle(_: float) -> None:
        late_one.staging.begin()
        late.append(late_one)

    newer.setattr(time, "sleep", settle)
    courses = everything(old.root / "courses")
    assert main(["migrate", "--data", str(old.root)]) == 1
    assert "is in use by another process" in capsys.readouterr().err
    assert (old.root / "ngshare.yaml").read_text() == "layout: 2\n"
    assert everything(old.root / "courses") == courses
    late_one.close()


def test_one_process_upgrades_and_the_others_wait_for_it(old: Plain, newer: pytest.MonkeyPatch) -> None:
    applied: list[int] = []
    opened: list[Volume] = []
    everybody = threading.Barrier(4, timeout=60)

    def apply(place: Workplace) -> None:
        applied.append(1)
        made_up_layout.apply(place)

    migration = Migration(made_up_layout.TO, "terms", "…", made_up_layout.check, apply)
    newer.setattr(table, "MIGRATIONS", (migration,))

    def start() -> None:
        everybody.wait()
        opened.append(Volume.open(old.root))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (applied, len(opened)) == ([1], 4)
    for volume in opened:
        volume.close()
    assert is_new(old.root)


def test_what_is_in_the_way_is_said_before_anything_is_changed(
    old: Plain, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = old.course / "course.yaml"
    file.write_text(file.read_text() + "term: autumn\n")
    courses = everything(old.root / "courses")
    for words in (["--dry-run"], []):
        assert main(["migrate", "--data", str(old.root), *words]) == 1
        assert "cannot be upgraded to layout 3" in capsys.readouterr().err
    with pytest.raises(VolumeError, match="has a term already: take that out"):
        Volume.open(old.root)
    assert everything(old.root / "courses") == courses
    assert (old.root / "ngshare.yaml").read_text() == "layout: 2\n"


def test_a_disk_without_room_in_the_middle(old: Plain, newer: pytest.MonkeyPatch) -> None:
    def apply(place: Workplace) -> None:
        made_up_layout.apply(place)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place.path("courses"))

    migration = Migration(made_up_layout.TO, "terms", "…", made_up_layout.check, apply)
    newer.setattr(table, "MIGRATIONS", (migration,))
    with pytest.raises(VolumeError, match=r"No space left on device .*make room on it"):
        Volume.open(old.root)
    made_up_layout.prepare(newer)
    Volume.open(old.root).close()
    assert is_new(old.root)
    assert (old.root / "ngshare.yaml").read_text() == "layout: 3\n"


def test_the_command(old: Plain, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["migrate", "--data", str(old.root)]
    before = everything(old.root)
    assert main([*data, "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["layout", "1", "2", "3"]
    assert main([*data, "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["layouts"]
    assert [(each["layout"], each["state"]) for each in listed] == [
        (1, "left behind"),
        (2, "the volume's"),
        (3, "to come"),
    ]
    assert main([*data, "--dry-run"]) == 0
    assert capsys.readouterr().out == "layout 3, terms: each course.yaml gets the key `term`\n"
    assert everything(old.root) == before
    assert main([*data, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done"][0]["layout"] == 3
    assert main(data) == 0
    assert capsys.readouterr().out == "the volume has the present layout, 3: nothing to do\n"
    assert main([*data, "--list"]) == 0
    assert "left behind" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "", "layout: [\n", "layout: 4\n", "layout: 3\nupgrading_from: x\n"])
def test_what_is_no_volume_is_not_migrated(
    tmp_path: Path, newer: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    root = tmp_path / "volume"
    root.mkdir()
    if content is not None:
        (root / "ngshare.yaml").write_text(content)
    before = everything(tmp_path)
    assert main(["migrate", "--data", str(root)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert everything(tmp_path) == before
