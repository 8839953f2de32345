"""NFSv4.2 inside a guest: its kernel's server, and two clients that are machines of their own as the server sees it.

Each client has a network and a host name of its own. Their mounts lie in one namespace, so that one process sees both.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("rpc.nfsd", "exportfs", "rpc.mountd", "nfsdcld", "mount.nfs", "mkfs.ext4", "ip", "nsenter")
EXPORT = "rw,sync,no_root_squash,no_subtree_check,fsid=0"
# With these, two mounts see the same; docs/shared-volumes.md says why.
MOUNT_OPTIONS = "noac,lookupcache=none"
# So long the server waits for a client that is silent, and after its own restart. It takes no less.
LEASE_SECONDS = 10
# Addresses for documentation (RFC 5737).
SERVER = "192.0.2.1"
CLIENTS = {"a": "192.0.2.2", "b": "192.0.2.3"}


class Nfs:
    """The server and its clients."""

    def __init__(self) -> None:
        run("modprobe", "--dirname", "/run/kernel", "--all", "nfsd", "nfsv4", "veth", "bridge")
        run("mkfs.ext4", "-q", "-F", "/dev/ubda")
        for folder in ("/srv/export", "/var/lib/nfs/rpc_pipefs", "/var/lib/nfs/nfsdcld", "/var/lib/nfs/v4recovery"):
            Path(folder).mkdir(parents=True)
        run("mount", "-t", "ext4", "/dev/ubda", "/srv/export")
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
        run("exportfs", "-o", EXPORT, "*:/srv/export")
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
            run("exportfs", "-o", options, "*:/srv/export")
            run("exportfs", "-f")
            yield
        finally:
            run("exportfs", "-o", EXPORT, "*:/srv/export")
            run("exportfs", "-f")

    def mount(self, client: str, options: str = MOUNT_OPTIONS) -> Path:
        """Mount the export as a client does; gives the folder."""
        place = Path("/srv", client)
        place.mkdir()
        command = f"hostname {client} && exec mount -t nfs -o vers=4.2,{options} {SERVER}:/ {place}"
        run("nsenter", f"--net=/run/netns/{client}", "unshare", "--uts", "sh", "-c", command)
        return place

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
