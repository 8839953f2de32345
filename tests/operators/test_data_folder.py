"""Which folder a command takes for a volume, and what it says of others."""

import argparse
import os
import shutil
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.command.operator.data_folder import opened, opened_for_reading
from ngshare_fs.settings import SettingsError
from ngshare_fs.store import Volume
from tests.verifying import everything

NOBODY = 65534


def given(data: Path | None) -> argparse.Namespace:
    return argparse.Namespace(command="inspect", data=None if data is None else str(data))


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    Volume.open(tmp_path / "data").close()
    return tmp_path / "data"


@pytest.mark.parametrize("way", [opened, opened_for_reading])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such folder"),
        ({}, "is no volume: it has no ngshare.yaml"),
        ({"thesis.tex": ""}, "holds something else ('thesis.tex') and no ngshare.yaml"),
        ({"courses/NBG 101/course.yaml": ""}, "has courses but no ngshare.yaml: if this is a restored volume"),
        ({"ngshare.yaml": "layout: 3\n"}, "says layout 3, and this program knows layouts up to 2"),
        ({"ngshare.yaml": "layout: [\n"}, "restore the file"),
    ],
)
def test_what_is_no_volume_is_said_and_stays_as_it_is(way, content, said: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    data = tmp_path / "data"
    if content is not None:
        data.mkdir()
        for path, text in content.items():
            (data / path).parent.mkdir(parents=True, exist_ok=True)
            (data / path).write_text(text)
    before = everything(tmp_path)
    with pytest.raises(SettingsError) as caught, way(given(data)):
        pass
    assert said in str(caught.value)
    assert everything(tmp_path) == before


def test_the_folder_has_to_be_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NGSHARE_FS_DATA", raising=False)
    assert main(["verify"]) == 2
    assert capsys.readouterr().err == "ngshare-fs: verify: name the data folder with --data DIR or NGSHARE_FS_DATA\n"


def test_a_look_leaves_nothing_behind(volume: Path) -> None:
    before = everything(volume)
    with opened_for_reading(given(volume)):
        pass
    assert everything(volume) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")
@pytest.mark.parametrize("is_copy", [False, True])
def test_root_leaves_no_files_to_the_server_of_somebody_else(volume: Path, is_copy: bool) -> None:
    if is_copy:  # as the page on copying has it
        shutil.rmtree(volume / ".ngshare")
    for folder, _, files in os.walk(volume):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, NOBODY, NOBODY)
    before = everything(volume)
    with pytest.raises(SettingsError) as caught, opened(given(volume)):
        pass
    assert f"setpriv --reuid={NOBODY} --regid={NOBODY}" in str(caught.value)
    assert everything(volume) == before
    with opened_for_reading(given(volume)):
        pass
