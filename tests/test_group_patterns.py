"""What the names of groups mean: patterns, the groups that `course.yaml` names, and what a hub says of its users."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.access.roles import courses_seen_by, role_in
from ngshare_fs.formats.group_pattern import GroupPattern, group_pattern_in
from ngshare_fs.hub import Account
from ngshare_fs.hub.account import MOST_GROUPS
from ngshare_fs.server.startup_message import announce
from ngshare_fs.settings import SettingsError, read_settings
from ngshare_fs.settings.values import Raw
from ngshare_fs.store import CourseGroups, Person, Role, Roster, Volume, course, roster
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import BrokenManifest
from tests.volumes import COURSE, HOSTILE_NAMES, INSTRUCTOR, Plain

PATTERNS = GroupPatterns(
    (group_pattern_in("formgrade-{course}"),),
    (group_pattern_in("{course}:tutor"),),
    (group_pattern_in("nbgrader-{course}"), group_pattern_in("{course}")),
)
EMPTY = Roster("c", {}, {})


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "plain")


@pytest.fixture
def volume(plain: Plain) -> Iterator[Volume]:
    opened = Volume.open(plain.root)
    yield opened
    opened.close()


def _role(name: str, *groups: str, people: Roster = EMPTY, user: str = "ada") -> Role | None:
    return role_in(name, people, user, PATTERNS.understand(frozenset(groups)))


def test_the_highest_of_several_roles_counts() -> None:
    assert _role("m", "nbgrader-m") is Role.STUDENT
    assert _role("m", "nbgrader-m", "m:tutor") is Role.GRADER
    assert _role("m", "nbgrader-m", "m:tutor", "formgrade-m") is Role.INSTRUCTOR
    assert _role("m") is None
    assert _role("n", "nbgrader-m", "formgrade-m") is None


@pytest.mark.parametrize(
    "group",
    [
        "nbgrader-",
        "nbgrader",
        "Nbgrader-m",
        "nbgrader-m ",
        " nbgrader-m",
        "nbgrader-mm",
        "x-nbgrader-m",
        ":tutor",
        "m-tutor",
        "m:Tutor",
    ],
)
def test_a_name_fits_whole_or_not_at_all(group: str) -> None:
    assert _role("m", group) is None
    assert _role("", group) is None


@pytest.mark.parametrize(
    "name", [*HOSTILE_NAMES, "{course}", "a{b}c", "nbgrader-", "formgrade-m", ".*", "m%", "nbgrader-{course}"]
)
def test_a_course_may_be_called_anything(name: str) -> None:
    assert _role(name, f"formgrade-{name}") is Role.INSTRUCTOR
    assert _role(name, f"{name}:tutor") is Role.GRADER
    assert _role(name + "x", f"formgrade-{name}", f"{name}:tutor") is None


def test_a_name_that_fits_two_patterns_means_each_course_in_its_own_way() -> None:
    both = "formgrade-m"  # an instructor of `m`; by the pattern `{course}`, a student of a course with that whole name
    assert _role("m", both) is Role.INSTRUCTOR
    assert _role("formgrade-m", both) is Role.STUDENT
    twice = "formgrade-nbgrader-m"
    assert (_role("nbgrader-m", twice), _role("m", twice)) == (Role.INSTRUCTOR, None)


@given(before=st.text(max_size=4), after=st.text(max_size=4), name=st.text(min_size=1, max_size=6))
def test_a_pattern_reads_what_it_writes(before: str, after: str, name: str) -> None:
    pattern = GroupPattern(before, after)
    assert pattern.course_of(pattern.group_of(name)) == name
    assert pattern.course_of(before + after) is None


@pytest.mark.parametrize("text", ["formgrade", "formgrade-{Course}", "formgrade-{ course }", "{course}-{course}"])
@pytest.mark.parametrize("option", ["instructor-groups", "grader-groups", "student-groups"])
def test_what_is_no_pattern_is_an_error(option: str, text: str) -> None:
    environment = {"NGSHARE_FS_" + option.upper().replace("-", "_"): f"a-{{course}},{text}"}
    with pytest.raises(SettingsError, match=r"\{course\}") as error:
        read_settings({"standalone": True}, environment)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    "said", [" {course}", " {course}:tutor", " [{course}]", " [a-{course}, {course}:tutor]", "\n- {course}:tutor"]
)
def test_a_pattern_that_yaml_takes_for_something_else_is_told(said: str, tmp_path: Path) -> None:
    file = tmp_path / "ngshare.yaml"
    file.write_text(f"standalone: true\nstudent-groups:{said}\nport: 1\n")
    with pytest.raises(SettingsError, match=r'ngshare\.yaml:[234]: .* has to stand in quotes: "\{course\}:tutor"'):
        read_settings({"config": str(file)}, {})


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_stand_alone_groups_are_nothing_and_that_is_said(
    log_format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    flags: dict[str, Raw] = {"student-groups": "nbgrader-{course}", "course-creators": "kevin,group:staff"}
    settings = read_settings({"standalone": True, "log-format": log_format, **flags}, {})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        announce(settings, listener)
        assert "no effect: student-groups, course-creators" in capsys.readouterr().err + caplog.text
        announce(read_settings({"standalone": True, "course-creators": "kevin"}, {}), listener)
        assert "no effect" not in capsys.readouterr().err


def test_those_who_may_make_courses_are_users_and_groups() -> None:
    with pytest.raises(SettingsError, match="'group:' names no group"):
        read_settings({"standalone": True, "course-creators": "group:"}, {})
    assert read_settings({"standalone": True, "course-creators": "a, b"}, {}).course_creators.users == {"a", "b"}


# What course.yaml says


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        (
            "groups:\n  students: [first, second]\n  graders:\n  - t\n",
            CourseGroups(students=frozenset({"first", "second"}), graders=frozenset({"t"})),
        ),
        ("groups: {instructors: 'staff, all'}\n", CourseGroups(frozenset({"staff, all"}))),
        ("groups:\n", CourseGroups()),
        ("groups: {}\n", CourseGroups()),
        ("groups: {students: [], comment: none}\n", CourseGroups()),
        ("", None),
    ],
)  # fmt: skip
def test_a_course_names_its_groups(plain: Plain, volume: Volume, said: str, groups: CourseGroups | None) -> None:
    (plain.course / "course.yaml").write_text(f"course: {COURSE}\n{said}")
    people = roster.of(volume, COURSE)
    assert people.groups == groups
    if groups is not None:  # they take the place of the patterns, all of them
        assert _role(COURSE, f"formgrade-{COURSE}", people=people) is None
        assert PATTERNS.groups_of(COURSE, people) == groups
    else:
        assert PATTERNS.groups_of(COURSE, people).graders == {f"{COURSE}:tutor"}
    for role in Role:
        for group in [] if groups is None else groups.of(role):
            assert _role(COURSE, group, "nbgrader-x", people=people) is role
    roster.set_student(volume, COURSE, "new", Person())
    assert roster.of(volume, COURSE).groups == groups


@pytest.mark.parametrize(
    ("said", "line", "problem"),
    [
        ("groups: students\n", 2, "below `groups:`"),
        ("groups: [a, b]\n", 2, "below `groups:`"),
        ("groups:\n  student: [a]\n", 3, "did you mean `students`"),
        ("groups:\n  students: {a: b}\n", 3, "names of groups are expected"),
        ("groups:\n  students:\n  - [a]\n", 3, "names of groups are expected"),
        ("groups:\n  students: ['']\n", 3, "names of groups are expected"),
        ("groups:\n  students: [a, 'nbgrader-{course}']\n", 3, "'nbgrader-.course.' is a pattern"),
    ],
)
def test_groups_that_cannot_be_understood_are_a_broken_file(
    plain: Plain, volume: Volume, said: str, line: int, problem: str
) -> None:
    file = plain.course / "course.yaml"
    file.write_text(f"course: {COURSE}\n{said}")
    with pytest.raises(BrokenManifest, match=f"line {line}: .*{problem}"):
        roster.of(volume, COURSE)
    assert [each.code for each in verify_volume(plain.root)] == ["course-file-broken"]


def test_a_misspelt_key_is_told(plain: Plain, volume: Volume) -> None:
    (plain.course / "course.yaml").write_text(
        f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\ngroup: {{students: a}}\n"
    )
    assert roster.of(volume, COURSE).groups is None
    assert [(each.code, "`groups`" in each.message) for each in verify_volume(plain.root)] == [("key-misspelt", True)]


def test_an_entry_by_name_wins_and_one_by_a_group_gives_nothing(plain: Plain, volume: Volume) -> None:
    file = plain.course / "course.yaml"
    file.write_text(
        f"course: {COURSE}\ninstructors:\n  ada: {{from: group}}\nstudents:\n  bob:\n  cy: {{from: Erasmus}}\n"
    )
    people = roster.of(volume, COURSE)
    assert _role(COURSE, people=people) is None
    assert _role(COURSE, f"nbgrader-{COURSE}", people=people) is Role.STUDENT
    assert _role(COURSE, f"formgrade-{COURSE}", people=people, user="bob") is Role.STUDENT
    assert _role(COURSE, people=people, user="cy") is Role.STUDENT
    roster.set_student(volume, COURSE, "cy", Person("C"))
    assert "from: group" in file.read_text()
    assert "from: Erasmus" in file.read_text()


def test_the_name_of_a_courses_folder_counts(plain: Plain, volume: Volume) -> None:
    plain.course.rename(plain.course.parent / "renamed")
    groups = PATTERNS.understand(frozenset({f"formgrade-{COURSE}"}))
    assert courses_seen_by(volume, "ada", False, groups) == []
    assert courses_seen_by(volume, "ada", False, PATTERNS.understand(frozenset({"nbgrader-renamed"}))) == ["renamed"]


def test_courses_are_seen_by_groups(volume: Volume) -> None:
    for name in ("by name", "by pattern", "nothing"):
        course.create(volume, name, ["ada"] if name == "by name" else [])
    groups = PATTERNS.understand(frozenset({"by pattern:tutor", "nothing-", "no such course:tutor"}))
    assert courses_seen_by(volume, "ada", False, groups) == ["by name", "by pattern"]
    assert courses_seen_by(volume, "ada", True, groups) == sorted([COURSE, "by name", "by pattern", "nothing"])


# What the hub says


def _account(**said: object) -> Account:
    return Account.understand({"kind": "user", "name": "ada", "scopes": [], **said})


def test_groups_come_with_the_account() -> None:
    assert _account().groups == frozenset()
    assert _account(groups=["a", "b", "a"]).groups == {"a", "b"}
    assert _account(groups=["a", 1, None, "", "x" * 256, "\ud800", "z" * 255]).groups == {"a", "z" * 255}
    assert _account(groups="abc").groups == _account(groups={"a": 1}).groups == frozenset()
    assert Account.understand({"kind": "service", "name": "s", "scopes": [], "groups": ["a"]}).groups == frozenset()
    assert _account(groups=["p", "q"]).groups is _account(groups=["q", "p"]).groups  # kept once for all of a class


def test_whoever_is_in_too_many_groups_has_no_role_by_them(caplog: pytest.LogCaptureFixture) -> None:
    names = [f"nbgrader-{number}" for number in range(MOST_GROUPS + 1)]
    with caplog.at_level(logging.WARNING):
        assert _account(groups=names).groups == frozenset()
    assert "'ada' is in 2001 groups" in caplog.text
    assert len(_account(groups=names[1:]).groups) == MOST_GROUPS


def test_names_are_taken_where_there_is_no_doubt() -> None:
    assert _account(user_info={"name": "Ada Lovelace", "display_name": "Ada"}).names == {}
    told = {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@x", "name": "Ada Lovelace", "sub": 7}
    assert _account(user_info=told).names == {"given_name": "Ada", "family_name": "Lovelace", "email": "ada@x"}
    odd = {"given_name": 7, "family_name": "two\nlines", "email": "x" * 256}
    assert _account(user_info=odd).names == _account(user_info="Ada").names == _account(user_info=None).names == {}


def test_a_user_in_200_groups_is_looked_at_once() -> None:
    names = [f"nbgrader-course {number}" for number in range(200)]
    groups = PATTERNS.understand(frozenset(names))
    assert groups.role_in("course 199", EMPTY) is Role.STUDENT
    assert PATTERNS.understand(frozenset(reversed(names))) is groups
