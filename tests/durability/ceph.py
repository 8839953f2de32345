"""CephFS on this machine: real daemons, with all in memory or on a disk, and `ceph-fuse` mounts, each a machine's own.

The daemons have a network and process numbers of their own, so that they meet neither a Ceph that serves this machine
nor that of another test; whatever they start ends with them.
"""

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.durability.guest.machine import in_guest
from tests.waiting import until

PATIENCE = 120
LEAVING_SECONDS = 5
PROGRAMS = (
    "ceph", "ceph-mon", "ceph-osd", "ceph-mds", "ceph-fuse", "monmaptool", "unshare", "nsenter", "ip", "mount",
    "umount",
)  # fmt: skip
# One machine where many are meant to be: nothing is kept twice, and what they tell each other is told at once.
_CONFIGURATION = """\
[global]
fsid = {identity}
mon host = [v2:127.0.0.1:3300/0]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
keyring = /dev/null
crush location = root=default host=here
osd pool default size = 1
osd pool default min size = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush initial weight = 1
{storage}
mon allow pool size one = true
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
mds beacon interval = 0.5
mds reconnect timeout = 5
run dir = {folder}
admin socket =
crash dir = {folder}
mon data = {folder}/mon
osd data = {folder}/osd
mds data = {folder}/mds
log file = {folder}/$name.log
pid file =
[mds]
admin socket = {folder}/mds.socket
"""
_IN_MEMORY = """\
osd objectstore = memstore
memstore device bytes = 1073741824
"""
_ON_A_DISK = """\
osd objectstore = bluestore
bluestore block path = {disk}
bluestore block create = false
bluestore cache autotune = false
bluestore cache size = 67108864
"""
_START = """\
set -e
cd {folder}
ip link set lo up
monmaptool --create --addv a '[v2:127.0.0.1:3300]' --fsid {identity} monmap > /dev/null
ceph-mon --mkfs -i a --monmap monmap
ceph-mon -f -i a &
ceph-osd -i 0 --mkfs --monmap monmap --osd-uuid {osd}
ceph > /dev/null <<END
osd new {osd}
osd pool create meta 8
osd pool create data 8
fs new fs meta data
END
ceph-osd -f -i 0 &
echo $! > osd.pid
exec sleep infinity
"""


def why_not_here() -> str | None:
    """None where Ceph can be tried on this machine, otherwise what is missing and how to get it."""
    if os.geteuid():
        return "Ceph has to be started by root"
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path)]
    if missing:
        return f"{', '.join(missing)} missing: tools/system_packages.sh installs them"
    if not in_guest() and not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse here: load the kernel's module `fuse`, or give the container the device"
    if subprocess.run(["unshare", "--net", "--mount", "true"], check=False, capture_output=True).returncode:
        return "networks and mounts of one's own are not allowed here: run the container with --privileged"
    return None


