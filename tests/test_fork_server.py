"""A command that is forked cannot tell."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fork_server import ForkServer, fork_server
from tests.servers import runs
from tests.waiting import until

SECONDS = 60
LOOKS_AROUND = """
import os, signal, subprocess, sys
print(sys.argv, sys.path[0], os.getcwd(), sorted(os.environ.items()), sys.stdin.read())
print(sys.executable, sys.stdout.encoding, signal.getsignal(signal.SIGCHLD), flush=True)
print(subprocess.run([sys.executable, "-c", "raise SystemExit(4)"]).returncode, file=sys.stderr)
sys.exit(3)
"""


def test_it_finds_what_a_command_finds_that_starts_from_nothing(tmp_path: Path) -> None:
    program, home = tmp_path / "program", tmp_path / "home"
    program.write_text(LOOKS_AROUND)
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.defpath, "LC_ALL": "C.UTF-8", "NAME": "zoë"}
    from_nothing = subprocess.run(
        [sys.executable, str(program), "ä", "--b"],
        cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", timeout=SECONDS, check=False,
    )  # fmt: skip
    forked = fork_server(Path(sys.executable)).run([str(program), "ä", "--b"], home, environment, SECONDS)
    assert (forked.returncode, forked.stdout) == (3, from_nothing.stdout)
    assert from_nothing.returncode == 3


ENDS = {
    "of its own": "",
    "without a code": "sys.exit()",
    "with a large code": "sys.exit(259)",
    "with a sentence": "sys.exit('no')",
    "with an error": "1 / 0",
    "with nobody to tell": "os.close(1); os.open(os.devnull, os.O_RDONLY)",
    "with a code and nobody to tell": "os.close(1); os.open(os.devnull, os.O_RDONLY); sys.exit(3)",
    "without an output": "sys.stdout.close(); sys.exit(3)",
}


@pytest.mark.parametrize("statement", ENDS.values(), ids=ENDS)
def test_it_ends_as_a_command_does_that_starts_from_nothing(tmp_path: Path, statement: str) -> None:
    """Its threads first, then what is left to do at the end, and all that was printed is written."""
    program = tmp_path / "program"
    program.write_text(
        "import atexit, os, sys, threading, time\n"
        "atexit.register(print, 'at the end', file=sys.stderr)\n"
        "threading.Thread(target=lambda: [time.sleep(0.1), print('a thread', file=sys.stderr)]).start()\n"
        f"print('printed')\n{statement}\n"
    )
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    from_nothing = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SECONDS,
        check=False,
    )  # fmt: skip
    forked = fork_server(Path(sys.executable)).run([str(program)], tmp_path, environment, SECONDS)
    assert forked.returncode == from_nothing.returncode
    assert forked.stdout.splitlines()[-3:] == from_nothing.stdout.splitlines()[-3:]  # a trace shows how it was started
    assert "a thread\nat the end\n" in forked.stdout


def test_one_that_hangs_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("import os, time\nopen('process', 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    server = fork_server(Path(sys.executable))
    begun = tmp_path / "process"
    begun.touch()
    for seconds in (2, 10, 50):  # on a busy machine it may be killed before it has begun
        with pytest.raises(subprocess.TimeoutExpired):
            server.run([str(program)], tmp_path, {"PATH": os.defpath}, seconds)
        if begun.read_text():
            break
    process = int(begun.read_text())
    until(lambda: not runs(process), "its end")


def test_one_that_cannot_import_what_it_should_says_so(tmp_path: Path) -> None:
    server = ForkServer(Path(sys.executable), ["no_such_module"])
    for _ in range(2):
        with pytest.raises(RuntimeError, match="has ended"):
            server.run([str(tmp_path)], tmp_path, {}, SECONDS)
    server.close()


def test_several_threads_may_wait_for_its_end(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("import time; time.sleep(0.2); raise SystemExit(3)")
    with open(os.devnull, "wb") as output:
        said = output.fileno()
        process = fork_server(Path(sys.executable)).start([str(program)], tmp_path, {}, said, said)
    with ThreadPoolExecutor(3) as threads:
        ends = [threads.submit(process.wait, SECONDS) for _ in range(3)]
        until(lambda: process.poll() is not None, "its end")
    assert [end.result() for end in ends] == [3] * 3
