"""The volume is what `docs/volume-format.md` says: what other programs and people write is served, at the next read."""

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ngshare_fs.store import Volume, assignment, course, feedback, release, roster, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import BrokenManifest, CourseNotFound, LockTimeout
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.tree_paths import DEEPEST_PATH, LONGEST_COMPONENT, LONGEST_PATH
from ngshare_fs.store.reading.cached_yaml import CachedYaml
from ngshare_fs.store.reading.tree import Tree
from ngshare_fs.store.writing.locks import Locks
from ngshare_fs.store.writing.upload import IncomingFile, Upload
from tests.conftest import Exchange, MakeExchange
from tests.trees import contents as sent
from tests.trees import tree
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    HOSTILE_NAMES,
    INSTRUCTOR,
    LEGAL_PATHS,
    RELEASED_FILES,
    RETURNED,
    STUDENT,
    SUBMITTED,
    SUBMITTED_FILES,
    Plain,
    folder_of,
    write_course,
    write_release,
    write_rich_volume,
    write_submission,
    write_volume,
)

PAGE = Path(__file__).parent.parent / "docs" / "volume-format.md"
ON = Timestamp(SUBMITTED)
LATER = "2020-02-01 00:00:00.000000 UTC"


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Volume]]:
    """Opens volumes, and closes them at the end."""
    volumes: list[Volume] = []

    def open_volume(root: Path) -> Volume:
        volumes.append(Volume.open(root))
        return volumes[-1]

    yield open_volume
    for volume in volumes:
        volume.close()


@pytest.fixture
def rich(tmp_path: Path, opened: Callable[[Path], Volume]) -> Volume:
    """The volume with whatever is legal."""
    return opened(write_rich_volume(tmp_path / "rich"))


@dataclass
class Served:
    """A small volume that somebody wrote by hand, served while it is edited."""

    exchange: Exchange
    plain: Plain

    @property
    def volume(self) -> Volume:
        """As the server has it open."""
        return self.exchange.volume

    @property
    def course_file(self) -> Path:
        """The file that is edited by hand."""
        return self.plain.course / "course.yaml"

    async def call(self, method: str, path: str, user: str, **fields: str) -> tuple[int, dict[str, Any]]:
        """Call an endpoint; gives status and answer."""
        answer = await self.exchange.call(method, path, user, **fields)
        return answer.status, answer.body

    async def students(self, user: str = INSTRUCTOR) -> list[str]:
        """The students of the course, in the order of the answer."""
        status, answer = await self.call("GET", f"students/{COURSE}", user)
        assert status == 200, answer
        return [student["username"] for student in answer["students"]]

    async def add(self, user: str) -> int:
        """Add a student through the API; gives the status."""
        fields = {"first_name": "A", "last_name": "B", "email": ""}
        return (await self.call("POST", f"student/{COURSE}/{user}", INSTRUCTOR, **fields))[0]

    async def hand_in(self) -> int:
        """Hand something in; gives the status."""
        files = tree({"p.ipynb": b"{}"})
        return (await self.call("POST", f"submission/{COURSE}/{ASSIGNMENT}", STUDENT, files=files))[0]


@pytest.fixture
async def served(tmp_path: Path, make_exchange: MakeExchange) -> Served:
    """A hand-built volume, served."""
    plain = Plain(tmp_path / "volume")
    return Served(await make_exchange(), plain)


def contents(stored: Tree | None) -> dict[str, bytes]:
    """The files of a tree; closes it."""
    assert stored is not None
    found = {}
    with stored:
        for file in stored.manifest.files:
            with os.fdopen(stored.open_file(file), "rb") as content:
                found[file.path] = content.read()
            assert hashlib.md5(found[file.path]).hexdigest() == file.md5
    return found


def handed_in(volume: Volume, content: bytes) -> Upload:
    """An upload of one file."""
    upload = volume.upload()
    upload.accept([IncomingFile("p", len(content), hashlib.md5(content).hexdigest(), content)])
    return upload


# What is written by hand is read.


def test_all_names_come_back(rich: Volume) -> None:
    gone = "x" * 300  # in the trash
    expected = {*HOSTILE_NAMES, COURSE, "NBG 101", "nobody yet"} - {gone}
    assert course.all_courses(rich) == sorted(expected)
    assert course.courses_of(rich, INSTRUCTOR) == sorted(expected - {"nobody yet"})
    assert assignment.assignments_of(rich, "NBG 101") == [*HOSTILE_NAMES, ASSIGNMENT]
    for name in sorted(expected - {COURSE, "NBG 101", "nobody yet"}):
        assert roster.of(rich, name).course == name
        assert contents(release.newest(rich, name, ASSIGNMENT)) == RELEASED_FILES
    students = [entry.student for entry in submission.submissions_to(rich, "NBG 101", ASSIGNMENT)]
    assert sorted(students) == sorted([*HOSTILE_NAMES, "left the course"] * 2 + [STUDENT])


