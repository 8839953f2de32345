"""A key that somebody misspelt in a file of the volume: nobody vanishes without a word."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, VolumeError, roster
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import BrokenManifest
from tests.conftest import Exchange, MakeExchange
from tests.volumes import COURSE, INSTRUCTOR, STUDENT, Plain

HEAD = f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\n"
PEOPLE = f"  {STUDENT}:\n"


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "volume")


@pytest.fixture
def volume(plain: Plain) -> Iterator[Volume]:
    opened = Volume.open(plain.root)
    yield opened
    opened.close()


def found_in(plain: Plain) -> list[tuple[str, str]]:
    return [(finding.code, finding.message) for finding in verify_volume(plain.root)]


@pytest.mark.parametrize("key", ["student", "Students", "studnets", "stundents", "student-s"])
def test_a_misspelt_role_is_no_empty_roster(plain: Plain, volume: Volume, key: str) -> None:
    # Also where the server has written an empty list above, and somebody writes the people below it.
    for text in (f"{HEAD}{key}:\n{PEOPLE}", f"{HEAD}students: {{}}\n{key}:\n{PEOPLE}"):
        (plain.course / "course.yaml").write_text(text)
        line = text[: text.index(f"{key}:")].count("\n") + 1
        with pytest.raises(BrokenManifest, match=f"line {line}: '{key}' is no key of this file: .*`students`"):
            roster.of(volume, COURSE)
        ((code, message),) = found_in(plain)
        assert (code, f"line {line}: '{key}'" in message) == ("course-file-broken", True)


@pytest.mark.parametrize(
    "value", ["\n  first: read\n  then: write\n", "\n- read\n- write\n", "\n", " {}\n", " read the book\n"]
)
def test_what_is_no_list_of_people_takes_nobody_s_place(plain: Plain, volume: Volume, value: str) -> None:
    (plain.course / "course.yaml").write_text(f"{HEAD}students:\n{PEOPLE}instructions:{value}")
    assert list(roster.of(volume, COURSE).students) == [STUDENT]
    assert [code for code, _ in found_in(plain)] == ["key-misspelt"]


@pytest.mark.parametrize("value", ["\n  first: read\n", "\n- read\n"])
def test_nor_may_it_stand_where_people_are_missing(plain: Plain, volume: Volume, value: str) -> None:
    (plain.course / "course.yaml").write_text(f"course: {COURSE}\nstudents:\n{PEOPLE}instructions:{value}")
    with pytest.raises(BrokenManifest, match="did you mean `instructors`"):
        roster.of(volume, COURSE)


def test_other_unknown_keys_are_kept(plain: Plain, volume: Volume) -> None:
    more = "course_id: 7\nterm: {name: spring}\ninstructions: read the book\ncolour:\n"
    (plain.course / "course.yaml").write_text(f"{HEAD}students:\n{PEOPLE}    nickname: Larry\n{more}")
    roster.remove_instructor(volume, COURSE, INSTRUCTOR)
    for kept in ("course_id: '7'", "name: spring", "instructions: read the book", "colour:", "nickname: Larry"):
        assert kept in (plain.course / "course.yaml").read_text()


def test_what_loses_nobody_is_a_finding_and_a_line_in_the_log(
    plain: Plain, volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    file = plain.course / "course.yaml"
    file.write_text(f"{HEAD}students:\n{PEOPLE}    first name: Larry\n    mail: l@x\nstudent: one\n")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert list(roster.of(volume, COURSE).students) == [STUDENT]
    said = [
        "'student' is no key of this file: did you mean `students`?",
        f"'first name' below '{STUDENT}' below 'students' is no key of this file: did you mean `first_name`?",
        f"'mail' below '{STUDENT}' below 'students' is no key of this file: did you mean `email`?",
    ]
    assert caplog.messages == [f"{file}: {each}" for each in said]
    assert [code for code, _ in found_in(plain)] == ["key-misspelt"] * 3
    assert all(each in message for each, (_, message) in zip(said, found_in(plain), strict=True))


def test_the_volumes_own_file(plain: Plain, caplog: pytest.LogCaptureFixture) -> None:
    file = plain.root / "ngshare.yaml"
    file.write_text("layouts: 2\n")
    with pytest.raises(VolumeError, match="line 1: 'layouts' is no key of this file: did you mean `layout`"):
        Volume.open(plain.root)
    assert [code for code, _ in found_in(plain)] == ["volume-file-broken"]
    file.write_text("layout: 2\nLayout: 2\nsince: 2020\n")
    Volume.open(plain.root).close()
    assert caplog.messages == [f"{file}: 'Layout' is no key of this file: did you mean `layout`?"]
    assert [code for code, _ in found_in(plain)] == ["key-misspelt"]


async def _problems(exchange: Exchange, user: str) -> list[tuple[str, str | None]]:
    listed = (await exchange.call("GET", "listing", user)).body["courses"]
    return [(course["course_id"], course["problem"]) for course in listed]


async def _page(exchange: Exchange, user: str) -> str:
    return str((await exchange.raw("GET", "", user)).body["html"])


async def test_instructors_are_told_and_the_version_before_serves_on(
    plain: Plain, make_exchange: MakeExchange, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = await make_exchange()
    assert await _problems(exchange, INSTRUCTOR) == [(COURSE, None)]
    text = f"{HEAD}student:\n{PEOPLE}"
    (plain.course / "course.yaml").write_text(text)
    problem = f"courses/{COURSE}/course.yaml, line 4: 'student' is no key of this file: did you mean `students`?"
    for user in (INSTRUCTOR, "root"):
        assert await _problems(exchange, user) == [(COURSE, problem)]
        assert problem.replace("'", "&#39;") in await _page(exchange, user)
    assert await _problems(exchange, STUDENT) == [(COURSE, None)]
    assert "course.yaml" not in await _page(exchange, STUDENT)
    assert [
        student["username"]
        for student in (await exchange.call("GET", f"students/{COURSE}", INSTRUCTOR)).body["students"]
    ] == [STUDENT]
    assert (await exchange.call("DELETE", f"student/{COURSE}/{STUDENT}", INSTRUCTOR)).status == 503
    assert (plain.course / "course.yaml").read_text() == text
    complaints = [message for message in caplog.messages if "is no key of this file" in message]
    assert [message for message in complaints if "DELETE" not in message] == [f"{exchange.volume.root}/{problem}"]


async def test_of_a_file_that_was_never_understood_admins_are_told(
    plain: Plain, make_exchange: MakeExchange, caplog: pytest.LogCaptureFixture
) -> None:
    (plain.course / "course.yaml").write_text("students: [\n")
    exchange = await make_exchange()
    for _ in range(3):
        ((name, problem),) = await _problems(exchange, "root")
        assert (name, str(problem).startswith(f"courses/{COURSE}/course.yaml, line ")) == (COURSE, True)
        assert await _problems(exchange, INSTRUCTOR) == []
    assert len([message for message in caplog.messages if "course.yaml" in message]) == 1
