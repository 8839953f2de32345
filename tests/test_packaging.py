"""What is built is whole, and nobody is told to install what is not there."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from examples.environments import made
from ngshare_fs.terminal.installation import WHEEL, how_to_install

ROOT = Path(__file__).parent.parent
BUILDER = "hatchling==1.27.*"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("built")
    builder = made("builder", ([BUILDER],)) / "python"
    subprocess.run([builder, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist's folder."""
    folder = tmp_path_factory.mktemp("unpacked")
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


def test_links_lead_somewhere_in_the_sdist(unpacked: Path) -> None:
    pages = [page for page in unpacked.rglob("*.md") if ".cache" not in page.parts]
    assert {"README.md", "docs/api.md", "examples/jupyterhub/README.md"} <= {
        page.relative_to(unpacked).as_posix() for page in pages
    }
    for page in pages:
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
        assert not missing, page


@pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="not a checkout")
def test_the_sdist_is_the_repository(unpacked: Path) -> None:
    """So `./serve` and `./check` are there as README says, with all that they need."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = {path for path in listed.split("\0") if path and not path.startswith(".ci/") and (ROOT / path).exists()}
    assert tracked
    for path in tracked:
        inside, here = unpacked / path, ROOT / path
        assert inside.is_file(), path
        assert inside.read_bytes() == here.read_bytes(), path
        assert inside.stat().st_mode & 0o100 == here.stat().st_mode & 0o100, path


def test_the_wheel_has_what_the_server_reads(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        names = set(wheel.namelist())
    of_server = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ngshare_fs").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert of_server <= names
    assert not any(name.startswith("tests/") for name in names)
    wanted = {
        line.partition(";")[0] for line in _metadata(built).get_all("Requires-Dist", []) if "extra == 'client'" in line
    }
    assert {re.split(r"[<>=]", each)[0] for each in wanted} == {"requests"}


def _metadata(built: Path) -> Message:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        return message_from_bytes(wheel.read(name))


def test_nobody_is_told_to_install_what_is_not_published() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")]
    sources = [path for room in ("ngshare_fs", "bench", "examples", "tools") for path in (ROOT / room).rglob("*")]
    for page in [*pages, *sources]:
        if page.is_file() and "__pycache__" not in page.parts:
            assert not re.search(r"pip install (-\S+ )*'?ngshare[-_]fs\b(?!-\d)", page.read_text("utf-8")), page


def test_the_wheel_that_is_named_is_the_one_that_is_built() -> None:
    for page in (ROOT / "README.md", ROOT / "docs/nbgrader.md"):
        named = set(re.findall(r"ngshare_fs-[^'\[\s]*\.whl", page.read_text("utf-8")))
        assert named == {WHEEL}, page


def test_every_extra_that_is_named_is_there(built: Path) -> None:
    extras = set(_metadata(built).get_all("Provides-Extra", []))
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md", *(ROOT / "ngshare_fs").rglob("*.py")]
    named = {extra for page in pages for extra in re.findall(r"(?:\.|\.whl)\[(\w+)\]'", page.read_text("utf-8"))}
    named |= {extra for page in pages for extra in re.findall(r"how_to_install\([\"'](\w+)", page.read_text("utf-8"))}
    assert {"client", "nbgrader"} <= named <= extras


@pytest.mark.parametrize(
    "command", ["from ngshare_fs.command.main import main; sys.exit(main(['course', 'list']))",
                "from ngshare_fs.command.old_course_management import main; sys.exit(main())"],
)  # fmt: skip
def test_without_requests_the_commands_say_how_to_install_it(command: str) -> None:
    program = f"import sys; sys.modules['requests'] = None; {command}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert how_to_install("client") in done.stderr
    assert len(done.stderr.splitlines()) == 1
