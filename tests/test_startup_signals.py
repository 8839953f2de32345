"""A signal to end is obeyed from a command's first instant, as process 1 of a container too."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ngshare_fs.terminal.control_signals import CONTROL_SIGNALS
from tests.servers import children_of
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parent.parent
MOMENTS = [0, 5, 10, 20, 40, 80, 150, 300, 600]  # milliseconds
PROGRAM = [sys.executable, "-m", "ngshare_fs"]


def entry_point() -> list[str]:
    """How the image starts a program: its entry point without the last word, which is the program."""
    lines = (ROOT / "image" / "Dockerfile").read_text().splitlines()
    (words,) = (line.removeprefix("ENTRYPOINT ") for line in lines if line.startswith("ENTRYPOINT "))
    before: list[str] = json.loads(words)
    assert before.pop() == "ngshare-fs"
    return before


BLOCKED = entry_point()

as_process_1 = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")


def has(process: int, mask: str, number: signal.Signals) -> bool:
    """Whether a signal is in one of the masks (`SigBlk`, `SigCgt`) that the kernel shows of a process."""
    return number in signals_in(Path(f"/proc/{process}/status").read_text(), mask)


def signals_in(status: str, mask: str) -> set[signal.Signals]:
    """The control signals in a mask of a process's status."""
    (bits,) = (line.split()[1] for line in status.splitlines() if line.startswith(mask + ":"))
    return {number for number in CONTROL_SIGNALS if int(bits, 16) >> (number - 1) & 1}


def waits_for_signals(process: int) -> bool:
    """Whether process 1 has them blocked or, where we look too late to see that, has handlers for them.

    One of them tells of all: they are blocked in one step. It is not one of the two that `unshare` blocks for a moment.
    """
    return has(process, "SigBlk", signal.SIGHUP) or has(process, "SigCgt", signal.SIGHUP)


@contextmanager
def first_process(log: Path, *command: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Start a command as process 1 of its own: what ends with its exit code, and its id as we see it."""
    # Tests that `nohup` has started ignore a SIGHUP, and so would what they start.
    with log.open("wb") as output:
        outer = subprocess.Popen(
            ["env", "--default-signal=HUP", "unshare", "--pid", "--mount-proc", "--fork", "--kill-child", *command],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until(lambda: outer.poll() is not None or children_of(outer.pid), "process 1 starts")
        assert outer.poll() is None, log.read_text()
        yield outer, children_of(outer.pid)[0]
    finally:
        outer.kill()  # the kernel ends process 1 with it, and all others with process 1
        outer.wait()


def serve(tmp_path: Path, *options: str) -> list[str]:
    return ["serve", "--standalone", "--data", str(tmp_path / "data"), "--port", "0", *options]


@as_process_1
@pytest.mark.parametrize(
    ("workers", "number"),
    [
        ("1", signal.SIGTERM),
        pytest.param("1", signal.SIGINT, marks=pytest.mark.long),
        pytest.param("2", signal.SIGTERM, marks=pytest.mark.long),
        ("2", signal.SIGINT),
    ],
)
def test_process_1_is_stopped_at_any_moment_of_its_start(tmp_path: Path, workers: str, number: signal.Signals) -> None:
    log = tmp_path / "log"
    for moment in MOMENTS:
        with first_process(log, *BLOCKED, *PROGRAM, *serve(tmp_path, "--workers", workers)) as (outer, inner):
            until(lambda: waits_for_signals(inner), "signals are blocked")
            time.sleep(moment / 1000)
            os.kill(inner, number)
            assert outer.wait(PATIENCE) == 0, (moment, log.read_text())
            assert "Traceback" not in log.read_text()


@as_process_1
def test_process_1_obeys_as_soon_as_python_can_where_nobody_has_blocked_signals(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with first_process(log, *PROGRAM, *serve(tmp_path)) as (outer, inner):
        until(lambda: has(inner, "SigCgt", signal.SIGTERM), "a handler")
        os.kill(inner, signal.SIGTERM)
        assert outer.wait(PATIENCE) == 0
        assert log.read_text() == ""


@as_process_1
@pytest.mark.parametrize("number", CONTROL_SIGNALS)
def test_other_commands_end_as_process_1_too(tmp_path: Path, number: signal.Signals) -> None:
    """Its configuration is a named pipe into which nobody writes, so that it never gets beyond reading that."""
    os.mkfifo(tmp_path / "configuration")
    doctor = ["doctor", "--config", str(tmp_path / "configuration")]
    with first_process(tmp_path / "log", *BLOCKED, *PROGRAM, *doctor) as (outer, inner):
        until(lambda: waits_for_signals(inner), "signals are blocked")
        os.kill(inner, number)
        assert outer.wait(PATIENCE) == 128 + number


@as_process_1
def test_a_restart_asked_for_too_early_is_not_lost(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with first_process(log, *PROGRAM, *serve(tmp_path, "--workers", "2")) as (outer, inner):
        until(lambda: waits_for_signals(inner), "the signal is blocked")
        os.kill(inner, signal.SIGHUP)
        until(lambda: "restarting: " in log.read_text(), "a restart")
        os.kill(inner, signal.SIGTERM)
        assert outer.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_an_ordinary_server_is_stopped_at_any_moment_of_its_start(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log"
    for moment in MOMENTS:
        with log.open("wb") as output, subprocess.Popen([*PROGRAM, *serve(tmp_path)], stderr=output) as process:
            try:
                until(lambda: has(process.pid, "SigCgt", signal.SIGTERM), "a handler")
                time.sleep(moment / 1000)
                process.send_signal(number)
                assert process.wait(PATIENCE) == 0, (moment, log.read_text())
            finally:
                process.kill()
        assert "Traceback" not in log.read_text()


def test_an_ordinary_command_ends_by_the_signal_itself_though_it_was_started_with_that_blocked(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "configuration")
    command = [*BLOCKED, *PROGRAM, "doctor", "--config", str(tmp_path / "configuration")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            # Python catches this one from its start on: for us to see who look too late for the other.
            until(
                lambda: has(process.pid, "SigBlk", signal.SIGHUP) or has(process.pid, "SigCgt", signal.SIGINT),
                "signals are blocked",
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == -signal.SIGTERM
        finally:
            process.kill()


def test_signals_are_heeded_before_anything_slow_is_imported() -> None:
    program = "import sys, ngshare_fs.__main__; print({'argparse', 'yaml', 'aiohttp', 'asyncio'} & {*sys.modules})"
    # Without `site`, which imports what others have installed there.
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(ROOT)!r}); {program}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_in_the_image_signals_wait_from_the_first_instant() -> None:
    status = subprocess.check_output([*BLOCKED, "cat", "/proc/self/status"], text=True)
    assert signals_in(status, "SigBlk") == set(CONTROL_SIGNALS)
