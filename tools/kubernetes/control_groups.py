"""Control groups of a node: one in each hierarchy, with all others of the node below it, to be removed together.

They are at the top, not below the group of whoever starts the node: that one may go with its job, and the node stays.
"""

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tools.kubernetes.failure import Failure

MOUNT_POINTS = Path("/sys/fs/cgroup")


def enter(name: str) -> None:
    """Make the groups, and put this process, and all that it starts, into them."""
    for folder in _folders(name):
        folder.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group, and nobody may enter it then
            if (folder / setting).exists():
                (folder / setting).write_text((folder.parent / setting).read_text())
        (folder / "cgroup.procs").write_text(f"{os.getpid()}\n")


def mount_own() -> None:
    """Mount the hierarchies so that a node's own groups are the roots that it sees; called in its namespaces."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "cgroup", MOUNT_POINTS], check=True)
    for names in _hierarchies():
        named = names.removeprefix("name=")
        folder = MOUNT_POINTS / named
        folder.mkdir()
        option = f"none,{names}" if named != names else names
        subprocess.run(["mount", "-t", "cgroup", "-o", option, "cgroup", folder], check=True)
        if "," in named:
            for part in named.split(","):
                (MOUNT_POINTS / part).symlink_to(named)


def remove(name: str, seconds: float = 10) -> None:
    """Remove the groups of a node that has ended.

    Raises:
        Failure: processes are still in one of them.
    """
    deadline = time.monotonic() + seconds
    for top in _folders(name):
        while top.exists():
            for folder, _, _ in os.walk(top, topdown=False):
                with suppress(OSError):
                    os.rmdir(folder)
            if not top.exists():
                break
            if time.monotonic() > deadline:
                raise Failure(f"the control group {top} still has processes")
            time.sleep(0.02)


def _hierarchies() -> list[str]:
    """Return the controllers of each hierarchy of version 1."""
    fields = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    return [controllers for _, controllers, _ in fields if controllers]


def _folders(name: str) -> list[Path]:
    mounted = [MOUNT_POINTS / controllers.removeprefix("name=") for controllers in _hierarchies()]
    return [folder / name for folder in mounted if folder.is_dir()]
