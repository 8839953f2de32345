"""Runs a command in a guest: user-mode Linux, a kernel that is an ordinary process and needs no help of this machine's.

The guest sees this machine's files, so it has the same programs and the same Python; what it writes, but for the folder
of the test, is in its memory.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

KERNEL = "linux.uml"
MODULES = "/usr/lib/uml/modules"
REPOSITORY = Path(__file__).parents[3]
MEMORY = "768M"
DISK_BYTES = 2**28


def why_not_here(*programs: str) -> str | None:
    """None where a guest can be run that has these programs, otherwise what is missing and how to get it."""
    if os.geteuid():
        return "the guest has to be started by root"
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [
        program for program in (KERNEL, "unshare", "modprobe", *programs) if not shutil.which(program, path=path)
    ]
    if missing:
        return f"{', '.join(missing)} missing: tools/system_packages.sh installs them"
    return None


def in_guest() -> bool:
    """Whether this process runs in one."""
    return "User Mode Linux" in Path("/proc/cpuinfo").read_text()


def run_in_guest(command: Sequence[str | Path], folder: Path, patience: float, memory: str = MEMORY) -> str:
    """Run a command in a guest, and give what it says. Skips the test where there can be no guest.

    Args:
        folder: is made where it is missing; the guest's disk, its console and what the command says are in it. Of
            /tmp the guest sees nothing else.
        patience: seconds after which all of it is killed.
        memory: of the guest; what it does not use is not taken.

    Raises:
        AssertionError: it failed, or did not end; the text has what it said.
    """
    folder.mkdir(exist_ok=True)
    (folder / "command").write_text(f"exec {shlex.join(map(str, command))}\n")
    with (folder / "disk").open("wb") as disk:
        disk.truncate(DISK_BYTES)
    kernel = [
        KERNEL, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", f"mem={memory}", f"ubd0={folder}/disk",
        "con=null", "con0=null,fd:1", "quiet", "panic=-1", f"init={Path(__file__).with_name('first_process.sh')}",
        f"FOLDER={folder}", f"REPOSITORY={REPOSITORY}", f"MODULES={MODULES}",
    ]  # fmt: skip
    # Each process of the guest is one of this machine's; in a namespace of their own they all end together.
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    # Its memory is a file that has no name any more; on a disk, all of it would be written there.
    environment = {**os.environ, "TMPDIR": "/dev/shm", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    with (folder / "console").open("wb") as console:
        machine = subprocess.Popen(
            [*apart, *kernel], env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )
        try:
            machine.wait(patience)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the guest does not end:\n{_said(folder)}")
        finally:
            machine.kill()
            machine.wait()
    status = folder / "status"
    assert status.exists(), f"the guest ended early:\n{_said(folder)}"
    assert status.read_text().strip() == "0", _said(folder)
    return (folder / "output").read_text()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of the tests with this Python."""
    return [sys.executable, "-m", module, *arguments]


def _said(folder: Path) -> str:
    return "\n".join(
        (folder / name).read_text(errors="replace")[-4000:]
        for name in ("console", "output")
        if (folder / name).exists()
    )
