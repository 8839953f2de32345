"""What `repair` does where it could do harm: it rather leaves something than guesses."""

import os
import shutil
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.formats import yaml_text
from ngshare_fs.store import Volume, release, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format.trash_file import understand
from tests.verifying import codes, everything
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    INSTRUCTOR,
    RELEASED_FILES,
    RETURNED,
    RETURNED_FILES,
    STUDENT,
    SUBMITTED,
    SUBMITTED_FILES,
    Plain,
    folder_of,
    md5,
    write_course,
    write_feedback,
    write_manifest,
    write_release,
    write_submission,
    write_tree,
    write_withdrawal,
)
from tests.written_by_hand import contents

LATER = "2020-02-01 00:00:00.000000 UTC"
NAMES = (COURSE, ASSIGNMENT)


def repaired(root: Path) -> list[str]:
    """Repair a volume; gives what is left, notes left out."""
    main(["repair", "--yes", "--data", str(root)])
    return [code for code in codes(root) if code != "rebuilt"]


def manifest(tree: Path) -> dict[str, object]:
    def whole(document: dict[str, object]) -> dict[str, object]:
        return document

    return yaml_text.parse((tree / "manifest.yaml").read_bytes(), "manifest.yaml", whole)  # type: ignore[arg-type]


def quarantined(root: Path) -> dict[str, Path]:
    """What is in quarantine, by the place that it had."""
    found = {}
    for entry in (root / "trash").iterdir():
        record = entry / "trash.yaml"
        if record.exists():
            deletion = yaml_text.parse(record.read_bytes(), str(record), understand)
            if deletion.kind == "quarantine":
                found[deletion.path] = entry / deletion.folder
    return found


