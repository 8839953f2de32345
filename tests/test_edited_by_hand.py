"""What people and other programs write on a served volume is seen at the next read, and harms nothing else."""

import errno
import os
import shutil
import traceback
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import roster
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import BrokenManifest
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.reading.cached_yaml import CachedYaml
from tests.trees import contents as sent
from tests.trees import tree
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    INSTRUCTOR,
    STUDENT,
    SUBMITTED,
    write_course,
    write_release,
    write_submission,
    write_volume,
)
from tests.written_by_hand import LATER, Served, served

__all__ = ["served"]


async def test_what_is_no_course_hides_none(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    courses = served.plain.root / "courses"
    (courses / "loop").symlink_to("loop")
    (courses / "lost+found").mkdir()
    (courses / "a file").write_text("")
    read = CachedYaml.read

    def may_not(cache: CachedYaml[Any], path: str) -> Any:
        if "lost+found" in path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return read(cache, path)

    monkeypatch.setattr(CachedYaml, "read", may_not)
    for user in (STUDENT, "root"):
        assert await served.call("GET", "courses", user) == (200, {"success": True, "courses": [COURSE]})


async def test_a_broken_file_does_not_remember_who_met_it(served: Served) -> None:
    assert await served.students() == [STUDENT]
    served.course_file.write_text(served.course_file.read_text() + "  ada: [\n")
    problem = served.volume.rosters.read(str(served.course_file)).problem
    assert problem is not None
    remembered = len(traceback.extract_tb(problem.__traceback__))
    for _ in range(10):
        with pytest.raises(BrokenManifest):
            roster.remove_student(served.volume, COURSE, STUDENT)
    assert len(traceback.extract_tb(problem.__traceback__)) == remembered


async def test_a_student_who_is_added_by_hand_can_hand_in(served: Served) -> None:
    assert await served.students() == [STUDENT]
    served.course_file.write_text(f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\nstudents:\n  zoë@uni.example:\n")
    assert await served.students() == ["zoë@uni.example"]
    assert (await served.call("GET", f"assignment/{COURSE}/{ASSIGNMENT}", "zoë@uni.example"))[0] == 200
    assert (await served.call("GET", f"assignment/{COURSE}/{ASSIGNMENT}", STUDENT))[0] == 403


async def test_order_and_comments_are_the_readers_own(served: Served) -> None:
    served.course_file.write_text(
        f"# Summer term\nstudents: # by name\n  bob:\n  {STUDENT}: {{}}\n\n  ada:\n    email: ada@x # new\n"
        f"instructors: {{{INSTRUCTOR}: }}\ncourse: '{COURSE}'\n"
    )
    assert await served.students() == ["bob", STUDENT, "ada"]
    assert await served.add("zoë") == 200
    assert await served.students() == ["bob", STUDENT, "ada", "zoë"]


async def test_names_that_yaml_takes_for_something_else(served: Served) -> None:
    names = ["no", "007", "1e3", "null", "~", "2020-01-01", "true", "0x10", "yes"]
    served.course_file.write_text(
        f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\nstudents:\n" + "".join(f"  {name}:\n" for name in names)
    )
    assert await served.students() == names
    assert await served.add("off") == 200
    assert await served.students() == [*names, "off"]
    assert (await served.call("GET", f"assignments/{COURSE}", "007"))[0] == 200
    assert (await served.call("GET", f"assignments/{COURSE}", "7"))[0] == 403


async def test_an_empty_value_is_not_set(served: Served) -> None:
    served.course_file.write_text(
        f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\nstudents:\n  ada:\n    first_name:\n    email: ''\n"
    )
    _, answer = await served.call("GET", f"student/{COURSE}/ada", INSTRUCTOR)
    assert (answer["first_name"], answer["last_name"], answer["email"]) == (None, None, "")


async def test_unknown_keys_are_kept(served: Served) -> None:
    more = "term: 2020\nopen: yes\nnotes:\n- first\n-\n- ''\nempty:\nroom: {no: 007}\n"
    served.course_file.write_text(
        f"{more}course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\n    office: 101\n"
        "students:\n  ada:\n    group: 007\n    x:\n"
    )
    for user in ("ada", "bob", "carol"):  # each write reads what the one before wrote
        assert await served.add(user) == 200
    now = roster.of(served.volume, COURSE)
    assert now.more == {
        "term": "2020", "open": "yes", "notes": ["first", None, ""], "empty": None, "room": {"no": "007"},
    }  # fmt: skip
    assert now.instructors[INSTRUCTOR].more == {"office": "101"}
    assert now.students["ada"].more == {"group": "007", "x": None}
    assert now.students["ada"].first_name == "A"


async def test_two_edits_at_once_of_the_same_size(served: Served) -> None:
    for name in ("aaa", "bbb", "ccc"):
        served.course_file.write_text(f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\nstudents:\n  {name}:\n")
        assert await served.students() == [name]


@pytest.mark.parametrize("old", [1, 86_400])
async def test_an_edit_that_keeps_size_and_time(served: Served, old: int) -> None:
    text = served.course_file.read_text()
    moment = served.course_file.stat().st_mtime_ns - old * 10**9
    os.utime(served.course_file, ns=(moment, moment))
    assert await served.students() == [STUDENT]
    for name in ("LAWRENCE", "lawrencE"):
        served.course_file.write_text(text.replace(STUDENT, name))
        os.utime(served.course_file, ns=(moment, moment))
        assert await served.students() == [name]


async def test_a_file_that_is_replaced_by_an_older_copy(served: Served) -> None:
    copy = served.course_file.with_name("copy")
    shutil.copy2(served.course_file, copy)
    assert await served.add("ada") == 200
    copy.rename(served.course_file)
    assert await served.students() == [STUDENT]


async def test_a_broken_file_stops_changes_to_it_and_nothing_else(served: Served) -> None:
    write_course(served.plain.root, "other", [INSTRUCTOR], [STUDENT])
    good = served.course_file.read_text()
    assert await served.students() == [STUDENT]
    broken = good + "  ada: [\n"
    served.course_file.write_text(broken)
    assert await served.students() == [STUDENT]
    assert await served.hand_in() == 200
    assert await served.add("bob") == 503
    with pytest.raises(BrokenManifest, match="line 7"):
        roster.set_student(served.volume, COURSE, "bob", Person())
    with pytest.raises(BrokenManifest):
        roster.remove_student(served.volume, COURSE, STUDENT)
    assert served.course_file.read_text() == broken
    assert (await served.call("GET", "students/other", INSTRUCTOR))[0] == 200
    assert (await served.call("GET", "courses", STUDENT))[1]["courses"] == [COURSE, "other"]
    served.course_file.write_text(good + "  ada:\n")
    assert await served.students() == [STUDENT, "ada"]
    assert await served.add("bob") == 200


async def test_a_file_that_was_never_read_whole_stops_its_own_course(served: Served) -> None:
    other = write_course(served.plain.root, "other", [INSTRUCTOR], [STUDENT])
    (other / "course.yaml").write_text("course: other\nstudents:\n  ada:\n  ada:\n")
    for path in ("students/other", "assignments/other"):
        status, answer = await served.call("GET", path, INSTRUCTOR)
        assert (status, answer["success"]) == (503, False)
    assert await served.students() == [STUDENT]
    assert await served.hand_in() == 200
    assert (await served.call("GET", "courses", STUDENT))[1]["courses"] == [COURSE]
    assert (await served.call("GET", "courses", "root"))[1]["courses"] == [COURSE, "other"]
    (other / "course.yaml").write_text(f"course: other\ninstructors:\n  {INSTRUCTOR}:\n")
    assert (await served.call("GET", "students/other", INSTRUCTOR))[0] == 200


@pytest.mark.parametrize("content", ["", "# nothing\n", "course:\n", "students:\n  ada:\n"])
async def test_a_file_that_an_editor_has_only_begun_to_write_is_no_empty_roster(served: Served, content: str) -> None:
    assert await served.students() == [STUDENT]
    served.course_file.write_text(content)
    assert await served.students() == [STUDENT]
    assert await served.add("bob") == 503
    assert served.course_file.read_text() == content


async def test_a_tree_that_another_program_publishes_is_served(served: Served, tmp_path: Path) -> None:
    aside = write_course(write_volume(tmp_path / "aside"), COURSE)
    work = write_submission(aside, (COURSE, ASSIGNMENT), STUDENT, LATER, {"by": b"hand"})
    work.rename(served.plain.submission.parent / work.name)
    _, answer = await served.call("GET", f"submission/{COURSE}/{ASSIGNMENT}/{STUDENT}", INSTRUCTOR)
    assert answer["timestamp"] == LATER
    assert [file["path"] for file in answer["files"]] == ["by"]
    again = write_release(aside, (COURSE, ASSIGNMENT), INSTRUCTOR, LATER, {"again": b""})
    again.rename(served.plain.release.parent / again.name)
    _, answer = await served.call("GET", f"assignment/{COURSE}/{ASSIGNMENT}", STUDENT)
    assert [file["path"] for file in answer["files"]] == ["again"]


async def test_a_tree_that_another_program_publishes_in_the_future_does_not_stop_the_clock(served: Served) -> None:
    write_submission(served.plain.course, (COURSE, ASSIGNMENT), STUDENT, "2999-01-01 00:00:00.000000 UTC", {})
    assert await served.hand_in() == 200
    _, answer = await served.call("GET", f"submissions/{COURSE}/{ASSIGNMENT}", INSTRUCTOR)
    moments = [entry["timestamp"] for entry in answer["submissions"]]
    assert moments[-1] == "2999-01-01 00:00:00.000001 UTC"
    assert moments == sorted(moments)


async def test_a_course_that_is_renamed_by_hand_has_its_folders_name(served: Served) -> None:
    served.plain.course.rename(served.plain.course.with_name("algebra"))
    assert (await served.call("GET", "courses", STUDENT))[1]["courses"] == ["algebra"]
    assert (await served.call("GET", f"assignments/{COURSE}", STUDENT))[0] == 404
    status, answer = await served.call("GET", f"feedback/algebra/{ASSIGNMENT}/{STUDENT}", STUDENT, timestamp=SUBMITTED)
    assert (status, len(answer["files"])) == (200, 1)


async def test_an_assignment_that_is_renamed_by_hand_has_its_folders_name(served: Served) -> None:
    served.plain.assignment.rename(served.plain.assignment.with_name("problem set 1"))
    assert (await served.call("GET", f"assignments/{COURSE}", STUDENT))[1]["assignments"] == ["problem set 1"]
    _, answer = await served.call("GET", f"submissions/{COURSE}/problem set 1", INSTRUCTOR)
    assert [entry["timestamp"] for entry in answer["submissions"]] == [SUBMITTED]


async def test_what_was_deleted_can_be_moved_back(served: Served) -> None:
    assert (await served.call("DELETE", f"assignment/{COURSE}/{ASSIGNMENT}", INSTRUCTOR))[0] == 200
    assert (await served.call("GET", f"assignment/{COURSE}/{ASSIGNMENT}", STUDENT))[0] == 404
    assert (await served.call("POST", f"assignment/{COURSE}/{ASSIGNMENT}", INSTRUCTOR, files=tree({"f": b"new"})))[
        0
    ] == 200
    (old,) = served.plain.root.glob(f"trash/*/{ASSIGNMENT}")
    assert f"by: {INSTRUCTOR}" in (old.parent / "trash.yaml").read_text()
    served.plain.assignment.rename(served.plain.assignment.with_name("ps1 new"))
    old.rename(served.plain.assignment)
    shutil.rmtree(old.parent)
    _, answer = await served.call("GET", f"submissions/{COURSE}/{ASSIGNMENT}", INSTRUCTOR)
    assert [entry["timestamp"] for entry in answer["submissions"]] == [SUBMITTED]
    assert (await served.call("GET", f"assignments/{COURSE}", STUDENT))[1]["assignments"] == [ASSIGNMENT, "ps1 new"]
    assert list(verify_volume(served.plain.root)) == []


async def test_a_new_release_keeps_the_old_ones_and_the_submissions(served: Served) -> None:
    path = f"assignment/{COURSE}/{ASSIGNMENT}"
    assert (await served.call("PUT", path, INSTRUCTOR, files=tree({"f": b"second"})))[0] == 200
    assert sent((await served.call("GET", path, STUDENT))[1]) == {"f": b"second"}
    assert len(list(served.plain.release.parent.iterdir())) == 2
    assert len((await served.call("GET", f"submissions/{COURSE}/{ASSIGNMENT}", INSTRUCTOR))[1]["submissions"]) == 1
    assert (await served.call("PUT", f"assignment/{COURSE}/nope", INSTRUCTOR, files=tree({})))[0] == 404


async def test_what_lies_astray_is_ignored(served: Served) -> None:
    plain = served.plain
    for folder in (plain.root, plain.course.parent, plain.course, plain.assignment.parent, plain.assignment):
        (folder / "notes.txt").touch()
    for folder in (plain.release.parent, plain.submission.parent.parent, plain.submission.parent, plain.submission):
        (folder / "notes.txt").touch()
        (folder / ".DS_Store").touch()
    (plain.course.parent / "%41").mkdir()
    assert (await served.call("GET", "courses", "root"))[1]["courses"] == [COURSE]
    assert (await served.call("GET", f"assignments/{COURSE}", STUDENT))[1]["assignments"] == [ASSIGNMENT]
    _, answer = await served.call("GET", f"submissions/{COURSE}/{ASSIGNMENT}", INSTRUCTOR)
    assert len(answer["submissions"]) == 1
    assert await served.hand_in() == 200


async def test_a_damaged_tree_is_refused_and_not_served_in_part(served: Served) -> None:
    (served.plain.submission / "files" / "problem1.ipynb").write_bytes(b"short")
    assert (await served.call("GET", f"submission/{COURSE}/{ASSIGNMENT}/{STUDENT}", INSTRUCTOR))[0] == 500
    (served.plain.release / "manifest.yaml").unlink()
    assert (await served.call("GET", f"assignment/{COURSE}/{ASSIGNMENT}", STUDENT))[0] == 503
    assert (await served.call("GET", f"feedback/{COURSE}/{ASSIGNMENT}/{STUDENT}", STUDENT, timestamp=SUBMITTED))[
        0
    ] == 200


async def test_a_manifest_that_leads_outside_is_not_followed(served: Served) -> None:
    (served.plain.root / "secret").write_text("x")
    file = served.plain.feedback / "manifest.yaml"
    up = "/".join([".."] * 20)
    file.write_text(f"{file.read_text()}- path: {up}{served.plain.root}/secret\n  size: 1\n  md5: x\n")
    query = {"timestamp": SUBMITTED}
    assert (await served.call("GET", f"feedback/{COURSE}/{ASSIGNMENT}/{STUDENT}", STUDENT, **query))[0] == 500
