"""The volume is what `docs/volume-format.md` says: volumes that are written by it are read, and ours are as it says."""

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ngshare_fs.store import Volume, assignment, course, dates, feedback, release, roster, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import BrokenManifest, CourseNotFound, LockTimeout
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.course_file import Person
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.format.tree_paths import DEEPEST_PATH, LONGEST_COMPONENT, LONGEST_PATH
from ngshare_fs.store.writing.locks import Locks
from tests.conftest import MakeExchange
from tests.trees import contents as sent
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
    write_rich_volume,
)
from tests.written_by_hand import LATER, ON, contents, handed_in, opened, rich

__all__ = ["opened", "rich"]

PAGE = Path(__file__).parent.parent / "docs" / "volume-format.md"


def test_all_names_come_back(rich: Volume) -> None:
    gone = "x" * 300  # in the trash
    expected = {*HOSTILE_NAMES, COURSE, "NBG 101", "nobody yet"} - {gone}
    assert course.all_courses(rich) == sorted(expected)
    assert course.courses_where(rich, lambda _, people: INSTRUCTOR in people) == sorted(expected - {"nobody yet"})
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
    (tmp_path / "v" / "ngshare.yaml").write_text("layout: 2\n")
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
    assert course.courses_where(volume, lambda _, people: STUDENT in people) == [COURSE]
    with pytest.raises(BrokenManifest):
        roster.of(volume, "other")


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


@pytest.mark.parametrize("scope", ["tree", "roster", "dates"])
def test_the_locks_are_where_the_page_says(
    tmp_path: Path, opened: Callable[[Path], Volume], scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = opened(Plain(tmp_path / "v").root)
    submissions = f"/courses/{COURSE}/assignments/{ASSIGNMENT}/submissions/{STUDENT}"
    text = {
        "tree": f"publish\0{submissions}",
        "roster": f"course\0{COURSE}",
        "dates": f"dates\0/courses/{COURSE}/assignments/{ASSIGNMENT}",
    }[scope]
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % 1024
    with (tmp_path / "v" / ".ngshare" / "locks" / f"{number:04}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(volume, "locks", Locks(str(tmp_path / "v" / ".ngshare" / "locks"), timeout=0.02))
        if scope == "roster":
            with pytest.raises(LockTimeout):
                roster.set_student(volume, COURSE, "ada", Person())
        elif scope == "dates":
            with pytest.raises(LockTimeout):
                dates.change(volume, COURSE, ASSIGNMENT, {"grace": timedelta()})
        else:
            with handed_in(volume, b"1") as upload, pytest.raises(LockTimeout):
                submission.submit(volume, COURSE, ASSIGNMENT, STUDENT, upload)


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