def test_a_manifest_is_rebuilt_from_place_and_files(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    for place in (plain.release, plain.submission, plain.feedback):
        (place / "manifest.yaml").unlink()
    assert repaired(plain.root) == []
    said = manifest(plain.feedback)
    assert said.pop("rebuilt")
    assert said == {
        "kind": "feedback", "course": COURSE, "assignment": ASSIGNMENT, "student": STUDENT, "submission": SUBMITTED,
        "by": INSTRUCTOR, "timestamp": RETURNED,
        "files": [{"path": "problem1.html", "size": str(len(RETURNED_FILES["problem1.html"])),
                   "md5": md5(RETURNED_FILES["problem1.html"])}],
    }  # fmt: skip
    assert manifest(plain.submission)["by"] == STUDENT
    volume = Volume.read_only(plain.root)
    assert contents(release.newest(volume, *NAMES)) == RELEASED_FILES
    volume.close()


def test_names_that_are_cut_are_found_in_other_manifests(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    long = "é" * 200
    course = write_course(plain.root, long, [INSTRUCTOR, "abigail"], [long])
    write_release(course, (long, long), INSTRUCTOR, SUBMITTED, RELEASED_FILES)
    first = write_submission(course, (long, long), long, SUBMITTED, SUBMITTED_FILES)
    second = write_submission(course, (long, long), long, LATER, SUBMITTED_FILES)
    feedback = write_feedback(second, (long, long), long, LATER, "abigail", RETURNED, RETURNED_FILES)
    for tree in (second, feedback):
        (tree / "manifest.yaml").unlink()
    assert repaired(plain.root) == []
    said = manifest(second)
    assert [said[key] for key in ("course", "assignment", "student", "by")] == [long] * 4
    assert manifest(feedback)["by"] == "unknown"  # of two instructors, nobody knows which
    (first / "manifest.yaml").unlink()
    shutil.rmtree(second)
    assert repaired(plain.root) == ["manifest-missing"]  # whose work it is stands nowhere any more


def test_a_tree_without_files_and_manifest_does_not_hide_the_one_before(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    empty = plain.release.with_name("20200201T000000.000000Z")
    empty.mkdir()
    assert repaired(plain.root) == []
    assert not empty.exists()
    assert plain.release.exists()


def test_what_is_left_of_a_broken_manifest_is_believed(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    file = plain.submission / "manifest.yaml"
    text = file.read_text().replace('by: "lawrence"', 'by: "abigail"\nkey: "k1"').replace("kind:", ": [\nkind:")
    file.write_text(text)
    assert codes(plain.root) == ["manifest-broken"]
    assert repaired(plain.root) == []
    said = manifest(plain.submission)
    assert (said["by"], said["key"]) == ("abigail", "k1")
    assert [each["path"] for each in said["files"]] == list(SUBMITTED_FILES)  # type: ignore[attr-defined]
    assert quarantined(plain.root)[str(file.relative_to(plain.root))].read_text() == text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('student: "lawrence"', 'student: "ada"'),
        ('kind: "submission"', 'kind: "release"'),
        (f'timestamp: "{SUBMITTED}"', f'timestamp: "{LATER}"'),
        (f"md5: {md5(SUBMITTED_FILES['data/x.csv'])}", f"md5: {'0' * 32}"),
        ("size: 4", "size: 5"),
        ("x.csv", "y.csv"),
    ],
)
def test_a_broken_manifest_that_says_something_else_is_left(tmp_path: Path, old: str, new: str) -> None:
    plain = Plain(tmp_path / "volume")
    file = plain.submission / "manifest.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new) + "] {\n")
    before = everything(plain.course)
    assert repaired(plain.root) == ["manifest-broken"]
    assert everything(plain.course) == before


def test_a_broken_withdrawal_stays_one(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    tree = write_withdrawal(plain.course, NAMES, INSTRUCTOR, LATER)
    file = tree / "manifest.yaml"
    file.write_text(file.read_text() + "] {\n")
    assert repaired(plain.root) == []
    assert manifest(tree)["kind"] == "withdrawal"
    file.write_text("] {\n")
    assert repaired(plain.root) == ["manifest-broken"]


def test_a_path_given_twice_is_what_its_file_is(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    said = {key: str(value) for key, value in manifest(plain.release).items() if key != "files"}
    (path, content), (other, more) = RELEASED_FILES.items()
    right, wrong = (path, len(content), md5(content)), (path, len(content), md5(b"?"))
    write_manifest(plain.release, said, [wrong, right, (other, len(more), md5(more))])
    assert repaired(plain.root) == []
    assert manifest(plain.release)["files"][0]["md5"] == md5(content)  # type: ignore[index]
    write_manifest(plain.release, said, [wrong, wrong, (other, len(more), md5(more))])
    assert repaired(plain.root) == ["path-twice", "checksum-differs"]
    write_manifest(plain.release, said, [right, right, (other, 99, md5(more))])
    assert repaired(plain.root) == ["path-twice", "size-differs"]


def test_a_kind_is_written_only_where_all_else_agrees(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    said = {"kind": "release", "course": COURSE, "assignment": ASSIGNMENT, "by": INSTRUCTOR, "timestamp": LATER}
    write_tree(plain.submission.parent, said, RELEASED_FILES)
    assert repaired(plain.root) == ["kind-differs", "student-differs"]


def test_folders_are_not_renamed_onto_others(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    shutil.copytree(plain.assignment, plain.assignment.with_name("%70s1"))
    moved = plain.submission.with_name("20200131T000000.000000Z")
    shutil.copytree(plain.submission, moved)
    assert repaired(plain.root) == ["name-not-canonical", "timestamp-differs", "submission-differs"]
    (plain.root / "courses" / os.fsdecode(b"\xff")).mkdir()
    (plain.root / "courses" / os.fsdecode(b"\xff") / "assignments").mkdir()
    assert "name-not-canonical" in repaired(plain.root)


def test_a_students_folder_is_renamed_only_where_all_in_it_agrees(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    student = plain.submission.parent
    student.rename(student.with_name("l%61wrence"))
    assert repaired(plain.root) == []
    assert student.exists()
    student.rename(student.with_name("%61da"))
    assert repaired(plain.root) == ["name-not-canonical"]


def test_what_is_seen_after_a_rename_is_mended_as_well(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.release / "files" / "more").touch()
    plain.release.rename(plain.release.with_name("2020-01-30"))
    plain.assignment.rename(plain.assignment.with_name("%70s1"))
    plain.course.rename(plain.course.with_name("m%61th"))
    assert repaired(plain.root) == []
    assert (plain.release / "manifest.yaml").exists()


def test_a_course_with_a_cut_name_is_renamed_as_its_file_says(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    plain.course.rename(plain.course.with_name(folder_of("x" * 300)))
    assert repaired(plain.root) == []
    assert plain.course.exists()


def test_comments_of_a_renamed_course_are_kept_in_the_trash(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    course = plain.course.rename(plain.course.with_name("algebra"))
    file = course / "course.yaml"
    text = file.read_text() + "# taught by Kevin\nroom: 3\n"
    file.write_text(text)
    assert repaired(plain.root) == []
    assert "room: '3'" in file.read_text()
    assert quarantined(plain.root)["courses/algebra/course.yaml"].read_text() == text


def test_feedback_goes_to_no_other_student(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    other = write_submission(plain.course, NAMES, "ada", LATER, SUBMITTED_FILES)
    plain.feedback.parent.rename(other / "feedback")
    assert repaired(plain.root) == ["student-differs", "submission-differs"]


def test_what_is_no_course_is_set_aside(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.root / "courses" / "notes").mkdir()
    (plain.root / "courses" / "notes" / "a.txt").write_text("a")
    assert repaired(plain.root) == []
    assert (quarantined(plain.root)["courses/notes"] / "a.txt").read_text() == "a"


@pytest.mark.parametrize("name", [b"trash.yaml", b"not utf-8 \xff", b"two\nlines", "\u202etxet".encode(), b"-rf"])
def test_whatever_its_name_a_stray_is_set_aside(tmp_path: Path, name: bytes) -> None:
    plain = Plain(tmp_path / "volume")
    stray = Path(os.fsdecode(os.fsencode(plain.course) + b"/" + name))
    stray.write_text("content")
    assert repaired(plain.root) == []
    ((path, kept),) = quarantined(plain.root).items()
    assert path == f"courses/math/{name.decode(errors='replace')}".replace("\ufffd", "%FF")
    assert kept.read_text() == "content"


def test_links_are_set_aside_where_nothing_belongs_and_never_followed(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "file").write_text("")
    places = [plain.root / "link", plain.course / "link", plain.submission / "link"]
    for place in places:
        place.symlink_to(secret)
    file = plain.submission / "files" / "data" / "x.csv"
    file.unlink()
    file.symlink_to(secret / "file")
    before = everything(secret)
    assert repaired(plain.root) == ["symlink"]
    assert file.is_symlink()
    assert sorted(quarantined(plain.root)) == sorted(str(place.relative_to(plain.root)) for place in places)
    assert all(kept.is_symlink() for kept in quarantined(plain.root).values())
    assert everything(secret) == before


def test_what_is_in_the_trash_stays_but_for_its_records(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (tree,) = (plain.deletion / "old" / "releases").iterdir()
    (tree / "manifest.yaml").unlink()
    assert repaired(plain.root) == ["manifest-missing"]
    (plain.deletion / "trash.yaml").unlink()
    assert repaired(plain.root) == ["trash-file-missing"]


@pytest.mark.parametrize("kind", ["course", "submission"])
def test_the_record_of_a_deletion_is_told_by_what_was_deleted(tmp_path: Path, kind: str) -> None:
    plain = Plain(tmp_path / "volume")
    shutil.rmtree(plain.deletion / "old")
    (plain.deletion / "trash.yaml").unlink()
    place: Path = getattr(plain, kind)
    place.rename(plain.deletion / place.name)
    assert repaired(plain.root) == []
    record = (plain.deletion / "trash.yaml").read_bytes()
    deletion = yaml_text.parse(record, "trash.yaml", understand)
    assert (deletion.kind, deletion.course, deletion.by) == (kind, COURSE, "unknown")
    if kind == "submission":
        assert (deletion.assignment, deletion.student, deletion.submission) == (ASSIGNMENT, STUDENT, SUBMITTED)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "a//b", "", "a/./b", '"a\\0b"'])
def test_a_record_of_quarantine_that_leads_out_of_the_volume_is_broken(tmp_path: Path, path: str) -> None:
    plain = Plain(tmp_path / "volume")
    entry = plain.root / "trash" / "20200301T080000.000000Z-00000007"
    entry.mkdir()
    (entry / "x").touch()
    moment = "2020-03-01 08:00:00.000000 UTC"
    (entry / "trash.yaml").write_text(f"kind: quarantine\npath: {path}\nfinding: stray\nby: r\ntimestamp: {moment}\n")
    assert [finding.code for finding in verify_volume(plain.root)][:1] == ["trash-file-broken"]


def test_a_rebuilt_submission_is_served_by_the_store(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    (plain.submission / "manifest.yaml").unlink()
    assert repaired(plain.root) == []
    volume = Volume.read_only(plain.root)
    assert contents(submission.collect(volume, *NAMES, STUDENT, None)) == SUBMITTED_FILES
    volume.close()


def test_a_file_that_was_renamed_by_hand_gets_its_name_back(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    files = plain.submission / "files"
    (files / "data" / "x.csv").rename(files / "x.csv")
    (files / "data").rmdir()
    (files / "problem1.ipynb").rename(files / "data")
    (files / "problem1 (copy).ipynb").write_text("another one")
    assert repaired(plain.root) == []
    for path, content in SUBMITTED_FILES.items():
        assert (files / path).read_bytes() == content
    assert [path.rpartition("/")[2] for path in quarantined(plain.root)] == ["problem1 (copy).ipynb"]
    (files / "problem1.ipynb").write_bytes(b"x")
    (files / "problem1.ipynb").rename(files / "more")
    assert repaired(plain.root) == ["file-missing"]
