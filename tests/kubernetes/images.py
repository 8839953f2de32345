"""Images that the tests build, each once for the files that it is made of, as files that a node loads."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from ngshare_fs import __version__
from tests.kubernetes.node import REPOSITORY, run

CONTAINERS = REPOSITORY / "tools" / "containers"
PODMAN = str(CONTAINERS / "podman")
RECIPES = Path(__file__).with_name("images")
SERVER = f"localhost/ngshare-fs:{__version__}"
HUB = "localhost/hub:tests"
NBGRADER = "localhost/nbgrader:tests"
BUILD_SECONDS = 1800
PACKAGE = ("tools/constraints.txt", "pyproject.toml", "README.md", "LICENSE", "ngshare_fs")


def server() -> Path:
    """Return the file of the image that image/Dockerfile makes."""
    return _made(
        "server", ("image", *PACKAGE), lambda file: run([str(CONTAINERS / "build"), str(file)], seconds=BUILD_SECONDS)
    )


def hub() -> Path:
    """Return the file of JupyterHub with its proxy."""
    return _made("hub", ("tools/constraints.txt",), lambda file: _build("hub", HUB, file, ("tools/constraints.txt",)))


def nbgrader() -> Path:
    """Return the file of what users' pods run: nbgrader with the plug-ins."""
    return _made("nbgrader", PACKAGE, lambda file: _build("nbgrader", NBGRADER, file, PACKAGE))


def _build(recipe: str, name: str, file: Path, contents: Iterable[str]) -> None:
    run([str(CONTAINERS / "base")], seconds=BUILD_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        for path in contents:
            source = REPOSITORY / path
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, Path(folder, source.name))
        run(
            [
                *(PODMAN, "build", "--quiet", "--format", "docker"),
                "--env=NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt",
                *("--file", str(RECIPES / recipe / "Dockerfile"), "--tag", name, folder),
            ],
            seconds=BUILD_SECONDS,
        )
    run([PODMAN, "save", "--quiet", "--output", str(file), name])


def _made(name: str, contents: Iterable[str], make: Callable[[Path], object]) -> Path:
    """Make a file, unless an earlier run has made it of the same contents; older ones are removed."""
    folder = REPOSITORY / ".cache" / "kubernetes" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        recipe = RECIPES / name
        sources = [*(REPOSITORY / path for path in contents), *([recipe] if recipe.exists() else [])]
        file = folder / f"{name}-{_digest(sources)}.tar"
        if not file.exists():
            for old in folder.glob(f"{name}-*"):
                old.unlink()
            partial = file.with_suffix(".partial")
            make(partial)
            partial.rename(file)
        return file


def _digest(sources: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(REPOSITORY)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
