"""`assignment.yaml` edited by hand, while servers run: no work is lost, and nothing is shown before its time."""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_in
from ngshare_fs.store import Volume, dates, extensions, release, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import AssignmentClosed, AssignmentNotFound, BrokenManifest
from ngshare_fs.store.format.assignment_file import Extension
from tests.stores import beside_the_next_flush, upload, volume
from tests.verifying import codes, removable, somebody_else_in
from tests.volumes import ASSIGNMENT, COURSE, STUDENT, Plain

__all__ = ["removable", "volume"]

DUE = "due: 2026-11-10 UTC\n"
NOW = moment_in("2026-11-15 UTC").at


def file_of(volume: Volume) -> Path:
    return Path(volume.root, "courses/c/assignments/a/assignment.yaml")


def edit(volume: Volume, text: str) -> None:
    """As an editor does that replaces the file; some while ago."""
    file = file_of(volume)
    edited = file.with_name("assignment.yaml~")
    edited.write_text(text)
    os.utime(edited, (1e9, 1e9))
    edited.rename(file)


def hand_in(volume: Volume) -> None:
    with upload(volume, f=b"1") as work:
        submission.submit(volume, "c", "a", "ada", work, arrived=NOW)


@pytest.fixture
def other(volume: Volume) -> Iterator[Volume]:
    """Another server on the same folder."""
    opened = Volume.open(Path(volume.root))
    yield opened
    opened.close()


def test_an_edit_counts_at_once_on_every_server(volume: Volume, other: Volume) -> None:
    for text, is_seen, is_closed in (
        ("due: 2026-11-10 UTC\n", True, False),
        ("release: 2026-11-16 UTC\n", False, False),
        ("close: 2026-11-14 UTC\nextensions:\n  ada: {close: 2026-11-14 23:59:59.5 UTC}\n", True, True),
        ("# nothing any more\n{}\n", True, False),
    ):
        edit(volume, text)
        for each in (volume, other):
            assert release.is_visible(each, "c", "a", NOW) == is_seen
            assert dates.of(each, "c", "a", "ada").is_closed(NOW) == is_closed
    edit(volume, "close: 2026-11-14 UTC\n")
    file_of(volume).unlink()
    assert not dates.of(volume, "c", "a")
    hand_in(volume)


def test_what_the_server_does_not_know_is_kept(volume: Volume) -> None:
    edit(
        volume, "# mine\ndue: 2026-11-10 UTC\npoints: 10\nextensions:\n  ada: {due: 2026-11-12 UTC, room: 7, by: eve}\n"
    )
    os.chmod(file_of(volume), 0o640)
    dates.change(volume, "c", "a", {"due": moment_in("2026-11-11 UTC")})
    extensions.extend(volume, "c", "a", "ada", Extension(due=moment_in("2026-11-13 UTC"), reason="ill"))
    assert file_of(volume).read_text() == (
        "due: 2026-11-11 23:59:59 UTC\nextensions:\n  ada:\n    due: 2026-11-13 23:59:59 UTC\n    reason: ill\n"
        "    room: '7'\npoints: '10'\n"
    )
    assert file_of(volume).stat().st_mode & 0o777 == 0o640


BROKEN = (
    "",
    "# due: 2026-11-15 UTC\n",
    "due: [\n",
    "due: soon\n",
    "due: 2026-11-15 23:59\n",
    "close: 2026-02-30 UTC\n",
    "grace: a while\n",
    "Due: 2026-11-15 UTC\n",
    "released: 2026-11-15 UTC\n",
    "deu: 2026-11-15 UTC\n",
    "colse: 2026-11-15 UTC\n",
    "release_date: 2026-11-20 UTC\n",
    "Due date: 2026-11-15 UTC\n",
    "deadline: 2026-11-15 UTC\n",
    "extension: {}\n",
    "extensions: [ada]\n",
    "extensions:\n  ada:\n",
    "extensions:\n  ada: {reason: ill}\n",
    "extensions:\n  ada: 2026-11-15 UTC\n",
    "extensions:\n  '': {due: 2026-11-15 UTC}\n",
    "due: 2026-11-15 UTC\ndue: 2026-11-16 UTC\n",
)


@pytest.mark.parametrize("text", BROKEN)
def test_a_slip_of_the_editor_loses_no_work_and_shows_nothing(volume: Volume, other: Volume, text: str) -> None:
    edit(volume, "release: 2026-11-01 UTC\ndue: 2026-11-10 UTC\nclose: 2026-11-12 UTC\n")
    before = dates.of(volume, "c", "a")
    edit(volume, text)
    content = file_of(volume).read_bytes()
    # One server has understood it before, the other one never.
    assert dates.of(volume, "c", "a") == before
    assert release.visible_assignments(volume, "c", NOW) == ["a"]
    with pytest.raises(AssignmentClosed):
        hand_in(volume)
    with pytest.raises(BrokenManifest, match=r"assignment\.yaml, line"):
        dates.of(other, "c", "a")
    with pytest.raises(BrokenManifest):
        release.is_visible(other, "c", "a", NOW)
    assert release.visible_assignments(other, "c", NOW) == []
    hand_in(other)
    for each in (volume, other):
        with pytest.raises(BrokenManifest):
            dates.change(each, "c", "a", {"due": None})
        with pytest.raises(BrokenManifest):
            extensions.take_back(each, "c", "a", "ada")
        with pytest.raises(BrokenManifest):
            extensions.extend(each, "c", "a", "ada", Extension(due=moment_in("2026-11-20 UTC")))
    assert file_of(volume).read_bytes() == content
    assert codes(Path(volume.root)) == ["assignment-file-broken"]
    edit(volume, "due: 2026-11-20 UTC\n")
    assert dates.of(other, "c", "a").state(NOW) == dates.of(volume, "c", "a").state(NOW) == "open"