def test_the_newest_counts(rich: Volume) -> None:
    assert contents(release.newest(rich, "NBG 101", ASSIGNMENT)) == {"newer.ipynb": b"2"}
    for name in HOSTILE_NAMES:
        moments = [entry.timestamp for entry in submission.submissions_by(rich, "NBG 101", ASSIGNMENT, name)]
        assert moments == [SUBMITTED, LATER]
        assert contents(submission.collect(rich, "NBG 101", ASSIGNMENT, name, None)) == {"later.ipynb": b"later"}
        assert contents(submission.collect(rich, "NBG 101", ASSIGNMENT, name, ON)) == SUBMITTED_FILES
        assert contents(feedback.newest(rich, "NBG 101", ASSIGNMENT, name, ON)) == {"second.html": b"2"}
        assert feedback.newest(rich, "NBG 101", ASSIGNMENT, name, Timestamp(LATER)) is None


def test_all_legal_paths_come_back(rich: Volume) -> None:
    found = contents(submission.collect(rich, "NBG 101", ASSIGNMENT, STUDENT, None))
    assert set(found) == {*LEGAL_PATHS, "empty", "large"}
    assert all(found[path] == path.encode() for path in LEGAL_PATHS)


def test_what_the_store_adds_is_as_the_page_says(rich: Volume) -> None:
    for name in HOSTILE_NAMES:
        with handed_in(rich, b"1") as upload:
            submission.submit(rich, "NBG 101", name, name, upload)
        moment = submission.submissions_by(rich, "NBG 101", name, name)[0].timestamp
        with handed_in(rich, b"2") as upload:
            feedback.give(rich, "NBG 101", name, name, moment, INSTRUCTOR, upload)
        with handed_in(rich, b"3") as upload:
            release.release_again(rich, "NBG 101", name, INSTRUCTOR, upload)
        roster.set_student(rich, "NBG 101", f"new {name}", Person("A", "B", None, {}))
        assignment.delete(rich, "NBG 101", name, INSTRUCTOR)
    for name in course.all_courses(rich):
        course.delete(rich, name, "root")
        course.create(rich, name, [INSTRUCTOR])
        with handed_in(rich, b"4") as upload:
            release.release(rich, name, name, INSTRUCTOR, upload)
    rich.close()
    assert list(verify_volume(Path(rich.root))) == []


def test_a_volume_without_empty_folders_is_complete(tmp_path: Path, opened: Callable[[Path], Volume]) -> None:
    (tmp_path / "v" / "courses" / "by hand").mkdir(parents=True)
    (tmp_path / "v" / "ngshare.yaml").write_text("layout: 1\n")
    (tmp_path / "v" / "courses" / "by hand" / "course.yaml").write_text("course: by hand\n")
    volume = opened(tmp_path / "v")
    assert course.all_courses(volume) == ["by hand"]
    assert assignment.assignments_of(volume, "by hand") == []
    with handed_in(volume, b"1") as upload:
        release.release(volume, "by hand", "a", INSTRUCTOR, upload)
    shutil.rmtree(tmp_path / "v" / "courses" / "by hand" / "assignments" / "a" / "submissions")
    assert submission.submissions_to(volume, "by hand", "a") == []
    with handed_in(volume, b"2") as upload:
        submission.submit(volume, "by hand", "a", STUDENT, upload)
    with handed_in(volume, b"3") as upload, pytest.raises(CourseNotFound):
        release.release(volume, "nowhere", "a", INSTRUCTOR, upload)
    assert list(verify_volume(tmp_path / "v")) == []


def test_a_folder_named_by_an_impossible_date_stops_nobody(tmp_path: Path, opened: Callable[[Path], Volume]) -> None:
    plain = Plain(tmp_path / "v")
    volume = opened(plain.root)
    for name in ("20990231T000000.000000Z", "99999999T999999.999999Z"):
        shutil.copytree(plain.submission, plain.submission.with_name(name))
        with handed_in(volume, b"1") as upload:
            submission.submit(volume, COURSE, ASSIGNMENT, STUDENT, upload)
    moments = [entry.timestamp for entry in submission.submissions_by(volume, COURSE, ASSIGNMENT, STUDENT)]
    assert len(moments) == 3
    assert moments == sorted(moments)


