"""`ngshare-fs log`: what it shows of a journal that was written by hand."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store import Volume
from ngshare_fs.store.journal import Event, record
from tests import waiting
from tests.verifying import everything, somebody_else_in
from tests.volumes import Plain


def line(time: str, what: str, by: str, **fields: str) -> str:
    return json.dumps({"time": f"{time} UTC", "what": what, "by": by, "via": "api", **fields}) + "\n"


WORK = {"course": "math", "assignment": "ps1", "student": "lawrence"}
OLD = "2025-12-31 23:59:59.999999"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A volume with a journal of two machines, of two months, of two courses."""
    root = Plain(tmp_path / "data").root
    math = root / "journal" / "courses" / "math"
    gone = root / "journal" / "courses" / "g%2Fne"
    for folder in (math, gone, root / "journal" / "volume"):
        folder.mkdir(parents=True)
    (math / "2025-12.00000001.jsonl").write_text(line(OLD, "release", "kevin", course="math", assignment="ps1"))
    (math / "2026-01.00000001.jsonl").write_text(
        line("2026-01-10 10:00:00.000000", "submit", "lawrence", **WORK)
        + line("2026-01-12 10:00:00.000000", "fetch-feedback", "lawrence", **WORK)
    )
    (math / "2026-01.00000002.jsonl").write_text(line("2026-01-11 10:00:00.000000", "give-feedback", "kevin", **WORK))
    (gone / "2026-01.jsonl").write_text(line("2026-01-09 08:00:00.000000", "delete-course", "root", course="g/ne"))
    (root / "journal" / "volume" / "2026-01.00000002.jsonl").write_text(
        line("2026-01-08 08:00:00.000000", "empty-trash", "root", via="command")
    )
    (math / "notes.txt").write_text("not of the journal")
    return root


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """What is shown, without the times of day."""
    assert main(["log", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return [f"{row[:10]}{row[30:]}" for row in captured.out.splitlines()]


ALL = [
    "2025-12-31  release  kevin  math / ps1",
    "2026-01-08  empty-trash  root (command)",
    "2026-01-09  delete-course  root  g/ne",
    "2026-01-10  submit  lawrence  math / ps1 / lawrence",
    "2026-01-11  give-feedback  kevin  math / ps1 / lawrence",
    "2026-01-12  fetch-feedback  lawrence  math / ps1 / lawrence",
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ALL),
        (["math"], [ALL[0], *ALL[3:]]),
        (["g/ne"], [ALL[2]]),
        (["--student", "lawrence"], ALL[3:]),
        (["--assignment", "ps1", "--by", "kevin"], [ALL[0], ALL[4]]),
        (["--what", "submit"], [ALL[3]]),
        (["--since", "2026-01-10"], ALL[3:]),
        (["--since", "2026-01-10 10:00:01", "--until", "2026-01-12T11:00:00+01:00"], [ALL[4]]),
        (["--until", "2026-01-01"], [ALL[0]]),
        (["--since", "7d"], []),
        (["-n", "2"], ALL[4:]),
        (["-n", "6"], ALL),
        (["math", "-n", "4"], [ALL[0], *ALL[3:]]),
        (["-n", "0"], []),
    ],
)
def test_what_is_wanted_is_shown_in_the_order_of_time(
    data: Path, words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(data)
    assert shown(capsys, *words, "--data", str(data)) == expected
    assert everything(data) == before


def test_as_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "--json", "--what", "submit", "--data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "entries": [
            {"time": "2026-01-10 10:00:00.000000 UTC", "what": "submit", "by": "lawrence", "via": "api", **WORK},
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    "broken", ["{", "[]", "\udcff", '{"time": 1}', "[" * 50_000, "x" * 200_000, '{"time": "soon"}']
)
def test_broken_lines_are_told_and_passed_over(data: Path, broken: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = data / "journal/courses/math/2026-01.00000001.jsonl"
    content = file.read_bytes()
    file.write_bytes(broken.encode(errors="surrogateescape") + b"\n\n" + content)
    assert main(["log", "--data", str(data)]) == 1
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == len(ALL)
    assert captured.err.splitlines()[0] == (
        "journal/courses/math/2026-01.00000001.jsonl:1: not a line of the journal; passed over"
    )
    assert main(["log", "-n", "1", "--data", str(data)]) == 1


def test_a_pipe_in_place_of_a_file_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(data / "journal/courses/math/2026-02.jsonl")
    assert main(["log", "--data", str(data)]) == 1
    assert "journal/courses/math/2026-02.jsonl: cannot be read: a named pipe" in capsys.readouterr().err


@pytest.fixture
def backup(data: Path) -> Iterator[Path]:
    """A copy that others may reach, and nobody write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        copy = Path(folder) / "backup"
        shutil.copytree(data, copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        yield copy
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755)


def test_a_backup_that_nobody_may_write_will_do(backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with somebody_else_in(backup):
        assert shown(capsys, "--data", str(backup)) == ALL


def test_a_folder_that_may_not_be_read_is_named(backup: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (backup / "journal/courses").chmod(0)
    with somebody_else_in(backup):
        assert main(["log", "--data", str(backup)]) == 1
    assert "journal/courses: Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["physics"], "log: physics is no course, and the journal knows of none"),
        (["--since", "yesterday"], "log: --since yesterday: give a date"),
        (["--until", "99999999d"], "log: --until 99999999d: give a date"),
        (["--since", "999999d"], "log: --since 999999d: give a date"),
        (["-n", "-1"], "log: -n -1: give a number"),
        (["--json", "--follow"], "log: --follow has no end"),
    ],
)
def test_wrong_words(data: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", "--data", str(data), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_course_without_a_journal_has_nothing_to_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Plain(tmp_path / "data").root
    assert shown(capsys, "math", "--data", str(root)) == []
    assert shown(capsys, "--data", str(root)) == []


def test_it_follows_what_is_done(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "ngshare_fs", "log", "math", "--follow", "-n", "1", "--data", str(data)]
    with out.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        waiting.until(lambda: len(out.read_text().splitlines()) == 1, "the newest line", out.read_text)
        volume = Volume.open_existing(data)
        record(volume, Event("submit", "ada", "api", "math"))
        record(volume, Event("submit", "eve", "api", "physics"))
        waiting.until(lambda: len(out.read_text().splitlines()) == 2, "the first line", out.read_text)
        volume.journal.flush()
        file = next(
            path
            for path in (data / "journal/courses/math").iterdir()
            if "0000000" not in path.name and path.suffix == ".jsonl"
        )
        with file.open("a") as half:
            half.write('{"time": "2026-02-01 00:00:00.000000 UTC", ')
            half.flush()
            half.write('"what": "withdraw", "by": "kevin", "via": "api", "course": "math"}\n')
        waiting.until(lambda: len(out.read_text().splitlines()) == 3, "the second line", out.read_text)
        volume.close()
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(waiting.PATIENCE)
    assert code == 0
    assert [row[32:] for row in out.read_text().splitlines()] == [
        "fetch-feedback  lawrence  math / ps1 / lawrence",
        "submit  ada  math",
        "withdraw  kevin  math",
    ]
