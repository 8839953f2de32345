"""Kubernetes' binaries, built once from Debian's source package, and checked by their checksums afterwards.

Debian's own binary package has kubectl alone, but its source is upstream's, whole, with all that it imports: Debian's
Go builds it without asking any module proxy. apt checks the signature of what it downloads.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.kubernetes import requirements
from tools.kubernetes.failure import Failure

NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
VERSION = "v1.20.2"
SUITE = "bookworm"
SUMS = "SHA256SUMS"
# The version is compiled in; without this file the build asks git, and there is no repository.
VERSION_FILE = f"""KUBE_GIT_COMMIT='faecb196815e248d3ecfb03c680a4507229c2a56'
KUBE_GIT_TREE_STATE='archive'
KUBE_GIT_VERSION='{VERSION}'
KUBE_GIT_MAJOR='1'
KUBE_GIT_MINOR='20'
"""


def build(target: Path) -> None:
    """Build what is not there; what was begun is continued.

    Some ten minutes on two cores, 4 GB meanwhile, 380 MB in the end.

    Raises:
        Failure: it cannot be built, or what is there is not what was built.
    """
    target.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(target):
        if (target / SUMS).exists():
            check(target)
        elif all((target / name).exists() for name in NAMES):
            _check_versions(target)
            _write_sums(target)
        else:
            requirements.require(requirements.TO_BUILD)
            _build(target, target.parent / f"{target.name}.build")


def check(target: Path) -> None:
    """Raises:
    Failure: a binary is missing, or is not the one that was built.
    """
    file = target / SUMS
    if not file.exists():
        raise Failure(f"no Kubernetes in {target}; build it once: tools/kubernetes/node build")
    for line in file.read_text().splitlines():
        digest, name = line.split("  ", 1)
        if not (target / name).exists() or _digest(target / name) != digest:
            raise Failure(f"{target / name} is not what was built; remove {target} and build it again")


def _build(target: Path, work: Path) -> None:
    source = work / "source"
    if not (work / "unpacked").exists():
        shutil.rmtree(source, ignore_errors=True)
        _download(work)
        (description,) = work.glob("kubernetes_*.dsc")
        _run(["dpkg-source", "--no-check", "-x", description.name, "source"], work)
        (work / "unpacked").touch()
    (work / "version").write_text(VERSION_FILE)
    go_path = source / ".go"
    (go_path / "src/k8s.io").mkdir(parents=True, exist_ok=True)
    link = go_path / "src/k8s.io/kubernetes"
    if not link.is_symlink():
        link.symlink_to("../../..")
    (work / "home").mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "KUBE_GIT_VERSION_FILE": str(work / "version"),
        "KUBE_VERBOSE": "1",
        "GOPATH": str(go_path),
        "GOCACHE": str(work / "gocache"),  # so that a build that was broken off is continued
        "HOME": str(work / "home"),
        "GOPROXY": "off",
        "GO111MODULE": "off",
        "GOFLAGS": "",
        "CGO_ENABLED": "0",
    }
    what = " ".join(f"cmd/{name}" for name in NAMES)
    _run(["nice", "make", "GOLDFLAGS=-s -w", f"WHAT={what}"], source, environment)
    for name in NAMES:
        shutil.copy2(source / "_output/bin" / name, target / f".{name}")
        os.replace(target / f".{name}", target / name)
    _check_versions(target)
    _write_sums(target)
    shutil.rmtree(work)


def _download(work: Path) -> None:
    """Download the source package with lists and a cache of apt's in `work`: the machine's own stay as they are."""
    folders = [work / "apt" / name for name in ("etc", "lists/partial", "cache/archives/partial")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    folders[0].joinpath("sources.sources").write_text(
        f"Types: deb-src\nURIs: {_mirror()}\nSuites: {SUITE}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    options = [
        "Dir::Etc::sourcelist=/dev/null",
        f"Dir::Etc::sourceparts={folders[0]}",
        f"Dir::State::lists={folders[1].parent}",
        f"Dir::Cache={work / 'apt/cache'}",
        "APT::Sandbox::User=root",
    ]
    apt = ["apt-get", "-qq", *(word for option in options for word in ("-o", option))]
    _run([*apt, "update"], work)
    _run([*apt, "source", "--download-only", "kubernetes"], work)


def _mirror() -> str:
    """Return the address of Debian's archive that the machine uses."""
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    if sources.exists():
        for line in sources.read_text().splitlines():
            if line.startswith("URIs:"):
                return line.split()[1]
    return "http://deb.debian.org/debian"


def _check_versions(target: Path) -> None:
    for name in NAMES:
        ran = subprocess.run([target / name, "--version"], capture_output=True, text=True)
        if VERSION not in ran.stdout:
            raise Failure(f"{target / name} is not of {VERSION}: {(ran.stdout + ran.stderr).strip()}")


def _write_sums(target: Path) -> None:
    lines = [f"{_digest(target / name)}  {name}\n" for name in NAMES]
    (target / f".{SUMS}").write_text("".join(lines))
    os.replace(target / f".{SUMS}", target / SUMS)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        digest = hashlib.sha256()
        while part := stream.read(2**20):
            digest.update(part)
    return digest.hexdigest()


@contextmanager
def _one_at_a_time(target: Path) -> Iterator[None]:
    with open(target / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    ran = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr)
    if ran.returncode:
        raise Failure(f"this failed in {folder}, and may be tried again: {' '.join(command)}")
