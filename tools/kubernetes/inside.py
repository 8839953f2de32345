"""The node from within: started in namespaces of its own, it mounts what the node sees, and runs the daemons.

    python -m tools.kubernetes.inside FOLDER BINARIES LOCK REPORT OWNER

The last three are descriptors: the folder's lock, where to say `ready` or what failed, and (or -1) the process with
whose end the node ends.

This is process 1 of its process namespace: once it ends, the kernel kills all that was started in here, and with the
last of them the mounts and the network go. Nothing needs to be undone.
"""

import fcntl
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tools.kubernetes import control_groups, daemons, images
from tools.kubernetes.api import ADDRESS, Api, ApiError
from tools.kubernetes.failure import Failure
from tools.kubernetes.folder_volumes import NODE, FolderVolumes
from tools.kubernetes.node_folder import KUBECONFIG, SEEN_INSIDE, NodeFolder
from tools.kubernetes.requirements import search_path
from tools.kubernetes.service_names import ServiceNames

START_SECONDS = 120
POLL_SECONDS = 0.1
# The kubelet sets these, and they are the whole machine's: it gets files to write to.
SYSCTLS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1000000,
    "kernel/keys/root_maxbytes": 25000000,
}


class Daemons:
    """The processes of a node; none of them may end."""

    def __init__(self) -> None:
        """Nothing runs."""
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        """Start one; what it says goes to the log of that name."""
        with open(SEEN_INSIDE / "logs" / name, "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._running[name] = process
        return process

    def check(self) -> None:
        """Raises:
        Failure: one has ended.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Failure(f"{name} has ended with {process.returncode}; see logs/{name}")


def main() -> int:
    """Return process 1's exit code."""
    folder, binaries = NodeFolder(Path(sys.argv[1])), Path(sys.argv[2])
    lock, report, owner = (int(word) for word in sys.argv[3:6])
    for descriptor in (lock, report, owner):
        if descriptor >= 0:
            fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    # The old /proc is still there, and knows this process by its number on the machine.
    folder.write_process(int(os.readlink("/proc/self")))
    manager = os.fork()
    if manager:
        os.close(report)
        return _reap_until_ended(manager)
    try:
        _manage(folder, binaries, report, owner)
    except Failure as failure:
        with suppress(OSError):
            os.write(report, " ".join(str(failure).split()).encode() + b"\n")
        print(failure, file=sys.stderr, flush=True)
    return 1


def _reap_until_ended(child: int) -> int:
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _manage(folder: NodeFolder, binaries: Path, report: int, owner: int) -> None:
    os.environ["PATH"] = search_path()
    _mount(folder.path)
    os.environ["TMPDIR"] = str(SEEN_INSIDE / "tmp")
    _make_network()
    token = _write_files(folder)
    running = Daemons()
    api = Api(token, str(daemons.AUTHORITY))
    running.start("etcd", daemons.etcd())
    running.start("containerd", daemons.containerd())
    running.start("apiserver", daemons.apiserver(binaries))
    names = ServiceNames(api, SEEN_INSIDE / "hosts")
    name_server = running.start("dns", names.command())
    volumes = FolderVolumes(api, folder.volumes)

    _wait("the API server to be ready", lambda: api.get("/readyz") == "ok", running, owner)
    running.start("controllers", daemons.controllers(binaries))
    running.start("scheduler", daemons.scheduler(binaries))
    _wait("containerd to answer", lambda: _succeeds(images.list_command()), running, owner)
    images.make_pause(SEEN_INSIDE / "tmp/pause.tar")
    _run(images.load_command(SEEN_INSIDE / "tmp/pause.tar"))
    running.start("kubelet", daemons.kubelet(binaries))
    running.start("proxy", daemons.proxy(binaries))
    volumes.make_class()
    _wait("the node to be ready", lambda: _is_ready(api), running, owner)
    with suppress(BrokenPipeError):  # who started the node may be gone
        os.write(report, b"ready\n")
    os.close(report)

    while not _has_ended(owner, POLL_SECONDS):
        running.check()
        try:
            names.update(name_server)
            volumes.update()
        except ApiError as error:
            print(error, file=sys.stderr, flush=True)


def _mount(folder: Path) -> None:
    """Mount what the node is to see; in its own mount namespace."""
    _run(["mount", "-t", "proc", "proc", "/proc"])
    # Processes and namespaces of the network plug-ins and of containerd have fixed paths below /run.
    _run(["mount", "-t", "tmpfs", "-o", "mode=755", "node", "/run"])
    for name in ("node", "lock", "var/upper", "var/work"):
        Path("/run", name).mkdir(parents=True)
    _run(["mount", "--bind", folder, SEEN_INSIDE])
    # The kubelet writes to /var/log and /var/lib; the machine's are seen, and stay as they are.
    _run(
        ["mount", "-t", "overlay", "-o", "lowerdir=/var,upperdir=/run/var/upper,workdir=/run/var/work", "node", "/var"]
    )
    _run(["mount", "-t", "sysfs", "sysfs", "/sys"])
    control_groups.mount_own()
    sysctls = Path("/run/sysctl")
    sysctls.mkdir()
    for name, value in SYSCTLS.items():
        file = sysctls / name.replace("/", ".")
        file.write_text(f"{value}\n")
        _run(["mount", "--bind", file, f"/proc/sys/{name}"])
    _run(["hostname", NODE])
    _run(["mount", "--make-rshared", "/"])


def _make_network() -> None:
    """Give the node its address, on a pair of interfaces both of whose ends are in here: nothing leads outside."""
    for command in (
        "ip link set lo up",
        "ip link add eth0 type veth peer name eth0-end",
        "ip link set eth0-end up",
        f"ip address add {ADDRESS}/24 dev eth0",
        "ip link set eth0 up",
        f"ip route add default via {ADDRESS} dev eth0",
    ):
        _run(command.split())
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")


def _write_files(folder: NodeFolder) -> str:
    """Write configurations and secrets, new ones for each node; return the administrator's token."""
    os.umask(0o077)
    for path in (daemons.CERTIFICATES, daemons.NETWORKS, SEEN_INSIDE / "tmp"):
        path.mkdir()
    _run(["openssl", "genrsa", "-out", daemons.SERVICE_ACCOUNT_KEY, "2048"])
    token = secrets.token_hex(32)
    daemons.TOKENS.write_text(f'{token},admin,admin,"system:masters"\n')
    # Two, since the folder has another path within.
    (SEEN_INSIDE / f"{KUBECONFIG}.inside").write_text(daemons.kubeconfig(token, daemons.AUTHORITY))
    authority = folder.path / daemons.AUTHORITY.relative_to(SEEN_INSIDE)
    (SEEN_INSIDE / KUBECONFIG).write_text(daemons.kubeconfig(token, authority))
    daemons.CONTAINERD_CONFIG.write_text(daemons.CONTAINERD)
    (daemons.NETWORKS / "10-pods.conflist").write_text(daemons.NETWORK)
    os.umask(0o022)
    daemons.RESOLV_CONF.write_text(f"nameserver {ADDRESS}\n")
    return token


def _is_ready(api: Api) -> bool:
    """Whether pods can run: the node says so, and the default service account is there."""
    conditions = api.get(f"/api/v1/nodes/{NODE}")["status"]["conditions"]
    api.get("/api/v1/namespaces/default/serviceaccounts/default")
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _wait(what: str, holds: Callable[[], bool], running: Daemons, owner: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        running.check()
        reason = ""
        try:
            if holds():
                return
        except (ApiError, OSError, KeyError) as error:
            reason = f": {error}"
        if time.monotonic() > deadline:
            raise Failure(f"waited {START_SECONDS} s for {what}{reason}")
        if _has_ended(owner, POLL_SECONDS):
            raise Failure("who started the node has ended")


def _has_ended(owner: int, seconds: float) -> bool:
    """Wait a little, less if the process ends meanwhile; return whether it has."""
    return bool(select.select([owner] if owner >= 0 else [], [], [], seconds)[0])


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


def _run(command: Sequence[str | Path]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ran.returncode:
        raise Failure(f"this failed: {' '.join(map(str, command))}: {ran.stderr.strip()}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir("/")
    code = main()
    os._exit(code)
