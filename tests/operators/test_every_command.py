"""What all of the operator's commands have in common: words, documents for programs, and how they end."""

import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from tests.operators.running import Command, run
from tests.servers import is_asleep
from tests.volumes import SUBMITTED, Plain, write_course, write_release, write_submission
from tests.waiting import until

__all__ = ["run"]

# Orders to a terminal: of one byte, of the C1 controls, and one that turns the direction of a line.
EVIL = "a\x1b[2J\x9b31m\u202eb"
PATIENCE = 60


def write_evil(data: Path) -> None:
    """A course, an assignment and a student with such names, and a file beside what the manifest lists."""
    plain = Plain(data)
    course = write_course(plain.root, EVIL, ["kevin"], [EVIL])
    write_release(course, (EVIL, EVIL), "kevin", SUBMITTED, {"p.ipynb": b"{}"})
    for moment in ("2020-01-31 09:00:00.000002 UTC", "2020-01-31 09:00:00.000003 UTC"):
        tree = write_submission(course, (EVIL, EVIL), EVIL, moment, {"p.ipynb": b"{}"})
    (tree / "files" / os.fsdecode(b"x\xff\x9b31m")).write_bytes(b"")


def all_commands(folder: Path) -> list[list[str]]:
    """A row of commands, each of which has something to say of them; in this order."""
    archive = str(folder / "evil.tar.zst")
    return [
        ["inspect"],
        ["inspect", EVIL, EVIL, EVIL, "--largest", "3"],
        ["inspect", EVIL, "--tree"],
        ["verify"],
        ["repair", "--dry-run"],
        ["archive", EVIL, archive, "--dry-run"],
        ["archive", EVIL, archive],
        ["restore", archive, "--list"],
        ["restore", archive, "--as", f"{EVIL}2", "--dry-run", "--damaged"],
        ["restore", archive, "--as", f"{EVIL}2", "--damaged"],
        ["repair", "--yes"],
        ["prune", "--keep", "1", "--dry-run"],
        ["prune", "--keep", "1", "--yes"],
        ["trash", "list"],
        ["trash", "empty", "--older-than", "0h", "--dry-run"],
        ["trash", "restore", "20200301T", "--dry-run"],
        ["course", "rename", EVIL, f"{EVIL}3", "--dry-run"],
        ["course", "rename", EVIL, f"{EVIL}3"],
        ["user", "rename", EVIL, f"{EVIL}4", "--dry-run"],
        ["user", "rename", EVIL, f"{EVIL}4"],
        ["user", "forget", f"{EVIL}4", "--dry-run"],
        ["user", "forget", f"{EVIL}4", "--yes"],
        ["trash", "empty", "--older-than", "0h", "--yes"],
        ["export", "nbgrader", "math", "--exchange", str(folder / "exchange"), "--dry-run"],
        ["export", "nbgrader", "math", "--exchange", str(folder / "exchange")],
        ["import", "nbgrader", "--exchange", str(folder / "exchange"), "--dry-run"],
        ["log"],
        ["migrate", "--list"],
        ["migrate", "--dry-run"],
        ["migrate"],
    ]


# Those that change something, and could tell only what they would do.
CHANGES = (
    "archive",
    "restore",
    "repair",
    "prune",
    "trash empty",
    "trash restore",
    "course",
    "user",
    "export",
    "import",
)


def keys_in(content: object) -> set[str]:
    if isinstance(content, dict):
        return set(content).union(*map(keys_in, content.values()))
    return set().union(*map(keys_in, content)) if isinstance(content, list) else set()


def test_no_name_acts_on_a_terminal_and_documents_are_of_one_kind(run: Command, tmp_path: Path) -> None:
    for as_json in (False, True):
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        write_evil(run.data)
        for words in all_commands(tmp_path):
            ended = run(*words, *(["--json"] if as_json and "--tree" not in words else []))
            assert ended.code in (0, 1), (words, ended)
            assert re.search("[^\n -~\xa0-\u2027\u2030-\u2065\u2070-\uffff]", ended.out + ended.err) is None, words
            if not as_json or "--tree" in words:
                continue
            assert ended.out.isascii(), words
            document = json.loads(ended.out)
            assert isinstance(document, dict), words
            # Sizes are bytes, whatever they are of.
            assert not [key for key in keys_in(document) if "size" in key], words
            assert all(re.fullmatch("[a-z0-9_]+", key) for key in document), words
            if " ".join(words).startswith(CHANGES) and "--list" not in words:
                assert document["dry_run"] is ("--dry-run" in words), words


def test_a_clean_volume_has_nothing_to_mend(run: Command) -> None:
    Plain(run.data)
    assert run.done("repair", "--dry-run").out == "nothing to mend\n"


