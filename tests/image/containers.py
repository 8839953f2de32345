"""Runs containers of the image with the podman of `tools/containers`, and removes them whatever happens."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.servers import runs
from tests.waiting import PATIENCE, until

TOOLS = Path(__file__).parents[2] / "tools" / "containers"
# podman ends a container after this time, so that none outlives tests that were killed.
MOST_SECONDS = 600
# Whose container it is: the process id of the tests.
LABEL = "ngshare-fs-tests"
# As the chart and image/compose.yaml run it.
RESTRICTED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges")


def missing() -> str:
    """What these tests need and this machine lacks; empty where all is there."""
    if os.geteuid() != 0:
        return "root (the tests make cgroups, and folders of several users)"
    programs = [name for name in ("podman", "runc", "mmdebstrap") if not shutil.which(name)]
    return f"{', '.join(programs)} (tools/system_packages.sh installs them)" if programs else ""


def podman(*words: str | Path, check: bool = True, seconds: float = PATIENCE) -> "subprocess.CompletedProcess[str]":
    """Run the tests' podman.

    Raises:
        AssertionError: it failed; the message has what it printed.
    """
    command = [TOOLS / "podman", *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert not check or ended.returncode == 0, f"podman {words}: {ended.stdout}{ended.stderr}"
    return ended


def remove_left_over() -> None:
    """Remove the containers of tests that run no more."""
    listed = podman("ps", "--all", f"--filter=label={LABEL}", f'--format={{{{.ID}}}} {{{{index .Labels "{LABEL}"}}}}')
    for line in listed.stdout.splitlines():
        container, process = line.split()
        if not runs(int(process)):
            podman("rm", "--force", "--time=0", container, check=False)


@dataclass
class Container:
    """A container that was started."""

    id: str

    @property
    def log(self) -> str:
        ended = podman("logs", self.id, check=False)
        return ended.stdout + ended.stderr

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(podman("inspect", "--format={{json .State}}", self.id).stdout)
        return found

    @cached_property
    def process(self) -> int:
        """The id of its process 1 as the machine sees it."""
        return int(self.state["Pid"])

    @cached_property
    def url(self) -> str:
        """Where it serves, as its log says; ends with the prefix."""
        self.until(lambda: re.search(r"serves http\S+", self.log), "serves")
        found = re.search(r"serves (http\S+)", self.log)
        assert found
        return found[1]

    @property
    def killed_for_memory(self) -> int:
        """How many of its processes the kernel has killed for want of memory."""
        groups = Path(f"/proc/{self.process}/cgroup").read_text()
        old = re.search(r"^\d+:memory:/(.*)$", groups, re.MULTILINE)
        new = re.search(r"^0::/(.*)$", groups, re.MULTILINE)
        if old:
            counts = Path("/sys/fs/cgroup/memory", old[1], "memory.oom_control")
        else:
            assert new, groups
            counts = Path("/sys/fs/cgroup", new[1], "memory.events")
        found = re.search(r"^oom_kill (\d+)$", counts.read_text(), re.MULTILINE)
        assert found, counts
        return int(found[1])

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what happens in the container while it runs."""

        def happens() -> object:
            found = condition()
            assert found or self.state["Running"], f"it ended before this happened: {what}\n{self.log}"
            return found

        until(happens, what, lambda: self.log)

    def run(self, *words: str, check: bool = True) -> str:
        """Run `ngshare-fs` in it, with these words, and give what it prints."""
        ended = podman("exec", self.id, "ngshare-fs", *words, check=check)
        return ended.stdout + ended.stderr

    def signal(self, name: str) -> None:
        podman("kill", f"--signal={name}", self.id)

    def ends(self) -> int:
        """Wait until it has ended; gives the exit code."""
        # `podman wait` waits twenty seconds longer where the machine's process 1 is slow to collect dead processes.
        until(lambda: not self.state["Running"], "its end", lambda: self.log)
        return int(self.state["ExitCode"])


@contextmanager
def container(image: str, options: Sequence[str | Path], words: Sequence[str] = ()) -> Iterator[Container]:
    """Start a container, restricted as everywhere; its network is this machine's unless the options name another one.

    Args:
        image: its name.
        options: of `podman run`.
        words: for the program in it.
    """
    network = () if any(str(option).startswith("--network") for option in options) else ("--network=host",)
    label = f"--label={LABEL}={os.getpid()}"
    standing = (label, f"--timeout={MOST_SECONDS}", *RESTRICTED, *network)
    started = Container(podman("create", *standing, *options, image, *words).stdout.strip())
    try:
        podman("start", started.id)
        yield started
    finally:
        podman("rm", "--force", "--time=0", "--volumes", started.id, check=False)


def volume_for(folder: Path, owner: int, group: int, mode: int = 0o700) -> str:
    """Make a folder that belongs to somebody, and give the option that mounts it as the volume."""
    folder.mkdir()
    os.chown(folder, owner, group)
    folder.chmod(mode)
    return f"--volume={folder}:/srv/ngshare"


def serve(*options: str) -> list[str]:
    """The words for a stand-alone server on a free port of this machine."""
    return ["serve", "--standalone", "--admins=root", "--debug", "--host=127.0.0.1", "--port=0", *options]
