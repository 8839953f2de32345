"""What a node needs of the machine, and the Debian packages that have it."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tools.kubernetes.failure import Failure

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
PLUG_INS = Path("/usr/lib/cni")

# What is looked for, and the package that has it.
TO_BUILD = {
    "go": "golang-go",
    "dpkg-source": "dpkg-dev",
    "make": "make",
    "rsync": "rsync",
    "cc": "gcc",
}
TO_RUN = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "runc": "runc",
    str(PLUG_INS / "bridge"): "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "openssl": "openssl",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "cc": "gcc",
    "/usr/include/stdio.h": "libc6-dev",
}


def search_path() -> str:
    """Return a PATH that has the folders of administrators' programs, too."""
    return os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS]).strip(os.pathsep)


def missing_packages(wanted: dict[str, str]) -> list[str]:
    """Return the packages of what is not there."""
    return sorted({package for name, package in wanted.items() if not _is_there(name)})


def require(wanted: dict[str, str]) -> None:
    """Raises:
    Failure: something is missing; the message names the packages.
    """
    if missing := missing_packages(wanted):
        raise Failure(f"missing: {' '.join(missing)}; as root, on Debian: tools/kubernetes/node install")


def require_machine() -> None:
    """Raises:
    Failure: no node can run here, whatever is installed.
    """
    if os.geteuid() != 0:
        raise Failure("a node needs root: it makes namespaces, mounts and control groups")
    if platform.machine() != "x86_64":
        raise Failure(f"tried on x86_64 only, and this is {platform.machine()}")
    if "memory" not in Path("/proc/self/cgroup").read_text():
        raise Failure(
            "this machine has control groups of version 2 alone, and this has been tried with version 1 only;"
            " boot with systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1"
        )


def install(packages: Iterable[str]) -> None:
    """Install Debian packages.

    Raises:
        Failure: it is not root who asks, there is no apt-get, or it failed.
    """
    packages = list(packages)
    if not packages:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failure(f"missing: {' '.join(packages)}; root can install them where there is apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages],
    ):
        if subprocess.run(command, env=environment, stdout=subprocess.DEVNULL).returncode:
            raise Failure(f"this failed: {' '.join(command)}")


def _is_there(name: str) -> bool:
    return Path(name).exists() if "/" in name else bool(shutil.which(name, path=search_path()))