def test_a_file_that_looks_like_an_attack_stops_no_other_course(
    tmp_path: Path, opened: Callable[[Path], Volume]
) -> None:
    plain = Plain(tmp_path / "v")
    other = write_course(plain.root, "other", [INSTRUCTOR])
    (other / "course.yaml").write_text("course: other\nmore: " + "[" * 300_000)
    volume = opened(plain.root)
    assert course.courses_of(volume, STUDENT) == [COURSE]
    with pytest.raises(BrokenManifest):
        roster.of(volume, "other")


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


async def test_the_api_serves_what_is_written_by_hand(tmp_path: Path, make_exchange: MakeExchange) -> None:
    write_rich_volume(tmp_path / "volume")
    exchange = await make_exchange()

    async def get(endpoint: str, *names: str, **query: str) -> dict[str, Any]:
        encoded = "/".join(quote(segment, safe="") for segment in (endpoint, *names))
        answer = await exchange.raw("GET", encoded, "root", **query)
        assert answer.status == 200, (endpoint, names, answer)
        return answer.body

    listed = (await get("courses"))["courses"]
    assert set(HOSTILE_NAMES) - set(listed) == {"x" * 300}
    # A client takes `.` and `..` in a URL for a way, however they are encoded, so nobody can ask for these.
    for name in sorted(set(HOSTILE_NAMES) - {".", "..", "x" * 300}):
        assert (await get("assignments", name))["assignments"] == [ASSIGNMENT]
        assert sent(await get("assignment", name, ASSIGNMENT)) == RELEASED_FILES
        answer = await get("submission", "NBG 101", ASSIGNMENT, name, timestamp=SUBMITTED)
        assert (answer["timestamp"], sent(answer)) == (SUBMITTED, SUBMITTED_FILES)
        answer = await get("feedback", "NBG 101", ASSIGNMENT, name, timestamp=SUBMITTED)
        assert (answer["timestamp"], sent(answer)) == (SUBMITTED, {"second.html": b"2"})
    answer = await get("submission", "NBG 101", ASSIGNMENT, STUDENT)
    assert sent(answer)["large"] == bytes(range(256)) * 8192


# What is written while it is served is seen at the next read.


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


@pytest.mark.parametrize("scope", ["tree", "roster"])
def test_the_locks_are_where_the_page_says(
    tmp_path: Path, opened: Callable[[Path], Volume], scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = opened(Plain(tmp_path / "v").root)
    submissions = f"/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions/{STUDENT}"
    text = f"course\0{COURSE}" if scope == "roster" else f"publish\0{submissions}"
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % 1024
    with (tmp_path / "v" / ".ngshare" / "locks" / f"{number:04}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(volume, "locks", Locks(str(tmp_path / "v" / ".ngshare" / "locks"), timeout=0.02))
        if scope == "roster":
            with pytest.raises(LockTimeout):
                roster.set_student(volume, COURSE, "ada", Person())
        else:
            with handed_in(volume, b"1") as upload, pytest.raises(LockTimeout):
                submission.submit(volume, COURSE, ASSIGNMENT, STUDENT, upload)


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


# The page is true.


def test_the_page_names_every_file_and_folder() -> None:
    page = PAGE.read_text()
    for name, value in vars(layout).items():
        if name.isupper() and isinstance(value, str):
            assert value in page, name


def test_the_table_of_names_in_the_page_is_true() -> None:
    section = PAGE.read_text().partition("## Names\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", section, re.MULTILINE)
    assert len(rows) >= 12
    for name, folder in rows:
        assert folder_of(json.loads(f'"{name}"')) == folder


def test_the_examples_in_the_page_are_a_volume(tmp_path: Path, opened: Callable[[Path], Volume]) -> None:
    examples = re.findall(r"^`(\S.*\.yaml)`:\n\n((?:    .*\n|\n)+)", PAGE.read_text(), re.MULTILINE)
    assert len(examples) >= 6
    root = tmp_path / "v"
    for path, text in examples:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(re.sub("^    ", "", text, flags=re.MULTILINE).rstrip("\n") + "\n")
    found = list(verify_volume(root))
    assert {finding.code for finding in found} == {"file-missing"}  # the page shows no notebooks
    volume = opened(root)
    assert course.all_courses(volume) == ["NBG 101"]


def test_the_limits_in_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    for limit in (LONGEST_COMPONENT, LONGEST_PATH, DEEPEST_PATH):
        assert f"{limit:,}" in page
    assert RETURNED.endswith(" UTC")
