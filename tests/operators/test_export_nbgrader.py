"""`ngshare-fs export nbgrader`: what of a volume comes into a shared folder, and as whose."""

import hashlib
import json
import os
import pwd
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store import Volume, feedback, release, submission
from ngshare_fs.transfer.account import Account
from ngshare_fs.transfer.nbgrader.exchange_writer import Owners
from ngshare_fs.transfer.nbgrader.export import STAGING, Export
from tests.operators.nbgrader_folder import COURSE, HANDED_IN, LATER, NOTEBOOK, SECRET, ExchangeFolder, contents
from tests.operators.test_import_ngshare_interrupted import small_disk
from tests.stores import upload
from tests.test_documentation import ROOT, examples
from tests.verifying import codes, everything
from tests.waiting import until

__all__ = ["small_disk"]

WriteOut = Callable[..., dict[str, Any]]


@pytest.fixture
def data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A volume with a course."""
    (tmp_path / "before").mkdir()
    folder = ExchangeFolder(tmp_path / "before")
    folder.release(files={"problem1.ipynb": NOTEBOOK, "data/x.csv": b"1\n"})
    folder.submission("lawrence", files={"problem1.ipynb": b"mine", "a/b/c": b"d"})
    folder.submission("lawrence", LATER)
    folder.submission("max+moritz", random="abcdefghijkl", secret="other")
    folder.page(SECRET.encode() + b"problem1")
    folder.page(b"otherproblem1", b"<p>well</p>", at=1600000000.5)
    words = ["--exchange", str(tmp_path / "before"), "--data", str(tmp_path / "data"), "--instructors", "kevin"]
    assert main(["import", "nbgrader", *words]) == 0
    capsys.readouterr()
    return tmp_path / "data"


@pytest.fixture
def exchange(tmp_path: Path) -> Path:
    return tmp_path / "after"


@pytest.fixture
def write_out(data: Path, exchange: Path, capsys: pytest.CaptureFixture[str]) -> WriteOut:
    """Runs the command, and gives its JSON; the volume stays as it is."""

    def run(*words: str) -> dict[str, Any]:
        before = everything(data)
        code = main(["export", "nbgrader", "--exchange", str(exchange), "--data", str(data), "--json", *words])
        said = capsys.readouterr()
        assert said.out, said.err
        document: dict[str, Any] = json.loads(said.out)
        assert code == int(any(not problem["is_note"] for problem in document["problems"])), document
        assert everything(data) == before
        return document

    return run


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_course_lies_there_as_nbgrader_leaves_it(exchange: Path, write_out: WriteOut) -> None:
    document = write_out(COURSE)
    assert all(problem["is_note"] for problem in document["problems"])
    course = exchange / COURSE
    assert sorted(path.name for path in exchange.iterdir()) == [COURSE]
    inbound = course / "inbound"
    folders = (exchange, course, course / "outbound", inbound, course / "feedback", course / "outbound/ps1/data")
    assert [mode(folder) for folder in folders] == [0o777, 0o755, 0o755, 0o2733, 0o711, 0o755]
    assert contents(course / "outbound/ps1") == {"problem1.ipynb": NOTEBOOK, "data/x.csv": b"1\n"}
    [work] = inbound.glob(f"lawrence+ps1+{HANDED_IN}+*")
    assert mode(work) == 0o777
    assert (mode(work / "a/b"), mode(work / "a/b/c"), mode(work / "timestamp.txt")) == (0o755, 0o644, 0o644)
    assert (work / "timestamp.txt").read_text() == HANDED_IN
    secret = (work / "submission_secret.txt").read_text()
    assert len(secret) == 128
    assert secret != SECRET
    by_secret = hashlib.md5(f"{secret}problem1".encode()).hexdigest()
    by_content = hashlib.md5(b"mine" + f"{COURSE}+ps1+problem1+lawrence+{HANDED_IN}".encode()).hexdigest()
    pages = contents(course / "feedback")
    assert pages[f"{by_secret}.html"] == pages[f"{by_content}.html"] == b"<p>good</p>"
    assert len(pages) == 6


def test_what_is_taken_over_again_is_the_same(
    data: Path, exchange: Path, tmp_path: Path, write_out: WriteOut, capsys: pytest.CaptureFixture[str]
) -> None:
    write_out(COURSE)
    words = ["--exchange", str(exchange), "--data", str(tmp_path / "again"), "--instructors", "kevin"]
    assert main(["import", "nbgrader", *words]) == 0, capsys.readouterr().out
    assert contents(tmp_path / "again/courses") == contents(data / "courses")
    assert codes(tmp_path / "again") == []


def test_a_dry_run_says_the_same_and_makes_nothing(tmp_path: Path, write_out: WriteOut) -> None:
    before = everything(tmp_path)
    foreseen = write_out("--dry-run", COURSE)
    assert everything(tmp_path) == before
    done = write_out(COURSE)
    assert (foreseen.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert foreseen == done
    assert [done["courses"][0][kind]["new"] for kind in ("releases", "submissions", "feedback")] == [1, 3, 3]


def test_a_course_that_is_there_is_not_touched(
    data: Path, exchange: Path, write_out: WriteOut, capsys: pytest.CaptureFixture[str]
) -> None:
    write_out(COURSE)
    before = everything(exchange)
    assert main(["export", "nbgrader", "--exchange", str(exchange), "--data", str(data), COURSE]) == 2
    assert "has 'NBG 101' already: move that away, or name only courses that are not there" in capsys.readouterr().err
    assert everything(exchange) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--exchange", "after", "x"], "'x': no such course in data"),
        (["--exchange", "after", COURSE, "../x"], "'../x': no folder can be called so"),
        (["--exchange", "after", ".x"], "'.x': nbgrader does not see names that begin with a dot"),
        (["--exchange", "data/after", COURSE], "is inside the data folder"),
        (["--exchange", "data", COURSE], "is inside the data folder"),
        (["--exchange", "before/NBG 101/outbound/ps1/problem1.ipynb", COURSE], "is no folder"),
        (["--exchange", "missing/after", COURSE], "missing: no such folder"),
        (["--exchange", "after", "--owner", "nobody-of-that-name", COURSE], "no such user of this system"),
        (["--exchange", "after", "--data", "before", COURSE], "and no ngshare.yaml: give --data"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    words: list[str], said: str, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--owner" in words and os.geteuid() != 0:
        pytest.skip("root alone may name an owner")
    monkeypatch.chdir(data.parent)
    before = everything(data.parent)
    assert main(["export", "nbgrader", "--data", "data", *words]) == 2
    assert said in capsys.readouterr().err
    assert everything(data.parent) == before


def test_what_nbgrader_cannot_have_is_left_out_and_said(data: Path, exchange: Path, write_out: WriteOut) -> None:
    with closing(Volume.open(data)) as volume:
        for name in ("a+b", ".hidden", "back", "nothing.txt"):
            with upload(volume, f=b"1") as files:
                release.release(volume, COURSE, name, "kevin", files)
        release.withdraw(volume, COURSE, "back", "kevin")
        for student in ("a/b", ".dot", "x" * 220, "fine"):
            with upload(volume, **{"timestamp.txt": b"mine", "w": b"2"}) as files:
                moment = submission.submit(volume, COURSE, "nothing.txt", student, files)
        with upload(volume, **{"w.html": b"<p>", "notes.pdf": b"%", "deep/w.html": b"<p>"}) as files:
            feedback.give(volume, COURSE, "nothing.txt", "fine", moment, "kevin", files)
    document = write_out(COURSE)
    problems = sorted(problem["code"] for problem in document["problems"] if not problem["is_note"])
    assert problems == ["name-taken", "no-page", "no-page"] + ["release-left-out"] * 2 + ["submission-left-out"] * 3
    assert "withdrawn" in [problem["code"] for problem in document["problems"]]
    assert sorted(path.name for path in (exchange / COURSE / "outbound").iterdir()) == ["nothing.txt", "ps1"]
    [work] = (exchange / COURSE / "inbound").glob("fine+*")
    assert (work / "timestamp.txt").read_text() == moment
    assert (work / "w").read_bytes() == b"2"


def test_a_damaged_tree_is_left_out_and_the_rest_comes(data: Path, exchange: Path, write_out: WriteOut) -> None:
    [first, second] = sorted(data.glob(f"courses/{COURSE}/assignments/ps1/submissions/lawrence/*"))
    (first / "files/problem1.ipynb").write_bytes(b"MINE")  # as long as before
    (second / "manifest.yaml").write_text("kind: [\n")
    document = write_out(COURSE)
    left_out = [problem["message"] for problem in document["problems"] if not problem["is_note"]]
    assert len(left_out) == 2
    assert "problem1.ipynb has not the checksum of its manifest: restore it" in left_out[0]
    assert [path.name.split("+")[0] for path in (exchange / COURSE / "inbound").iterdir()] == ["max"]


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
def test_root_gives_the_course_to_the_instructor_and_work_to_its_students(
    data: Path, exchange: Path, write_out: WriteOut
) -> None:
    with closing(Volume.open(data)) as volume, upload(volume, f=b"1") as files:
        submission.submit(volume, COURSE, "ps1", "daemon", files)
    nobody, daemon = pwd.getpwnam("nobody"), pwd.getpwnam("daemon")
    document = write_out("--owner", "nobody", COURSE)
    assert "owner-unknown" in [problem["code"] for problem in document["problems"]]
    owners: dict[int, set[str]] = {}
    for path in [exchange / COURSE, *(exchange / COURSE).rglob("*")]:
        owners.setdefault(path.stat().st_uid, set()).add(path.name.split("+")[0])
        assert path.stat().st_gid == nobody.pw_gid
    assert owners.keys() == {nobody.pw_uid, daemon.pw_uid}
    assert owners[daemon.pw_uid] == {"daemon", "f", "timestamp.txt", "submission_secret.txt"}
    assert mode(exchange / COURSE / "inbound") == 0o2733


def test_killed_at_any_moment_it_is_run_again(data: Path, exchange: Path, write_out: WriteOut) -> None:
    with closing(Volume.open(data)) as volume:
        for number in range(40):
            with upload(volume, f=b"1" * 1000, **{f"d/{number}": b"2"}) as files:
                submission.submit(volume, COURSE, "ps1", f"student{number}", files)
    exchange.mkdir(mode=0o777)
    (exchange / ".ngshare-fs-export-of somebody else").symlink_to(data)
    command = [sys.executable, "-m", "ngshare_fs", "export", "nbgrader", "--exchange", str(exchange)]
    for killed_at in (1, 20):
        with subprocess.Popen(
            [*command, "--data", str(data), COURSE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            until(
                lambda wanted=killed_at: len(list(exchange.glob(".ngshare*/*/inbound/*"))) >= wanted,  # type: ignore[misc]
                "the export has come so far",
            )
            process.kill()
        assert not (exchange / COURSE).exists()
    write_out(COURSE)
    assert len(list((exchange / COURSE / "inbound").iterdir())) == 43
    assert sorted(path.name for path in exchange.iterdir()) == [".ngshare-fs-export-of somebody else", COURSE]


def test_who_may_write_the_folder_leads_nobody_elsewhere(data: Path, exchange: Path, tmp_path: Path) -> None:
    """The staging folder is moved away while it is written, and a link stands in its place."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    exchange.mkdir()

    def move_away(count: int) -> None:
        for staged in exchange.glob(f"{STAGING}*"):
            if not staged.is_symlink():
                staged.rename(exchange / "moved")
                staged.symlink_to(elsewhere)

    with closing(Volume.read_only(data)) as volume:
        Export(volume, Account(), Owners(None, lambda name: None), move_away).write(COURSE, str(exchange))
    assert list(elsewhere.iterdir()) == []
    assert contents(exchange / COURSE / "outbound/ps1") == {"problem1.ipynb": NOTEBOOK, "data/x.csv": b"1\n"}


