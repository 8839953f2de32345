"""What a test has started ends with it, however the test ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import servers
from tests.hubs.running import kept
from tests.servers import kill_group

# A child in a session of its own, whose parent ends: nobody would ever find it again.
ESCAPES = "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)"
STAYS = "; import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
WAIT_SECONDS = 60


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until_gone(process: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while _runs(process):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _number_in(log: Path) -> int:
    deadline = time.monotonic() + WAIT_SECONDS
    while not log.read_text().endswith("\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int(log.read_text())


@pytest.mark.parametrize("is_forked", [False, True])
def test_whoever_was_started_ends_with_the_test(is_forked: bool, tmp_path: Path) -> None:
    log, program = tmp_path / "log", tmp_path / "program.py"
    program.write_text(STUBBORN + ESCAPES + STAYS)
    command = [str(program)] if is_forked else [sys.executable, str(program)]
    server = servers.of_ours() if is_forked else None
    with kept(command, log, patience=0.2, server=server) as process:
        escaped = _number_in(log)
        assert _runs(escaped)
    assert process.poll() == 128 + signal.SIGKILL
    assert not _runs(escaped)


def test_whoever_outlives_the_command_ends_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with kept([sys.executable, "-c", ESCAPES], log) as process:
        assert process.wait(WAIT_SECONDS) == 0
        assert not _runs(_number_in(log))


@pytest.mark.parametrize("is_forked", [False, True])
def test_killed_tests_leave_nobody_behind(is_forked: bool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    kept_program = tmp_path / "program.py"
    kept_program.write_text(ESCAPES + STAYS)
    command = [str(kept_program)] if is_forked else [sys.executable, str(kept_program)]
    server = "fork_server(pathlib.Path(sys.executable))" if is_forked else None
    program = (
        "import sys, time, pathlib\n"
        "from tests.fork_server import fork_server\n"
        "from tests.hubs.running import kept\n"
        f"with kept({command!r}, pathlib.Path({str(log)!r}), server={server}):\n"
        "    time.sleep(600)\n"
    )
    root = Path(__file__).parents[2]
    tests = subprocess.Popen([sys.executable, "-c", program], cwd=root, start_new_session=True)
    try:
        escaped = _number_in(log)
        assert _runs(escaped)
    finally:
        kill_group(tests)
    _wait_until_gone(escaped)
