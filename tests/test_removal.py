"""Many students leave a course by one call."""

import json

import pytest

from tests.conftest import Exchange


async def _students(taught: Exchange) -> list[str]:
    return [each["username"] for each in (await taught.call("GET", "students/c", "kevin")).body["students"]]


async def test_those_who_are_there_leave_and_the_others_are_named(taught: Exchange) -> None:
    people = [{"username": name, "first_name": "", "last_name": "", "email": ""} for name in ("ada", "max", "..")]
    await taught.call("POST", "students/c", "kevin", students=json.dumps(people))
    leaving = json.dumps(["max", "nobody", "..", "kevin", "lawrence", "max"])
    answer = await taught.call("POST", "removal/c", "kevin", students=leaving)
    assert answer.body == {
        "success": True,
        "status": [
            {"username": "max", "success": True},
            {"username": "nobody", "success": False, "message": "Student not found"},
            {"username": "..", "success": True},
            {"username": "kevin", "success": False, "message": "Student not found"},
            {"username": "lawrence", "success": True},
            {"username": "max", "success": True},
        ],
    }
    assert await _students(taught) == ["ada"]
    instructors = (await taught.call("GET", "instructors/c", "kevin")).body["instructors"]
    assert [each["username"] for each in instructors] == ["kevin"]


@pytest.mark.parametrize(
    ("students", "message"),
    [
        (None, "Please supply students"),
        ("", "Please supply students"),
        ("[]", "Please supply students"),
        ("[", "Students cannot be JSON decoded"),
        ('{"a": 1}', "Incorrect request format"),
        ('["lawrence", 1]', "Incorrect request format"),
        ('["lawrence", ""]', "Incorrect request format"),
        ('["lawrence", "\\ud800"]', "Incorrect request format"),
        ('[["lawrence"]]', "Incorrect request format"),
    ],
)
async def test_a_wrong_list_removes_nobody(taught: Exchange, students: str | None, message: str) -> None:
    fields = {} if students is None else {"students": students}
    answer = await taught.call("POST", "removal/c", "kevin", **fields)
    assert (answer.status, answer.message) == (400, message)
    assert await _students(taught) == ["lawrence"]