def test_a_disk_that_fills_leaves_nothing_behind(
    data: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange = small_disk / "exchange"
    words = ["export", "nbgrader", "--exchange", str(exchange), "--data", str(data), COURSE]
    (small_disk / "others").mkdir()
    for number in range(220):
        (small_disk / "others" / str(number)).touch()
    assert main(words) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert list(exchange.iterdir()) == []
    shutil.rmtree(small_disk / "others")
    assert main(words) == 0
    shutil.rmtree(exchange)
    (small_disk / "others").write_bytes(b"x" * (2 * 2**20 - 8192))
    before = everything(small_disk)
    with closing(Volume.open(data)) as volume, upload(volume, f=b"1" * 20_000) as files:
        submission.submit(volume, COURSE, "ps1", "lawrence", files)
    assert main(words) == 2
    assert "are free: make room, or export some of them" in capsys.readouterr().err
    assert everything(small_disk) == before


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_trees(
    data: Path, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exchange = small_disk / "exchange"
    exchange.mkdir(mode=0o777)
    words = ["export", "nbgrader", "--exchange", str(exchange), "--data", str(data), COURSE]
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert main(words) == 1
    assert "Read-only file system" in capsys.readouterr().err
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert main(words) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="--owner is for root: run the tests as root")
def test_the_commands_of_the_page_do_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ExchangeFolder(tmp_path / "exchange")
    folder.release()
    folder.submission("lawrence")
    there = {"/srv/nbgrader/exchange": str(folder.root), "/srv/ngshare": str(tmp_path / "data"), "kevin": "nobody"}
    run = 0
    for line in examples(ROOT / "docs/moving-from-a-shared-folder.md"):
        found = re.search("ngshare-fs ((?:import|export) .*)", line)
        if found is None:
            continue
        words = [there.get(word, word) for word in shlex.split(found[1])]
        if words[0] == "export":
            shutil.move(folder.root, tmp_path / "moved away")
        # All times are in the default format, so the example of another one leaves the submission out, and says so.
        assert main(words) == int("--timestamp-format" in words), capsys.readouterr()
        run += 1
    assert run == 4
    assert (tmp_path / "exchange" / COURSE / "outbound").is_dir()
