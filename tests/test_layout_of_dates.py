"""From layout 1 to the one that has dates: nothing is moved, and what would be misread is in the way."""

from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store import Volume, VolumeError, dates, roster
from ngshare_fs.store.format import layout
from ngshare_fs.store.migrations import table, upgrade
from tests.killed_steps import copies_after_kills
from tests.operators.archives import RIGHT, members, tar, write
from tests.operators.running import Command, run
from tests.verifying import codes, everything
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, STUDENT, Plain, write_course

__all__ = ["run"]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    """A volume of layout 1."""
    monkeypatch.setattr(upgrade, "SETTLE_SECONDS", 0.0)
    plain = Plain(tmp_path / "volume")
    (plain.root / "ngshare.yaml").write_text("layout: 1\n")
    return plain


def without_private(root: Path) -> dict[str, tuple[object, ...]]:
    return {path: looks for path, looks in everything(root / "courses").items() if not path.endswith("ngshare.yaml")}


def test_a_start_changes_nothing_but_the_number(old: Plain) -> None:
    before = without_private(old.root)
    Volume.open(old.root).close()
    assert (old.root / "ngshare.yaml").read_text() == "layout: 2\n"
    assert without_private(old.root) == before
    assert sorted(path.name for path in (old.root / "trash").iterdir()) == [old.deletion.name]
    assert codes(old.root) == []


def test_the_version_before_refuses_it_and_there_is_a_way_back(old: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    Volume.open(old.root).close()
    monkeypatch.setattr(layout, "LAYOUT", 1)
    monkeypatch.setattr(table, "MIGRATIONS", ())
    with pytest.raises(VolumeError, match="says layout 2, and this program knows layouts up to 1: install the newer"):
        Volume.open(old.root)
    (old.root / "ngshare.yaml").write_text("layout: 1\n")
    Volume.open(old.root).close()
    assert codes(old.root) == []


IN_THE_WAY = {
    "no zone": (f"courses/{COURSE}/course.yaml", "timezone: Vienna\n", "line 6: 'Vienna' is no time zone"),
    "no grace": (f"courses/{COURSE}/course.yaml", "grace: by the dean\n", "line 6: 'by the dean' is not a duration"),
    "no close": (f"courses/{COURSE}/course.yaml", "close_after: [x]\n", "line 6: `close_after` has to be a single"),
    "no dates": (
        f"courses/{COURSE}/assignments/{ASSIGNMENT}/assignment.yaml",
        "title: x\ndue: soon\n",
        "line 2: 'soon'",
    ),
}


@pytest.mark.parametrize(("place", "text", "said"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_would_be_misread_is_said_before_anything_is_changed(
    old: Plain, capsys: pytest.CaptureFixture[str], place: str, text: str, said: str
) -> None:
    file = old.root / place
    file.write_text((file.read_text() if file.exists() else "") + text)
    before = without_private(old.root)
    for words in (["--dry-run"], []):
        assert main(["migrate", "--data", str(old.root), *words]) == 1
        heard = capsys.readouterr().err
        assert f"cannot be upgraded to layout 2: {file}, {said}" in heard
        assert "it meant nothing before layout 2: mend it, or move it elsewhere" in heard
    assert (old.root / "ngshare.yaml").read_text() == "layout: 1\n"
    assert without_private(old.root) == before
    file.write_text(file.read_text().replace(text, ""))
    if file.name == "assignment.yaml":
        file.unlink()
    assert main(["migrate", "--data", str(old.root)]) == 0


def test_a_folder_where_dates_belong_is_in_the_way(old: Plain) -> None:
    (old.assignment / "assignment.yaml").mkdir()
    with pytest.raises(VolumeError, match=r"assignment.yaml cannot be read \(a folder, not a file\), and dates belong"):
        Volume.open(old.root)


def test_what_can_be_understood_counts_from_then_on(old: Plain) -> None:
    (old.assignment / "assignment.yaml").write_text("due: 2026-11-10 UTC\n")
    file = old.course / "course.yaml"
    file.write_text(file.read_text() + "timezone: Europe/Vienna\n")
    volume = Volume.open(old.root)
    found = dates.of(volume, COURSE, ASSIGNMENT)
    assert (str(found.due), found.zone) == ("2026-11-10 23:59:59 UTC", "Europe/Vienna")
    volume.close()


def test_what_was_broken_before_is_not_in_the_way(old: Plain) -> None:
    (old.course / "course.yaml").write_text("course: [\n")
    other = write_course(old.root, "other", [INSTRUCTOR], [STUDENT])
    (other / "course.yaml").write_text("timezone: Vienna\n")
    write_course(old.root, "third")
    volume = Volume.open(old.root)
    assert roster.of(volume, "third").course == "third"
    volume.close()


@pytest.mark.long
def test_after_a_kill_at_any_step_it_goes_on(old: Plain, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    copies = copies_after_kills(old.root, tmp_path / "copies", "migrate")
    for copy in copies:
        assert main(["migrate", "--data", str(copy)]) == 0
        assert (copy / "ngshare.yaml").read_text() == "layout: 2\n"
        assert codes(copy) == []


def test_an_archive_of_an_older_layout_is_restored(run: Command, tmp_path: Path) -> None:
    Volume.open(run.data).close()
    run.done("restore", write(tmp_path / "a.tar.zst", tar(members(RIGHT, layout="1"))))
    assert codes(run.data) == []
    assert (run.data / "ngshare.yaml").read_text() == "layout: 2\n"
    odd = {**RIGHT, "courses/math/course.yaml": b"course: math\ntimezone: Vienna\n"}
    archive = write(tmp_path / "b.tar.zst", tar(members(odd, layout="1")))
    said = run.refused("restore", archive, "--as", "odd")
    assert "it cannot be brought to layout 2: courses/math/course.yaml, line 2: 'Vienna' is no time zone" in said
    assert "(--damaged restores it as it is). Nothing was changed." in said
    assert not (run.data / "courses/odd").exists()