def test_a_change_beside_an_editor_loses_neither(volume: Volume) -> None:
    edit(volume, "due: 2026-11-10 UTC\n")
    with beside_the_next_flush(volume, partial(edit, volume, "due: 2026-11-10 UTC\nnote: by hand\n")):
        dates.change(volume, "c", "a", {"close": moment_in("2026-11-12 UTC")})
    text = "due: 2026-11-10 23:59:59 UTC\nclose: 2026-11-12 23:59:59 UTC\nnote: by hand\n"
    assert file_of(volume).read_text() == text
    # It is checked against what stands there by then.
    with (
        beside_the_next_flush(volume, partial(edit, volume, "due: [\n")),
        pytest.raises(BrokenManifest),
    ):
        dates.change(volume, "c", "a", {"close": None})
    assert file_of(volume).read_text() == "due: [\n"


def test_dates_do_not_land_in_another_assignment_of_the_same_name(volume: Volume) -> None:
    folder = file_of(volume).parent

    def replace_assignment() -> None:
        folder.rename(folder.with_name("kept"))
        shutil.copytree(folder.with_name("kept"), folder)

    with beside_the_next_flush(volume, replace_assignment), pytest.raises(AssignmentNotFound):
        dates.change(volume, "c", "a", {"due": moment_in("2026-11-10 UTC")})
    assert not file_of(volume).exists()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_file_is_no_dates(volume: Volume, tmp_path: Path, kind: str) -> None:
    file = file_of(volume)
    (tmp_path / "elsewhere").write_text("due: 2026-11-10 UTC\n")
    make: dict[str, Callable[[], None]] = {
        "folder": file.mkdir,
        "link": partial(file.symlink_to, tmp_path / "elsewhere"),
        "pipe": partial(os.mkfifo, file),
    }
    make[kind]()
    with pytest.raises(BrokenManifest, match="cannot be read"):
        dates.of(volume, "c", "a")
    assert release.visible_assignments(volume, "c", NOW) == []
    hand_in(volume)
    with pytest.raises(BrokenManifest):
        dates.change(volume, "c", "a", {"due": moment_in("2026-11-10 UTC")})
    assert codes(Path(volume.root)) == [{"folder": "stray", "link": "symlink", "pipe": "special-file"}[kind]]


def test_one_that_may_not_be_read_is_found(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    file = plain.assignment / "assignment.yaml"
    file.write_text("due: 2026-11-10 UTC\n")
    file.chmod(0)
    with somebody_else_in(plain.root) as inside:
        assert codes(inside) == ["unreadable"]
        volume = Volume(str(inside))  # from where modes count
        with pytest.raises(BrokenManifest, match="cannot be read: Permission denied"):
            dates.of(volume, COURSE, ASSIGNMENT)
        volume.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{DUE}extensions:\n  nobody: {{due: 2026-11-12 UTC}}\n", []),
        ("close: 2026-11-10 UTC\nextensions:\n  ada: {close: 2026-11-09 UTC}\n", []),
        ("release: 2026-11-12 UTC\nclose: 2026-11-10 UTC\n", ["dates-disordered"]),
        (f"{DUE}extensions:\n  ada: {{due: 2026-11-12 UTC, close: 2026-11-11 UTC}}\n", ["dates-disordered"]),
        (f"{DUE}extensions:\n  ada: {{due: 2026-11-12 UTC, Reason: ill}}\n", ["key-misspelt"]),
        (f"{DUE}extensions:\n  ada: {{close: 2026-11-12 UTC, until: 2026-11-12 UTC}}\n", ["key-misspelt"]),
        (f"{DUE}rubric: 2026-11-12 UTC\n", []),
        (
            "close: 2026-11-10 UTC\nrelease: 2026-11-12 UTC\n"
            "extensions:\n  a: {due: 2026-11-12 UTC}\n  b: {due: 2026-11-12 UTC}\n",
            ["dates-disordered", "extension-without-due", "extension-without-due"],
        ),
    ],
)
def test_what_verify_says_of_dates(tmp_path: Path, text: str, found: list[str]) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.assignment / "assignment.yaml").write_text(text)
    assert codes(plain.root) == found
    shutil.copy(plain.assignment / "assignment.yaml", plain.deletion / "old")
    assert codes(plain.root) == [*found, *found], "in the trash, too"
    (plain.deletion / "old/assignment.yaml").rename(plain.course / "assignments" / STUDENT)
    assert sorted(finding.code for finding in verify_volume(plain.root)) == sorted([*found, "stray"])