def test_what_is_in_quarantine_is_listed_with_its_place(run: Command) -> None:
    plain = Plain(run.data)
    (plain.course / "notes.txt").write_text("seven b")
    run.done("repair", "--yes")
    entry = run.done("trash", "list", "--json").document["entries"][-1]
    assert (entry["kind"], entry["course"], entry["bytes"]) == ("quarantine", None, 7)
    assert (entry["path"], entry["finding"]) == ("courses/math/notes.txt", "stray")
    assert "courses/math/notes.txt (stray)" in run.done("trash", "list").out
    document = run.done("trash", "restore", entry["entry"], "--json").document
    assert (document["path"], document["finding"]) == ("courses/math/notes.txt", "stray")
    assert (plain.course / "notes.txt").read_text() == "seven b"


def test_removing_and_restoring_are_told_to_programs(run: Command) -> None:
    plain = Plain(run.data)
    write_submission(plain.course, ("math", "challenge"), "zoë", "2020-01-31 09:00:00.000009 UTC", {"a": b"12"})
    write_submission(plain.course, ("math", "challenge"), "zoë", SUBMITTED, {"a": b"1"})
    run.done("prune", "math", "--keep", "1", "--yes")
    entry = run.done("trash", "list", "--json").document["entries"][-1]
    foreseen = run.done("trash", "restore", entry["entry"], "--json", "--dry-run").document
    done = run.done("trash", "restore", entry["entry"], "--json").document
    assert {**foreseen, "dry_run": False} == done
    assert (done["student"], done["submission"], done["restored_as"]) == ("zoë", entry["submission"], None)
    run.done("prune", "math", "--keep", "1", "--yes")
    foreseen = run.done("trash", "empty", "math", "--older-than", "0h", "--dry-run", "--json").document
    done = run.done("trash", "empty", "math", "--older-than", "0h", "--yes", "--json").document
    assert {**foreseen, "dry_run": False} == done
    assert (done["entries"][-1]["student"], done["entries"][-1]["bytes"]) == ("zoë", entry["bytes"])
    assert done["bytes"] == sum(each["bytes"] for each in done["entries"])
    assert run.done("trash", "list", "math", "--json").document == {"bytes": 0, "entries": []}


class Terminal(io.StringIO):
    """Where somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_line_does_not_stand_behind_the_bar(run: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Plain(run.data)
    (plain.course / "notes.txt").touch()
    terminal = Terminal()
    monkeypatch.setattr("ngshare_fs.terminal.progress.SMALLEST_BYTES", 0)
    monkeypatch.setenv("NGSHARE_FS_DATA", str(run.data))
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["verify"]) == 1
    before, _, after = terminal.getvalue().partition("stray courses/math/notes.txt: ")
    assert "verify:   0%|" in before
    assert before.endswith(" \r")
    assert "\nchecked " in after.replace("\r", "\n")


def ngshare_fs(*words: str, data: Path, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "ngshare_fs", *words],
        env={**os.environ, "NGSHARE_FS_DATA": str(data), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("words", [["inspect"], ["prune", "--keep", "1", "--dry-run"]])
@pytest.mark.parametrize("is_buffered", [True, False])
def test_who_stops_reading_is_no_error(words: list[str], is_buffered: bool, tmp_path: Path) -> None:
    Plain(tmp_path)
    process = ngshare_fs(*words, data=tmp_path, PYTHONUNBUFFERED="" if is_buffered else "1")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(PATIENCE) == 141
    process.stderr.close()


def test_a_full_disk_behind_the_output_is_no_fault_of_the_volume(tmp_path: Path) -> None:
    Plain(tmp_path)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ngshare_fs", "trash", "list", "--data", str(tmp_path)],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
        )
    assert done.stderr == b"ngshare-fs: what is printed cannot be written: No space left on device\n"
    assert done.returncode == 1


def test_what_the_encoding_cannot_say_is_escaped(tmp_path: Path) -> None:
    plain = Plain(tmp_path)
    write_course(plain.root, "zoë", ["kevin"])
    out, err = ngshare_fs("inspect", data=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0").communicate()
    assert (b"zo\\xeb" in out, err) == (True, b"")


def test_ctrl_c_at_a_question_changes_nothing_and_is_one_line(tmp_path: Path) -> None:
    plain = Plain(tmp_path)
    (plain.course / "notes.txt").touch()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ngshare_fs", "repair", "--data", str(tmp_path)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = bytearray()

    def has_asked() -> bool:
        said.extend(os.read(ours, 1024))
        return b"[y/N]" in said

    try:
        until(has_asked, "the question")
        # Where Ctrl-C comes just before a process waits for the answer, Python hears of it after the answer.
        until(lambda: is_asleep(process.pid), "it waits for the answer")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert os.read(ours, 1024).strip() == b"ngshare-fs: stopped; it can be run again"
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert (plain.course / "notes.txt").exists()
