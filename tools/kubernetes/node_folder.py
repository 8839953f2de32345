"""The folder of one node: what lies where in it, and whether the node runs."""

import fcntl
import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from tools.kubernetes.failure import Failure

REPOSITORY = Path(__file__).resolve().parents[2]
# Where a node sees its own folder: short, since the path of a socket has 107 characters at most.
SEEN_INSIDE = Path("/run/node")
KUBECONFIG = "kubeconfig"


def cache() -> Path:
    """Where binaries are kept, and nodes that are given no folder of their own."""
    return Path(os.environ.get("NGSHARE_FS_KUBERNETES") or REPOSITORY / ".cache" / "kubernetes").absolute()


def binaries_folder() -> Path:
    """Where Kubernetes' binaries are, or will be."""
    given = os.environ.get("NGSHARE_FS_KUBERNETES_BINARIES")
    return Path(given).absolute() if given else cache() / "bin"


class NodeFolder:
    """All that a node keeps on disk.

    Attributes:
        path: the folder.
        kubeconfig: for kubectl and helm; only in the node's network is the address in it reachable.
        logs: a file for each process.
        volumes: a folder for each PersistentVolume, named like it.
    """

    def __init__(self, path: Path) -> None:
        """Args:
        path: the folder, which need not exist.
        """
        self.path = path.absolute()
        self.kubeconfig = self.path / KUBECONFIG
        self.logs = self.path / "logs"
        self.volumes = self.path / "volumes"
        self._pid = self.path / "pid"
        self._lock = self.path / "lock"

    def make(self) -> None:
        """Make the folder, or take one that a node has used before.

        Raises:
            Failure: something else is in it, or it is where a node cannot keep anything.
        """
        for hidden in ("/run", "/proc", "/sys"):
            if self.path.resolve().is_relative_to(hidden):
                raise Failure(f"{self.path}: a node has a {hidden} of its own; choose a folder on a disk")
        if self.path.is_dir() and any(self.path.iterdir()) and not self._lock.exists():
            raise Failure(f"{self.path} has other things in it; choose an empty folder, or a new one")
        for folder in (self.path, self.logs, self.volumes):
            folder.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o711)  # its tokens and keys are files that only root reads; volumes are reached by others
        self._lock.touch()

    def acquire(self) -> int:
        """Lock the folder for the node that is about to run, until the last process that has the descriptor ends.

        Raises:
            Failure: a node runs in it.
        """
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Failure(f"a node runs in {self.path}; end it: tools/kubernetes/node down {self.path}") from None
        return descriptor

    @property
    def control_group(self) -> str:
        """The name of the node's control groups: no two folders on a machine have the same."""
        return "ngshare-fs-node-" + hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:16]

    @property
    def exists(self) -> bool:
        """Whether a node has been here."""
        return self._lock.exists()

    @property
    def runs(self) -> bool:
        """Whether a node has the folder locked."""
        if not self._lock.exists():
            return False
        try:
            os.close(self.acquire())
        except Failure:
            return True
        return False

    def write_process(self, number: int) -> None:
        """Note the node's process 1, by its number on the machine."""
        self._pid.write_text(f"{number}\n")

    def process(self) -> int:
        """Return the number of the node's process 1.

        Raises:
            Failure: no node runs here.
        """
        if not self.runs:
            raise Failure(f"no node runs in {self.path}; start one: tools/kubernetes/node up {self.path}")
        try:
            return int(self._pid.read_text())
        except (FileNotFoundError, ValueError):
            raise Failure(f"the node in {self.path} is only just starting") from None

    def wait_until_ended(self, seconds: float) -> None:
        """Wait until nobody has the lock any more.

        Raises:
            Failure: somebody has.
        """
        deadline = time.monotonic() + seconds
        while self.runs:
            if time.monotonic() > deadline:
                raise Failure(f"the node in {self.path} was killed, and has not ended within {seconds:.0f} s")
            time.sleep(0.02)

    def log_tails(self, lines: int = 6) -> str:
        """Return the last lines of every log."""
        parts = []
        for file in sorted(self.logs.glob("*")):
            with suppress(OSError):
                tail = file.read_text(errors="replace").splitlines()[-lines:]
                parts.append("\n".join([f"--- {file}", *tail]))
        return "\n".join(parts)
