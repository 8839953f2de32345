"""The units of `examples/systemd`: systemd understands them, and the server works with what they leave it."""

import ctypes
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests import waiting
from tests.servers import REPOSITORY, running, writing_processes
from tests.started_on_a_port import started

EXAMPLE = REPOSITORY / "examples" / "systemd"
COMMAND = "/opt/ngshare-fs/bin/ngshare-fs"
# What is exposed, from 0 to 10: files that can be read, and the network.
MOST_EXPOSED = 1.6
ANALYZE = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: apt-get install systemd"
)
ACTIVATE = pytest.mark.skipif(
    shutil.which("systemd-socket-activate") is None,
    reason="systemd-socket-activate is missing: apt-get install systemd",
)
# prctl(2), from Linux 6.3 on: what MemoryDenyWriteExecute= asks the kernel for, from systemd 254 on.
REFUSE_EXECUTABLE_MEMORY, REFUSE = 65, 1
WITHOUT_EXECUTABLE_MEMORY = f"""
import ctypes, os, sys
assert ctypes.CDLL(None).prctl({REFUSE_EXECUTABLE_MEMORY}, {REFUSE}, 0, 0, 0) == 0
sys.argv = ["ngshare-fs", *sys.argv[1:]]
from ngshare_fs.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a command that is there."""
    for name in ("ngshare-fs.service", "ngshare-fs.socket"):
        text = (EXAMPLE / name).read_text()
        (tmp_path / name).write_text(text.replace(COMMAND, str(Path(sys.executable).with_name("ngshare-fs"))))
    return tmp_path


@ANALYZE
def test_systemd_understands_them(units: Path) -> None:
    words = ["systemd-analyze", "verify", str(units / "ngshare-fs.service"), str(units / "ngshare-fs.socket")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@ANALYZE
def test_little_is_exposed(units: Path) -> None:
    words = ["systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST_EXPOSED * 10)}", "--no-pager"]
    done = subprocess.run([*words, str(units / "ngshare-fs.service")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_they_say_what_the_documentation_says() -> None:
    service = (EXAMPLE / "ngshare-fs.service").read_text()
    assert f"ExecStart={COMMAND} serve --config /etc/ngshare-fs/ngshare-fs.yaml" in service
    assert "OOMPolicy=continue" in service
    stop = re.search(r"TimeoutStopSec=(\d+)", service)
    assert stop
    # `drain-seconds` and what a worker takes to end.
    assert int(stop[1]) >= 60 + 15
    assert "ListenStream=127.0.0.1:12121" in (EXAMPLE / "ngshare-fs.socket").read_text()


@ACTIVATE
def test_it_serves_the_socket_that_systemd_opens(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"

    def command(port: int) -> list[str]:
        words = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", sys.executable, "-m", "ngshare_fs", "serve"]
        return [*words, "--standalone", "--data", str(data), "--debug", "--admins", "root"]

    def is_ready(*_: object) -> bool:
        return "Listening on" in log.read_text()

    with started(command, is_ready, log) as (process, port):
        assert not data.exists()
        # The first request starts it.
        with urlopen(f"http://127.0.0.1:{port}/api/courses?user=root", timeout=waiting.PATIENCE) as answer:
            assert json.load(answer) == {"success": True, "courses": []}
        assert f"serves http://127.0.0.1:{port}/api/" in log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(waiting.PATIENCE) == 0


@pytest.mark.long
@pytest.mark.skipif(
    ctypes.CDLL(None).prctl(REFUSE_EXECUTABLE_MEMORY + 1, 0, 0, 0, 0) < 0,
    reason="this kernel cannot refuse it: Linux 6.3",
)
def test_it_needs_no_memory_that_is_written_and_executed(tmp_path: Path) -> None:
    program = tmp_path / "hardened.py"
    program.write_text(WITHOUT_EXECUTABLE_MEMORY)
    with running(
        tmp_path / "data", "--debug", "--metrics", module="hardened", PYTHONPATH=f"{tmp_path}:{REPOSITORY}"
    ) as server:
        waiting.until(lambda: writing_processes(server.process.pid), "the process that writes", lambda: server.log)
        assert urlopen(f"{server.url}initialize-Data6ase?action=init&user=root").status == 200
        fields = urlencode({"user": "lawrence", "files": '[{"path": "p", "content": "e30K"}]'}).encode()
        assert urlopen(f"{server.url}submission/course1/challenge", fields).status == 200
