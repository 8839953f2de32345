"""NFSv4.2 inside a guest: its kernel's server, and two clients that are machines of their own as the server sees it.

Each client has a network and a host name of its own. Their mounts lie in one namespace, so that one process sees both.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("rpc.nfsd", "exportfs", "rpc.mountd", "nfsdcld", "mount.nfs", "mkfs.ext4", "ip", "nsenter")
EXPORTED = Path("/srv/export")
DISKS = ("ext4", "tmpfs")
DISK = "ext4"
EXPORT = "rw,sync,no_root_squash,no_subtree_check,fsid=0"
# With this, two mounts see the same; docs/shared-volumes.md says why.
MOUNT_OPTIONS = "lookupcache=none"
# So long the server waits for a client that is silent, and after its own restart. It takes no less.
LEASE_SECONDS = 10
# Addresses for documentation (RFC 5737).
SERVER = "192.0.2.1"
CLIENTS = {"a": "192.0.2.2", "b": "192.0.2.3"}


class Nfs:
    """The server and its clients.

    Args:
        export: the options of the export.
        disk: the file system that is exported: `ext4`, which counts its changes, or `tmpfs`, where the time of a
            change stands for its number, so that two within a tick of the clock have the same.
        file: of this machine, in which the file system is to be, for `/dev/ubda` never flushes anything.
    """

    def __init__(self, export: str = EXPORT, disk: str = DISK, file: Path | None = None) -> None:
        self._export = export
        run("modprobe", "--dirname", "/run/kernel", "--all", "nfsd", "nfsv4", "veth", "bridge")
        for folder in (str(EXPORTED), "/var/lib/nfs/rpc_pipefs", "/var/lib/nfs/nfsdcld", "/var/lib/nfs/v4recovery"):
            Path(folder).mkdir(parents=True)
        device = "/dev/ubda"
        if file is not None:
            run("modprobe", "--dirname", "/run/kernel", "loop")
            run("losetup", "/dev/loop0", str(file))
            device = "/dev/loop0"
        if disk == "ext4":
            run("mkfs.ext4", "-q", "-F", "-E", "nodiscard", device)
        run("mount", "-t", disk, device, str(EXPORTED))
        run("mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd")
        run("mount", "-t", "rpc_pipefs", "rpc_pipefs", "/var/lib/nfs/rpc_pipefs")
        for table in ("etab", "rmtab"):
            Path("/var/lib/nfs", table).touch()
        run("ip", "link", "add", "bridge0", "type", "bridge")
        run("ip", "address", "add", f"{SERVER}/24", "dev", "bridge0")
        run("ip", "link", "set", "bridge0", "up")
        for client, address in CLIENTS.items():
            run("ip", "netns", "add", client)
            run("ip", "link", "add", f"to-{client}", "type", "veth", "peer", "name", "eth0", "netns", client)
            run("ip", "link", "set", f"to-{client}", "master", "bridge0", "up")
            run("ip", "-n", client, "address", "add", f"{address}/24", "dev", "eth0")
            run("ip", "-n", client, "link", "set", "lo", "up")
            self.hear(client)
        self.start()

    def start(self) -> None:
        """Start the server, as a machine does; `exportfs` and `rpc.mountd` are its own."""
        run("nfsdcld")
        for name in ("nfsv4leasetime", "nfsv4gracetime"):
            Path("/proc/fs/nfsd", name).write_text(f"{LEASE_SECONDS}\n")
        run("exportfs", "-o", self._export, f"*:{EXPORTED}")
        run("rpc.mountd", "--no-nfs-version", "3")
        run("rpc.nfsd", "--no-nfs-version", "3", "8")

    def restart(self) -> None:
        """Restart the kernel's server, which forgets all that it knows of its clients, as where its machine does."""
        run("rpc.nfsd", "0")
        run("rpc.nfsd", "--no-nfs-version", "3", "8")

    @contextmanager
    def exported(self, options: str) -> Iterator[None]:
        """Meanwhile it is exported with other options."""
        try:
            run("exportfs", "-o", options, f"*:{EXPORTED}")
            run("exportfs", "-f")
            yield
        finally:
            run("exportfs", "-o", self._export, f"*:{EXPORTED}")
            run("exportfs", "-f")

    def mount(self, client: str, options: str = MOUNT_OPTIONS) -> Path:
        """Mount the export as a client does; gives the folder."""
        place = Path("/srv", client)
        place.mkdir()
        command = f"hostname {client} && exec mount -t nfs -o vers=4.2,{options} {SERVER}:/ {place}"
        run("nsenter", f"--net=/run/netns/{client}", "unshare", "--uts", "sh", "-c", command)
        return place

    def delay(self, milliseconds: float) -> None:
        """From now on every packet to a client takes so long, as from another building."""
        run("modprobe", "--dirname", "/run/kernel", "sch_netem")
        for client in CLIENTS:
            run("tc", "qdisc", "add", "dev", f"to-{client}", "root", "netem", "delay", f"{milliseconds}ms")

    def silence(self, client: str) -> None:
        """Let nothing pass between a client and the server, as where its machine sleeps."""
        run("ip", "-n", client, "link", "set", "eth0", "down")

    def hear(self, client: str) -> None:
        """Let a client be heard again."""
        run("ip", "-n", client, "link", "set", "eth0", "up")


def run(*command: str) -> None:
    """Run a program, which has to go well."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}"