class Ceph:
    """A Ceph of its own, with one file system. Use `ceph`.

    Args:
        folder: for all that it writes.
        disk: where its data is to be, a file of 1 GiB or more; in memory where it is None.
    """

    def __init__(self, folder: Path, disk: Path | None = None) -> None:
        self.folder = folder
        for name in ("mon", "osd", "mds", "mounts"):
            (folder / name).mkdir()
        identity, osd = uuid.uuid4(), uuid.uuid4()
        storage = _IN_MEMORY if disk is None else _ON_A_DISK.format(disk=disk)
        configuration = _CONFIGURATION.format(folder=folder, identity=identity, storage=storage)
        (folder / "ceph.conf").write_text(configuration)
        script = _START.format(folder=folder, identity=identity, osd=osd)
        self._environment = {
            **os.environ,
            "CEPH_CONF": f"{folder}/ceph.conf",
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        }
        apart = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self.daemons = self._start([*apart, "sh", "-c", script])
        self._metadata_server: subprocess.Popen[bytes] | None = None
        self._storage: subprocess.Popen[bytes] | None = None
        self._mounts: dict[Path, subprocess.Popen[bytes]] = {}
        self._by_kernel: list[Path] = []
        self._left: list[subprocess.Popen[bytes]] = []  # of places that something else is mounted on since

    def wait_until_up(self) -> None:
        """Start the metadata server once the rest is there, and wait until it serves."""
        deadline = time.monotonic() + PATIENCE
        while not (self.folder / "osd.pid").exists():
            assert self.daemons.poll() is None, f"Ceph ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"Ceph does not come up:\n{self.log()}"
            time.sleep(0.05)
        self._serve(deadline)

    def _serve(self, deadline: float) -> None:
        """Start the metadata server, and wait until this one, not the one before it, says that it serves."""
        self.start_metadata_server()
        while not self._serves():
            assert time.monotonic() < deadline, f"the metadata server does not come up:\n{self.log()}"
            time.sleep(0.05)

    def _serves(self) -> bool:
        try:
            return bool(json.loads(self.tell_metadata_server("status")).get("state") == "up:active")
        except (OSError, ValueError):  # it does not listen yet, or knows nothing of itself
            return False

    def lose_power(self, disk: Path) -> None:
        """Let the machine die that has the data and the metadata server, and come back with what is on a disk."""
        self.kill_metadata_server()
        if self._storage is None:
            number = (self.folder / "osd.pid").read_text().strip()
            inside = ["nsenter", f"--pid=/proc/{self.daemons.pid}/ns/pid_for_children"]
            subprocess.run([*inside, "kill", "-KILL", number], check=True, timeout=PATIENCE)
        else:
            self._storage.kill()
            self._storage.wait(PATIENCE)
        block = self.folder / "osd/block"
        block.unlink()
        block.symlink_to(disk)
        self._storage = self._start([*self._inside(), "ceph-osd", "-f", "-i", "0"])
        self._serve(time.monotonic() + PATIENCE)

    def start_metadata_server(self) -> None:
        self._metadata_server = self._start([*self._inside(), "ceph-mds", "-f", "-i", "a"])

    def kill_metadata_server(self) -> None:
        """Let it die at once; what it has not written to its journal is lost."""
        assert self._metadata_server is not None
        self._metadata_server.kill()
        self._metadata_server.wait(PATIENCE)

    def command(self, *words: str) -> str:
        """Have it do something; gives what it says."""
        done = self._ceph(*words)
        assert done.returncode == 0, f"ceph {' '.join(words)}: {done.stdout}{done.stderr}\n{self.log()}"
        return done.stdout

    def mount(self, place: str, *options: str) -> Path:
        """Mount the file system as another machine does; gives the folder.

        Args:
            place: a name for it.
            options: of `ceph-fuse`.
        """
        folder = self.folder / "mounts" / place
        folder.mkdir(exist_ok=True)
        self._left += [self._mounts.pop(folder)] if folder in self._mounts else []
        self._mounts[folder] = process = self._start([*self._inside(), "ceph-fuse", "-f", *options, str(folder)])
        deadline = time.monotonic() + PATIENCE
        while not os.path.ismount(folder):
            assert process.poll() is None, f"the mount ended:\n{self.log()}"
            assert time.monotonic() < deadline, f"the mount cannot be used:\n{self.log()}"
            time.sleep(0.01)
        return folder

    def mount_by_kernel(self, place: str, *options: str) -> Path:
        """The same by the client of a guest's kernel.

        Args:
            options: of the mount.
        """
        folder = self.folder / "mounts" / place
        folder.mkdir(exist_ok=True)
        told = ",".join(("name=admin", "noshare", "ms_mode=crc", *options))
        # Not by way of mount.ceph, which asks for keys that nobody has here.
        command = [*self._inside(), "mount", "-i", "-t", "ceph", "127.0.0.1:3300:/", str(folder), "-o", told]
        subprocess.run(command, check=True, timeout=PATIENCE)
        self._by_kernel.append(folder)
        return folder

    def stop_machine(self, folder: Path) -> None:
        """Let the machine sleep that has this mount."""
        self._mounts[folder].send_signal(signal.SIGSTOP)

    def wake_machine(self, folder: Path) -> None:
        """Let it go on."""
        self._mounts[folder].send_signal(signal.SIGCONT)

    def kill_machine(self, folder: Path) -> None:
        """Let the machine die that has this mount."""
        self._mounts[folder].kill()
        self._mounts[folder].wait(PATIENCE)
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)

    def unmount(self, folder: Path) -> None:
        """Let a machine leave in good order. Of one that dies, others wait for what it had in use, for a minute."""
        subprocess.run(["umount", str(folder)], check=False, capture_output=True, timeout=PATIENCE)
        if folder in self._by_kernel:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._mounts[folder].wait(LEAVING_SECONDS)
        self.kill_machine(folder)

    @contextmanager
    def full(self, place: Path) -> Iterator[None]:
        """Meanwhile all of it is so full that nothing more is taken: it is told to call itself full early.

        Args:
            place: a folder of the machine that has to know: whether there is room, each hears by itself, seconds later.
        """
        written = place / "written"

        def is_full() -> bool:
            try:
                written.write_bytes(b"more")
            except OSError as error:
                return error.errno == errno.ENOSPC
            return False

        self._is_full_at("0.00001", "0.00001", "0.00002")
        try:
            until(is_full, "Ceph is full", self.log)
            yield
        finally:
            self._is_full_at("0.85", "0.9", "0.95")
            until(lambda: not is_full(), "Ceph has room again", self.log)
            written.unlink()

    def _is_full_at(self, *ratios: str) -> None:
        for name, ratio in zip(("nearfull", "backfillfull", "full"), ratios, strict=True):
            self.command("osd", f"set-{name}-ratio", ratio)

    def sessions(self) -> set[int]:
        """Of all machines that the metadata server knows."""
        found: list[dict[str, Any]] = json.loads(self.tell_metadata_server("client ls"))
        return {each["id"] for each in found}

    def evict(self, session: int) -> None:
        """Have the metadata server give up a machine, as it does where one is silent for long."""
        self.tell_metadata_server("client evict", filters=[f"id={session}"])

    def tell_metadata_server(self, command: str, **arguments: object) -> str:
        """Have it do something; gives what it says.

        By its own socket: the program `ceph` takes most of a second of the processor in a guest, and `ceph tell` may
        wait for a metadata server that was killed.

        Raises:
            OSError: it does not listen.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(f"{self.folder}/mds.socket")
            connection.sendall(json.dumps({"prefix": command, **arguments}).encode() + b"\0")
            with connection.makefile("rb") as answer:
                head = answer.read(4)
                if len(head) < 4:
                    raise ConnectionError("it ended before it answered")
                return answer.read(*struct.unpack(">I", head)).decode()

    def log(self) -> str:
        """The end of what all have said."""
        said = self.folder / "output"
        return "\n".join(said.read_text(errors="replace").splitlines()[-30:]) if said.exists() else ""

    def stop(self) -> None:
        """End all of it, whatever state it is in."""
        for folder in self._mounts:
            self.kill_machine(folder)
        for folder in self._by_kernel:
            subprocess.run(["umount", "--force", "--lazy", str(folder)], check=False, capture_output=True)
        for process in self._left:
            process.kill()
            process.wait(PATIENCE)
        if self._metadata_server is not None:
            self.kill_metadata_server()
        if self._storage is not None:
            self._storage.kill()
            self._storage.wait(PATIENCE)
        # The first process takes all others in its namespace along; `unshare` ends when the last one has.
        children = Path(f"/proc/{self.daemons.pid}/task/{self.daemons.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGKILL)
        if not children:
            self.daemons.kill()
        self.daemons.wait(PATIENCE)

    def _ceph(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._inside(), "ceph", *words],
            check=False, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
            env=self._environment,
        )  # fmt: skip

    def _start(self, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self.folder / "output").open("ab") as output:
            return subprocess.Popen(
                command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=self._environment
            )

    def _inside(self) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.daemons.pid}/ns/net"]


@contextmanager
def ceph(folder: Path, disk: Path | None = None) -> Iterator[Ceph]:
    """A Ceph whose file system can be mounted; all of it is gone at the end. Skips the test where it cannot be."""
    reason = why_not_here()
    if reason is not None:
        pytest.skip(reason)
    folder.mkdir()
    made = Ceph(folder, disk)
    try:
        made.wait_until_up()
        yield made
    finally:
        made.stop()
