"""GlusterFS on this machine, as two pods see it: volumes with one brick or three, each mounted twice.

The daemons have a network, process numbers and folders of their own, so that they meet neither a GlusterFS that serves
this machine nor that of another test; whatever they start ends with them.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PATIENCE = 60
# An address for documentation (RFC 5737), on the loopback device of the daemons' own network.
ADDRESS = "192.0.2.1"
PROGRAMS = ("glusterd", "gluster", "glusterfs", "unshare", "nsenter", "ip", "mount", "umount")

SIZE = 2**28  # of all bricks; they are in memory

# What mounts have to be told for two of them to see the same; `docs/shared-volumes.md` says why.
MOUNT_OPTIONS = ("--attribute-timeout=0", "--entry-timeout=0")
VOLUME_OPTIONS = {"performance.stat-prefetch": "off", "performance.open-behind": "off", "client.strict-locks": "on"}

_VOLFILE = """\
volume management
    type mgmt/glusterd
    option working-directory {folder}/state
    option run-directory {folder}/run
    option glusterd-sockfile {folder}/glusterd.socket
    option transport-type socket
    option transport.socket.read-fail-log off
    option ping-timeout 0
    option event-threads 1
    option max-port 60999
end-volume
"""

# No option moves these folders of the daemons, so they get others in their place.
_START = """\
set -e
ip link set lo up
ip address add {address}/32 dev lo
for place in /run/gluster /var/log/glusterfs; do
    mkdir -p "$place" && mount --bind {folder}/other "$place"
done
mount -t tmpfs -o size={size} bricks {folder}/bricks
exec glusterd --no-daemon --volfile={folder}/glusterd.vol --pid-file={folder}/glusterd.pid --log-file={folder}/log
"""


def why_not_here() -> str | None:
    """None where GlusterFS can be tried on this machine, otherwise what is missing and how to get it."""
    if os.geteuid():
        return "GlusterFS has to be started by root"
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return (
            f"{', '.join(missing)} missing: tools/system_packages.sh installs them (Debian: glusterfs-server, iproute2)"
        )
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse here: load the kernel's module `fuse`, or give the container the device"
    if subprocess.run(["unshare", "--net", "--mount", "true"], check=False, capture_output=True).returncode:
        return "networks and mounts of one's own are not allowed here: run the container with --privileged"
    return None


class Gluster:
    """A GlusterFS of its own. Use `gluster`.

    Args:
        folder: for all that it writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("state", "run", "other", "bricks", "mounts"):
            (folder / name).mkdir()
        (folder / "glusterd.vol").write_text(_VOLFILE.format(folder=folder))
        script = _START.format(folder=folder, address=ADDRESS, size=SIZE)
        apart = ["unshare", "--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
        command = [*apart, "--mount-proc", "sh", "-c", script]
        with (folder / "output").open("wb") as output:
            self.daemon = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        self._mounts: dict[Path, subprocess.Popen[bytes]] = {}

    def wait_until_up(self) -> None:
        """Wait until it takes commands."""
        deadline = time.monotonic() + PATIENCE
        while self._gluster("volume", "list").returncode:
            assert self.daemon.poll() is None, f"glusterd ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"glusterd does not answer:\n{self.log()}"
            time.sleep(0.05)

    def command(self, *words: str) -> str:
        """Have it do something; gives what it says."""
        done = self._gluster(*words)
        assert done.returncode == 0, f"gluster {' '.join(words)}: {done.stdout}{done.stderr}\n{self.log()}"
        return done.stdout

    def make_volume(self, name: str, bricks: int, **options: str) -> None:
        """Make and start a volume; several bricks are replicas of each other."""
        places = [f"{ADDRESS}:{self.folder}/bricks/{name}-{number}" for number in range(bricks)]
        kind = ["replica", str(bricks)] if bricks > 1 else []
        self.command("volume", "create", name, *kind, *places, "force")
        for option, value in {**VOLUME_OPTIONS, **options}.items():
            self.command("volume", "set", name, option, value)
        self.command("volume", "start", name)

    def mount(self, volume: str, place: str, options: Sequence[str] = MOUNT_OPTIONS) -> Path:
        """Mount a volume, and wait until it can be used; gives the folder."""
        folder = self.folder / "mounts" / place
        folder.mkdir()
        client = ["glusterfs", "--no-daemon", f"--volfile-server={ADDRESS}", f"--volfile-id={volume}", *options]
        client += [f"--log-file={self.folder}/mount-{place}.log", str(folder)]
        with (self.folder / "output").open("ab") as output:
            process = subprocess.Popen([*self._inside(), *client], stdout=output, stderr=output)
        self._mounts[folder] = process
        deadline = time.monotonic() + PATIENCE
        while not (os.path.ismount(folder) and can_be_used(folder)):
            assert process.poll() is None, f"the mount ended:\n{self.log(f'mount-{place}.log')}"
            assert time.monotonic() < deadline, f"the mount cannot be used:\n{self.log(f'mount-{place}.log')}"
            time.sleep(0.05)
        return folder

    def kill_mount(self, folder: Path) -> None:
        """Let the machine die that has this mount."""
        self._mounts[folder].kill()
        self._mounts[folder].wait(PATIENCE)

    def bricks(self) -> Path:
        """The folder with all bricks, as the daemons see it."""
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text().split()
        return Path(f"/proc/{children[0]}/root{self.folder}/bricks")

    def log(self, name: str = "log") -> str:
        """The end of a log."""
        file = self.folder / name
        lines = file.read_text(errors="replace").splitlines()[-30:] if file.exists() else []
        return "\n".join([*lines, (self.folder / "output").read_text(errors="replace")])

    def stop(self) -> None:
        """End all of it, whatever state it is in."""
        for folder, process in self._mounts.items():
            subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)
            process.kill()
            process.wait(PATIENCE)
        # The first process takes all others in its namespace along; `unshare` ends when the last one has.
        children = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        if not children:
            self.daemon.kill()
        self.daemon.wait(PATIENCE)

    def _gluster(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = ["gluster", "--mode=script", f"--glusterd-sock={self.folder}/glusterd.socket"]
        command += [f"--log-file={self.folder}/commands.log", *words]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )

    def _inside(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.daemon.pid}/ns/net"]


def can_be_used(folder: Path) -> bool:
    try:
        os.listdir(folder)
    except OSError:
        return False
    return True


@contextmanager
def gluster(folder: Path) -> Iterator[Gluster]:
    """A GlusterFS that takes commands; all of it is gone at the end. Skips the test where it cannot be."""
    reason = why_not_here()
    if reason is not None:
        pytest.skip(reason)
    folder.mkdir()
    made = Gluster(folder)
    try:
        made.wait_until_up()
        yield made
    finally:
        made.stop()
