"""What the last `verify` found and when the last backup was made: left on the volume, and told by a server."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ngshare_fs.api.endpoints import metrics as exposition
from ngshare_fs.command.main import main
from ngshare_fs.store import Volume
from ngshare_fs.store.checking.findings import FINDINGS
from ngshare_fs.store.format import layout
from ngshare_fs.store.upkeep.last_runs import last_runs, leave_outcome
from tests.durability.states import left_by_the_server
from tests.operators.killed import killed_at_each_step, quick_path
from tests.servers import running
from tests.volumes import COURSE, Plain

__all__ = ["quick_path"]

LAST_RUN = "ngshare_fs_verify_last_run_timestamp_seconds"
BACKUP = "ngshare_fs_backup_last_success_timestamp_seconds"


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Plain]:
    """A volume that a server has open."""
    plain = Plain(tmp_path / "volume")
    volume = Volume.open(plain.root)
    yield plain
    volume.close()


def told(root: Path) -> dict[str, float]:
    """What a server tells of both, by name or code."""
    volume = Volume.read_only(root)
    text = exposition.text(exposition.VolumeState(last_runs=last_runs(volume))).decode()
    volume.close()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        sample.labels.get("code", sample.name): sample.value
        for sample in samples
        if sample.name.startswith(("ngshare_fs_verify", "ngshare_fs_backup"))
    }


def verify(root: Path, *words: str) -> int:
    return main(["verify", "--data", str(root), *words])


def test_a_server_tells_what_the_last_verify_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    with running(plain.root, "--metrics") as server:
        address = server.url.replace("/api/", "/metrics")
        assert LAST_RUN.encode() not in urlopen(address).read()
        for name in ("one", "two"):
            (plain.root / name).touch()
        (plain.submission / "files/problem1.ipynb").unlink()
        assert verify(plain.root) == 1
        text = urlopen(address).read().decode()
    assert 'ngshare_fs_verify_findings{code="stray"} 2.0' in text
    assert 'ngshare_fs_verify_findings{code="file-missing"} 1.0' in text
    assert 'ngshare_fs_verify_findings{code="symlink"} 0.0' in text
    counted = {"history.jsonl", "last-count.jsonl"}
    assert sorted(set(os.listdir(plain.root / layout.PRIVATE)) - counted) == ["last-verify.yaml", "locks", "staging"]


def test_all_codes_are_told_so_that_a_finding_is_a_rise(plain: Plain) -> None:
    assert told(plain.root) == {}
    assert verify(plain.root) == 0
    found = told(plain.root)
    assert found.pop(LAST_RUN) > 1.7e9
    assert found == {code: 0.0 for code, defect in FINDINGS.items() if not defect.is_note}


def test_notes_are_no_findings(plain: Plain) -> None:
    manifest = plain.release / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "rebuilt: 2020-02-01 00:00:00.000000 UTC\n")
    assert verify(plain.root) == 0
    found = told(plain.root)
    assert "rebuilt" not in found
    assert sum(value for name, value in found.items() if name != LAST_RUN) == 0


def test_what_was_mended_is_told_at_once(plain: Plain) -> None:
    (plain.root / "stray").touch()
    assert verify(plain.root) == 1
    assert main(["repair", "--dry-run", "--data", str(plain.root)]) == 0
    assert told(plain.root)["stray"] == 1
    assert main(["repair", "--yes", "--data", str(plain.root)]) == 0
    assert told(plain.root)["stray"] == 0


def test_a_check_of_one_course_says_nothing_of_the_volume(plain: Plain) -> None:
    assert verify(plain.root, "--course", COURSE) == 0
    assert main(["repair", "--yes", "--course", COURSE, "--data", str(plain.root)]) == 0
    assert told(plain.root) == {}


def test_a_check_that_ends_early_leaves_the_last_one(plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify(plain.root) == 0
    before = told(plain.root)
    (plain.root / "stray").touch()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ngshare_fs.command.operator.verify.say", stop)
    assert verify(plain.root) == 130
    assert told(plain.root) == before


def test_json_is_told_as_well(plain: Plain, capsys: pytest.CaptureFixture[str]) -> None:
    (plain.root / "stray").touch()
    assert verify(plain.root, "--json") == 1
    assert len(json.loads(capsys.readouterr().out)["findings"]) == 1
    assert told(plain.root)["stray"] == 1


def no_private_folder(root: Path) -> None:
    shutil.rmtree(root / layout.PRIVATE)


def file_in_place_of_private_folder(root: Path) -> None:
    shutil.rmtree(root / layout.PRIVATE)
    (root / layout.PRIVATE).touch()


def no_volume_file(root: Path) -> None:
    (root / "ngshare.yaml").unlink()


@pytest.mark.parametrize("hurt", [no_private_folder, file_in_place_of_private_folder, no_volume_file])
def test_nothing_is_left_where_no_server_has_been(
    tmp_path: Path, hurt: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    root = Plain(tmp_path / "volume").root
    Volume.open(root).close()
    hurt(root)
    before = sorted(root.rglob("*"))
    verify(root)
    assert sorted(root.rglob("*")) == before
    assert capsys.readouterr().err == ""


def test_nothing_is_left_where_nothing_can_be_written(
    plain: Plain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(path: str, content: bytes, *, flush: bool = False) -> None:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr("ngshare_fs.store.writing.durability.write_file", fail)
    assert verify(plain.root) == 0
    assert capsys.readouterr() == ("no findings\n", "")
    assert told(plain.root) == {}
    assert list((plain.root / layout.STAGING).rglob("*/*")) == []


@pytest.mark.parametrize("is_full", [False, pytest.param(True, marks=pytest.mark.long)])
def test_whoever_is_killed_leaves_the_last_outcome_or_the_new_one(is_full: bool, quick_path: Path) -> None:
    template, data = quick_path / "template", quick_path / "data"
    Plain(template)
    Volume.open(template).close()
    leave_outcome(template, {"stray": 1})

    def leave(volume: Volume) -> None:
        leave_outcome(Path(volume.root), {"stray": 2})

    steps, found = 0, set()
    for step in killed_at_each_step(template, data, leave, is_full):
        steps = step
        found.add(told(data)["stray"])
        assert verify(data) == 0
        assert told(data)["stray"] == 0
        assert [name for name in left_by_the_server(data) if not name.startswith("locks/probe-")] == []
    assert steps > 8
    assert 1 in found <= {1, 2}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_leaves_nothing_on_the_volume_of_another_user(plain: Plain) -> None:
    os.chown(plain.root / layout.PRIVATE, 12345, 12345)
    assert verify(plain.root) == 0
    assert told(plain.root) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "time: yesterday\nfindings: {}\n",
        "time: 2026-11-30 10:30:47.524219 UTC\nfindings:\n  stray: many\n",
        "time: 2026-11-30 10:30:47.524219 UTC\nfindings:\n  stray: -1\n",
        "time: 2026-11-30 10:30:47.524219 UTC\nfindings: 3\n",
        "\0",
        "[" * 200,
    ],
)
def test_what_cannot_be_understood_is_not_known_and_replaced(plain: Plain, text: str) -> None:
    (plain.root / layout.LAST_VERIFY).write_text(text)
    assert told(plain.root) == {}
    assert verify(plain.root) == 0
    assert LAST_RUN in told(plain.root)


def test_neither_a_folder_nor_a_pipe_nor_a_link_is_waited_for(plain: Plain) -> None:
    os.mkfifo(plain.root / layout.LAST_VERIFY)
    (plain.root / layout.LAST_BACKUP).symlink_to(plain.root / "ngshare.yaml")
    assert told(plain.root) == {}
    assert verify(plain.root) == 0
    assert LAST_RUN in told(plain.root)


def test_codes_of_a_newer_program_are_one(plain: Plain) -> None:
    leave_outcome(plain.root, {"stray": 2, "moon-phase-wrong": 3, "x\ny": 1})
    found = told(plain.root)
    assert (found["stray"], found["other"]) == (2, 4)


def test_a_backup_is_told_by_the_time_of_its_file_and_is_not_in_its_copies(plain: Plain, tmp_path: Path) -> None:
    assert BACKUP not in told(plain.root)
    assert verify(plain.root) == 0
    subprocess.run(["touch", "-d", "@1800000000", plain.root / layout.LAST_BACKUP], check=True)
    assert told(plain.root)[BACKUP] == 1_800_000_000
    copy = tmp_path / "copy"
    shutil.copytree(plain.root, copy, ignore=lambda folder, _: [layout.PRIVATE] if folder == str(plain.root) else [])
    Volume.open(copy).close()
    assert told(copy) == {}


def test_both_files_are_no_findings(plain: Plain, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(plain.root) == 0
    (plain.root / layout.LAST_BACKUP).touch()
    assert verify(plain.root) == 0
    assert main(["repair", "--yes", "--data", str(plain.root)]) == 0
    assert capsys.readouterr().out == "no findings\nno findings\nnothing to mend\n"
