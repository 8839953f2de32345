"""Graders: those who see and grade what is handed in, and change neither rosters nor releases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ngshare_fs.store import Person, Role, Volume, roster
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.errors import BrokenManifest, GraderNotFound, IsGrader, IsInstructor
from ngshare_fs.store.renaming import user_renaming
from tests.conftest import Answer, Exchange
from tests.trees import tree
from tests.volumes import COURSE, INSTRUCTOR, STUDENT, Plain

NAMES = {"first_name": "Tara", "last_name": "T", "email": "t@x"}
TARA = {"username": "tara", **NAMES}
HEAD = f"course: {COURSE}\ninstructors:\n  {INSTRUCTOR}:\n"


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "plain")


@pytest.fixture
def volume(plain: Plain) -> Iterator[Volume]:
    opened = Volume.open(plain.root)
    yield opened
    opened.close()


@pytest.fixture
async def graded(taught: Exchange) -> Exchange:
    """A course with a grader, `tara`, and something handed in by `lawrence`."""
    assert (await taught.call("POST", "grader/c/tara", "kevin", **NAMES)).status == 200
    assert (await taught.call("POST", "submission/c/a", "lawrence", files=tree({"p.ipynb": b"1"}))).status == 200
    return taught


async def _refused(exchange: Exchange, method: str, path: str, user: str, **fields: str) -> tuple[int, str]:
    answer: Answer = await exchange.call(method, path, user, **fields)
    return answer.status, answer.message


async def test_members_see_graders_apart_from_instructors(graded: Exchange) -> None:
    for user in ("root", "kevin", "tara", "lawrence"):
        assert (await graded.call("GET", "graders/c", user)).body["graders"] == [TARA]
        found = (await graded.call("GET", "grader/c/tara", user)).body
        assert {key: found[key] for key in TARA} == TARA
        listed = (await graded.call("GET", "instructors/c", user)).body["instructors"]
        assert [each["username"] for each in listed] == ["kevin"]
    assert await _refused(graded, "GET", "grader/c/kevin", "kevin") == (404, "Grader not found")
    assert await _refused(graded, "DELETE", "grader/c/lawrence", "kevin") == (404, "Grader not found")


async def test_a_course_without_graders_has_a_file_as_it_always_was(taught: Exchange) -> None:
    file = taught.data / "courses/c/course.yaml"
    before = file.read_text()
    assert "graders" not in before
    assert (await taught.call("POST", "grader/c/tara", "kevin", **NAMES)).status == 200
    assert "graders:\n  tara:\n    first_name: Tara\n" in file.read_text()
    assert (await taught.call("DELETE", "grader/c/tara", "kevin")).status == 200
    assert file.read_text() == before


async def test_everybody_has_one_role(graded: Exchange) -> None:
    assert await _refused(graded, "POST", "grader/c/kevin", "root", **NAMES) == (
        409,
        "Cannot add instructor as grader",
    )
    assert await _refused(graded, "POST", "student/c/tara", "kevin", **NAMES) == (409, "Cannot add grader as student")
    students = '[{"username": "%s", "first_name": "", "last_name": "", "email": ""}]'
    for user, message in (("tara", "Cannot add grader as student"), ("kevin", "Cannot add instructor as student")):
        (status,) = (await graded.call("POST", "students/c", "kevin", students=students % user)).body["status"]
        assert status == {"username": user, "success": False, "message": message}
    # A higher role takes the place of a lower one.
    assert (await graded.call("POST", "grader/c/lawrence", "kevin", **NAMES)).status == 200
    people = roster.of(graded.volume, "c")
    assert (set(people.graders), set(people.students)) == ({"tara", "lawrence"}, set())
    assert (await graded.call("POST", "instructor/c/tara", "root", **NAMES)).status == 200
    people = roster.of(graded.volume, "c")
    assert (set(people.instructors), set(people.graders)) == ({"kevin", "tara"}, {"lawrence"})


async def test_a_grader_grades_and_changes_nothing_else(graded: Exchange) -> None:
    (handed_in,) = (await graded.call("GET", "submissions/c/a", "tara")).body["submissions"]
    at = {"timestamp": handed_in["timestamp"]}
    assert (await graded.call("GET", "submission/c/a/lawrence", "tara")).body["files"][0]["path"] == "p.ipynb"
    given = await graded.call("POST", "feedback/c/a/lawrence", "tara", files=tree({"p.html": b"good"}), **at)
    assert given.status == 200
    assert (await graded.call("GET", "feedback/c/a/lawrence", "tara", **at)).body["files"][0]["path"] == "p.html"
    assert (await graded.call("GET", "students/c", "tara")).body["students"][0]["username"] == "lawrence"
    files = tree({"p.ipynb": b"2"})
    for method, path, fields in (
        ("POST", "assignment/c/b", {"files": files}),
        ("PUT", "assignment/c/a", {"files": files}),
        ("PUT", "assignment/c/a/withdrawn", {}),
        ("DELETE", "assignment/c/a", {}),
        ("DELETE", "submission/c/a/lawrence", at),
        ("POST", "submission/c/a", {"files": files, "student": "lawrence"}),
        ("POST", "grader/c/tara", NAMES),
        ("POST", "grader/c/ben", NAMES),
        ("DELETE", "grader/c/tara", {}),
        ("POST", "instructor/c/tara", NAMES),
        ("POST", "student/c/ben", NAMES),
        ("DELETE", "student/c/lawrence", {}),
    ):
        status, message = await _refused(graded, method, path, "tara", **fields)
        assert (status, message) == (403, "Permission denied (not course instructor)"), (method, path)


async def test_a_grader_hands_in_as_everybody_does(graded: Exchange) -> None:
    assert (await graded.call("POST", "submission/c/a", "tara", files=tree({"p.ipynb": b"t"}))).status == 200
    (own,) = (await graded.call("GET", "submissions/c/a/tara", "tara")).body["submissions"]
    assert own["student_id"] == "tara"


async def test_a_graders_own_dates_are_shown_to_them(graded: Exchange) -> None:
    """What is shown is what their own work is taken by; those who teach have no dates of their own."""
    dates = {"due": "2020-01-01", "close": "2020-01-02"}
    assert (await graded.call("PATCH", "assignment/c/a", "kevin", **dates)).status == 200
    assert (await graded.call("PUT", "extension/c/a/tara", "kevin", close="2999-01-01")).status == 200
    for user, state, status in (("tara", "late", 200), ("kevin", "closed", 200), ("lawrence", "closed", 403)):
        shown = (await graded.call("GET", "assignment/c/a", user)).body["dates"]
        (course,) = (await graded.call("GET", "listing", user)).body["courses"]
        assert course["assignments"][0]["dates"] == shown
        assert (shown["state"], shown["extended"]) == (state, user == "tara")
        handed_in = await graded.call("POST", "submission/c/a", user, files=tree({"p.ipynb": b"1"}))
        assert handed_in.status == status


async def test_a_grader_sees_what_is_withdrawn_and_lists_everybodys(graded: Exchange) -> None:
    assert (await graded.call("PUT", "assignment/c/a/withdrawn", "kevin")).status == 200
    assert (await graded.call("GET", "assignments/c", "tara")).body["assignments"] == ["a"]
    assert (await graded.call("GET", "assignments/c", "lawrence")).body["assignments"] == []
    assert (await graded.call("GET", "assignment/c/a", "tara")).status == 200
    assert (await graded.call("GET", "assignment/c/a", "lawrence")).status == 404
    (listed,) = (await graded.call("GET", "listing", "tara", submissions="all")).body["courses"]
    assert listed["role"] == "grader"
    assert [each["student_id"] for each in listed["submissions"]] == ["lawrence"]
    assert [each["withdrawn"] for each in listed["assignments"]] == [True]
    page = (await graded.raw("GET", "", "tara")).body["html"]
    assert "<td>grader</td>" in page


def test_lists_written_by_hand(plain: Plain, volume: Volume) -> None:
    file = plain.course / "course.yaml"
    file.write_text(f"{HEAD}graders:\n  tara:\n  {INSTRUCTOR}:\n  {STUDENT}:\nstudents:\n  {STUDENT}:\n")
    people = roster.of(volume, COURSE)
    assert [people.named_role(user) for user in (INSTRUCTOR, "tara", STUDENT, "nobody")] == [
        Role.INSTRUCTOR,
        Role.GRADER,
        Role.GRADER,
        None,
    ]
    found = [(each.code, INSTRUCTOR in each.message) for each in verify_volume(plain.root)]
    assert found == [("two-roles", False), ("two-roles", True)]
    with pytest.raises(IsInstructor):
        roster.set_grader(volume, COURSE, INSTRUCTOR, Person())
    with pytest.raises(IsGrader):
        roster.set_student(volume, COURSE, STUDENT, Person())
    with pytest.raises(GraderNotFound):
        roster.remove_grader(volume, COURSE, "nobody")
    roster.set_instructor(volume, COURSE, STUDENT, Person())
    people = roster.of(volume, COURSE)
    assert (STUDENT in people.graders, STUDENT in people.students) == (False, False)


@pytest.mark.parametrize("key", ["grader", "Graders", "grades"])
def test_a_misspelt_list_of_graders_loses_nobody(plain: Plain, volume: Volume, key: str) -> None:
    (plain.course / "course.yaml").write_text(f"{HEAD}{key}:\n  tara:\n")
    with pytest.raises(BrokenManifest, match=f"line 4: '{key}' is no key of this file: did you mean `graders`"):
        roster.of(volume, COURSE)


@pytest.mark.parametrize("value", [" {ps1: 7}\n", "\n- first\n", " none yet\n"])
def test_what_is_no_list_of_people_is_no_list_of_graders(plain: Plain, volume: Volume, value: str) -> None:
    (plain.course / "course.yaml").write_text(f"{HEAD}grades:{value}")
    assert roster.of(volume, COURSE).graders == {}


@pytest.mark.parametrize(
    ("old", "new", "role"),
    [
        # The old name's role, the new one's (`*` marks what a group has brought), and what comes of both.
        ("instructors", "graders", Role.INSTRUCTOR),
        ("graders", "students", Role.GRADER),
        ("students", "instructors*", Role.STUDENT),
        ("graders*", "graders", Role.GRADER),
        ("graders", "graders*", Role.GRADER),
        ("students*", "graders*", None),
    ],
)
def test_who_is_renamed_keeps_the_role_that_somebody_gave(
    plain: Plain, volume: Volume, old: str, new: str, role: Role | None
) -> None:
    lists: dict[str, str] = {}
    for user, said in (("old", old), ("new", new)):
        key, star, _ = said.partition("*")
        lists[key] = lists.get(key, "") + f"  {user}: {'{from: group}' if star else ''}\n"
    (plain.course / "course.yaml").write_text(
        f"course: {COURSE}\n" + "".join(f"{key}:\n{people}" for key, people in lists.items())
    )
    user_renaming.rename(volume, user_renaming.plan(volume, "old", "new"), "old", "new")
    people = roster.of(volume, COURSE)
    assert people.named_role("new") is role
    assert sum("new" in people.people(each) for each in Role) == 1
    assert "old" not in people
