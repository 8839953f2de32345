"""`ngshare-fs archive`: all of a course in one file that tar can read, and no removal where anything is doubtful."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, course, roster, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.transfer.archive.broken import BrokenArchive
from ngshare_fs.transfer.archive.listing import ChangedMeanwhile, Listing
from ngshare_fs.transfer.archive.writing import describe, write_archive
from tests.durability.disks import unmounted_at_the_end
from tests.durability.states import left_by_the_server, state_of
from tests.operators.running import Command, run
from tests.stores import beside_the_next_flush, hand_in, upload, volume
from tests.verifying import codes, everything, removable, somebody_else_in
from tests.volumes import COURSE, Plain, folder_of, write_rich_volume

__all__ = ["removable", "run", "volume"]

LINE = '{"time": "2020-01-31 09:00:00.004711 UTC", "what": "submit", "by": "lawrence", "via": "api"}\n'


def write_journal(root: Path, name: str) -> Path:
    file = root / "journal" / "courses" / name / "2020-01.5f3a9c01.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(LINE)
    return file


def unpacked(archive: Path, into: Path) -> Path:
    """As somebody does who has tar alone."""
    into.mkdir()
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", into], check=True)
    return into


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_tar_and_sha256sum_find_all_of_the_course_in_it(run: Command, tmp_path: Path) -> None:
    write_rich_volume(run.data)
    write_journal(run.data, "NBG 101")
    before = everything(run.data)
    said = run.done("archive", "NBG 101", tmp_path / "a.tar.zst").out
    assert "NBG 101 with 33 assignments, 34 releases, 67 submissions, 66 pieces of feedback; 2.1 MiB, in" in said
    assert everything(run.data) == before
    found = unpacked(tmp_path / "a.tar.zst", tmp_path / "unpacked")
    for place in ("courses/NBG 101", "journal/courses/NBG 101"):
        assert contents(found / place) == contents(run.data / place)
    summed = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=found, capture_output=True, check=True)
    assert summed.stdout.count(b": OK\n") == len(contents(found)) - 1
    subprocess.run(["zstd", "-t", "-q", tmp_path / "a.tar.zst"], check=True)
    assert (tmp_path / "a.tar.zst").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.zst", "unpacked", "volume"]


def test_a_course_of_any_name_comes_back(run: Command, tmp_path: Path) -> None:
    write_rich_volume(run.data)
    before = contents(run.data / "courses")
    names = ["..", "/etc", "x" * 299 + "y", "ö" * 200, "%~", "two\nlines", "trailing ", "-rf", "nobody yet"]
    for number, name in enumerate(names):
        archive = tmp_path / f"{number}.tar.zst"
        document = run.done("archive", "--remove", "--yes", "--json", "--", name, archive).document
        assert (document["course"], document["removed"], document["findings"]) == (name, True, [])
        assert not (run.data / "courses" / folder_of(name)).exists()
        run.done("restore", archive)
    assert contents(run.data / "courses") == before
    assert codes(run.data) == []


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run: Command, tmp_path: Path) -> None:
    Plain(run.data)
    before = everything(tmp_path)
    said = run.done("archive", COURSE, tmp_path / "a.tar.zst", "--remove", "--dry-run").out
    assert said.startswith(f"would archive {COURSE} with 1 assignment, 1 release, 1 submission, 1 piece of feedback; ")
    assert said.endswith(f"would move {COURSE} to the trash\n")
    document = run.done("archive", COURSE, tmp_path / "a.tar.zst", "--dry-run", "--json").document
    assert (document["course"], document["submissions"], document["would_remove"]) == (COURSE, 1, False)
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere", "a.tar.zst"], 2, "there is no course 'nowhere'"),
        (["", "a.tar.zst"], 2, "a name cannot be empty"),
        ([COURSE, "-"], 2, "it has to be a file"),
        ([COURSE, "."], 2, "is a folder"),
        ([COURSE, "there"], 2, "is there already"),
        ([COURSE, "dangling"], 2, "is there already"),
        ([COURSE, "no/such/a.tar.zst"], 2, "no such folder"),
        ([COURSE, "volume/a.tar.zst"], 2, "inside of the data folder"),
        ([COURSE, "link/a.tar.zst"], 2, "inside of the data folder"),
        ([COURSE, "a.tar.zst", "--remove"], 1, "say --yes"),
    ],
)
def test_wrong_words(
    words: list[str], code: int, said: str, run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Plain(run.data)
    Volume.open(run.data).close()
    monkeypatch.chdir(tmp_path)
    Path("there").touch()
    Path("dangling").symlink_to("nowhere")
    Path("link").symlink_to("volume/courses")
    before = state_of(tmp_path)
    assert said in run.refused("archive", *words, code=code)
    assert state_of(tmp_path) == before


def test_what_is_damaged_is_said_and_kept_and_stays(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    (plain.submission / "files" / "problem1.ipynb").write_bytes(b'{"cells": {}}\n')
    (plain.course / "link").symlink_to("/etc/passwd")
    ended = run("archive", COURSE, tmp_path / "a.tar.zst", "--remove", "--yes")
    assert ended.code == 1
    assert "checksum-differs courses/math/assignments/ps1/submissions/lawrence" in ended.err
    assert "symlink courses/math/link" in ended.err
    assert f"damaged {plain.submission.relative_to(run.data)}/files/problem1.ipynb: it is not as" in ended.err
    assert "math stays where it is, because of what was found in it" in ended.err
    assert plain.course.is_dir()
    assert "courses/math/link" not in contents(unpacked(tmp_path / "a.tar.zst", tmp_path / "unpacked"))
    plain.course.rename(tmp_path / "elsewhere")
    before = state_of(run.data)
    ended = run("restore", tmp_path / "a.tar.zst")
    assert (ended.code, ended.out) == (1, "")
    assert "checksum-differs courses/math" in ended.err
    assert "--damaged restores it as it is. Nothing was changed." in ended.err
    assert state_of(run.data) == before
    assert left_by_the_server(run.data) == []
    run.done("restore", tmp_path / "a.tar.zst", "--damaged")
    assert codes(run.data) == ["checksum-differs"]


def test_a_link_in_place_of_a_file_is_said_once(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    file = plain.submission / "files" / "problem1.ipynb"
    file.unlink()
    file.symlink_to("/etc/passwd")
    ended = run("archive", COURSE, tmp_path / "a.tar.zst", "--json")
    assert (ended.code, ended.document["damaged"]) == (1, [str(file.relative_to(run.data))])


def test_names_that_are_no_utf_8_and_lines_in_names(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    for name in (b"\xff stray", b"two\nlines", b"back\\slash", b"return\r"):
        Path(os.fsdecode(os.path.join(os.fsencode(plain.course), name))).write_bytes(name)
    assert run("archive", COURSE, tmp_path / "a.tar.zst").code == 1
    found = unpacked(tmp_path / "a.tar.zst", tmp_path / "x")
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", "SHA256SUMS"], cwd=found, check=True)
    assert contents(found / "courses") == contents(run.data / "courses")
    before = contents(plain.course)
    plain.course.rename(tmp_path / "elsewhere")
    run.done("restore", tmp_path / "a.tar.zst", "--damaged")
    assert contents(plain.course) == before


def test_a_broken_course_file_is_archived_as_it_is(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    (plain.course / "course.yaml").write_text("course: [\n")
    ended = run("archive", COURSE, tmp_path / "a.tar.zst")
    assert ended.code == 1
    assert "course-file-broken" in ended.err
    assert contents(unpacked(tmp_path / "a.tar.zst", tmp_path / "x"))["courses/math/course.yaml"] == b"course: [\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="modes do not count for root, and only root can be somebody else")
def test_what_cannot_be_read_leaves_no_file(run: Command) -> None:
    with tempfile.TemporaryDirectory() as place:  # pytest's own lie where only we may go
        Path(place).chmod(0o777)
        run.data = Path(place, "volume")
        plain = Plain(run.data)
        (plain.submission / "files" / "problem1.ipynb").chmod(0)
        with somebody_else_in(Path(place)):
            ended = run("archive", COURSE, "a.tar.zst")
        assert ended.code == 1
        assert "problem1.ipynb: Permission denied" in ended.err
        assert os.listdir(place) == ["volume"]


def test_a_backup_that_nobody_may_write_can_be_archived(run: Command, tmp_path: Path) -> None:
    Plain(run.data)
    before = everything(run.data)
    run.done("archive", COURSE, tmp_path / "a.tar.zst")
    assert everything(run.data) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_where_room_ends_nothing_is_left(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    (plain.course / "stray").write_bytes(os.urandom(3 * 2**20))
    place = tmp_path / "small"
    place.mkdir()
    with unmounted_at_the_end(place):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
        ended = run("archive", COURSE, place / "a.tar.zst", "--remove", "--yes")
        assert ended.code == 1
        assert "No space left on device: make room, then run this again" in ended.err
        assert not list(place.iterdir())
    assert plain.course.is_dir()


def test_a_submission_that_comes_while_it_is_archived_keeps_the_course(volume: Volume, tmp_path: Path) -> None:
    with Listing(volume, "c") as listing:
        hand_in(volume, "lawrence")
        written = write_archive(volume, listing, describe(listing, "c", "root"), str(tmp_path / "a"), lambda _: None)
        assert (written.description.submissions, written.damaged) == (0, [])
        with pytest.raises(ChangedMeanwhile, match="lawrence"):
            course.delete_unless(volume, "c", "root", listing.check_unchanged)
    assert len(submission.submissions_to(volume, "c", "a")) == 1
    assert not os.listdir(Path(volume.root, "trash"))


def test_a_submission_that_comes_at_the_last_moment_keeps_the_course(volume: Volume) -> None:
    with (
        Listing(volume, "c") as listing,
        beside_the_next_flush(volume, lambda: hand_in_from_elsewhere(volume)),
        pytest.raises(ChangedMeanwhile, match="lawrence"),
    ):
        course.delete_unless(volume, "c", "root", listing.check_unchanged)
    assert len(submission.submissions_to(volume, "c", "a")) == 1
    assert not os.listdir(Path(volume.root, "trash"))
    assert list(verify_volume(Path(volume.root))) == []


def hand_in_from_elsewhere(volume: Volume) -> None:
    other = Volume.open(Path(volume.root))
    try:
        hand_in(other, "lawrence")
    finally:
        other.close()


def test_a_change_of_the_roster_keeps_the_course(volume: Volume) -> None:
    with Listing(volume, "c") as listing:
        roster.set_student(volume, "c", "ada", Person())
        with pytest.raises(ChangedMeanwhile, match=r"course\.yaml"):
            course.delete_unless(volume, "c", "root", listing.check_unchanged)
    assert course.exists(volume, "c")


def test_another_course_of_the_same_name_is_not_removed(volume: Volume) -> None:
    with Listing(volume, "c") as listing:
        course.delete(volume, "c", "root")
        course.create(volume, "c", ["kevin"])
        with pytest.raises(ChangedMeanwhile):
            course.delete_unless(volume, "c", "root", listing.check_unchanged)
    assert course.exists(volume, "c")


def test_what_is_moved_away_while_it_is_read_ends_it(volume: Volume, tmp_path: Path) -> None:
    moment = hand_in(volume, "lawrence")
    with Listing(volume, "c") as listing:
        submission.delete(volume, "c", "a", "lawrence", moment, "kevin")
        with pytest.raises(ChangedMeanwhile, match="lawrence"):
            write_archive(volume, listing, describe(listing, "c", "root"), str(tmp_path / "a"), lambda _: None)
    assert not list(tmp_path.glob("a*"))


def test_what_the_disk_makes_of_it_is_seen_before_it_has_its_name(volume: Volume, tmp_path: Path) -> None:
    with upload(volume, f=os.urandom(3 * 2**20)) as work:
        submission.submit(volume, "c", "a", "lawrence", work)
    with Listing(volume, "c") as listing:
        read = 0

        def fail_once_it_is_written(count: int) -> None:
            nonlocal read
            read += count
            if read > listing.counts["size"]:
                partial = next(tmp_path.glob("a.partial-*"))
                with partial.open("r+b") as file:
                    file.seek(2**21)
                    file.write(bytes(16))

        with pytest.raises(BrokenArchive):
            write_archive(volume, listing, describe(listing, "c", "root"), str(tmp_path / "a"), fail_once_it_is_written)
    assert not list(tmp_path.glob("a*"))


def test_stopped_it_leaves_no_file(volume: Volume, tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with Listing(volume, "c") as listing, pytest.raises(KeyboardInterrupt):
        write_archive(volume, listing, describe(listing, "c", "root"), str(tmp_path / "a"), stop)
    assert not list(tmp_path.glob("a*"))


def test_a_link_is_no_course(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    (run.data / "courses" / "link").symlink_to(plain.course)
    assert "there is no course 'link'" in run.refused("archive", "link", tmp_path / "a.tar.zst", code=2)


def test_a_journal_that_grows_meanwhile_is_taken_as_it_was(volume: Volume, tmp_path: Path) -> None:
    file = write_journal(Path(volume.root), "c")
    with Listing(volume, "c") as listing:
        with file.open("a") as opened:
            opened.write(LINE * 100)
        write_archive(volume, listing, describe(listing, "c", "root"), str(tmp_path / "a"), lambda _: None)
    found = contents(unpacked(tmp_path / "a", tmp_path / "x"))
    assert found[f"journal/courses/c/{file.name}"] == LINE.encode()


def test_removed_means_in_the_trash_and_in_the_journal(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    before = contents(plain.course)
    run.done("archive", COURSE, tmp_path / "a.tar.zst", "--remove", "--yes")
    entry = next(path for path in (run.data / "trash").iterdir() if (path / COURSE).exists())
    assert contents(entry / COURSE) == before
    assert "kind: course" in (entry / "trash.yaml").read_text()
    lines = [
        json.loads(line) for file in run.data.glob("journal/courses/math/*") for line in file.read_text().splitlines()
    ]
    assert [(line["what"], line["via"], line["detail"]) for line in lines] == [("archive", "command", "a.tar.zst")]
