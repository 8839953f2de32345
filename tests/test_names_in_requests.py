"""Any name comes back as it was given, stays inside its folder, and shares it with no other."""

import json
from pathlib import Path

import pytest

from tests.conftest import Exchange
from tests.trees import contents, tree

NAMES = [
    "..", ".", "/etc", "a/b", "a\x00b", ".hidden", "x" * 300, "x" * 299 + "y", "ü" * 200, "😀", "no", "007", "1e3",
    "null", "~", "2020-01-01", "a", "A", "a ", "a.", " a", "a+b", "a%20b", "%2e%2e", "%", "a%~b", "é", "e\u0301",
    "\u202ea", "-rf", "$(touch x)", "a\nb", "<b>", "'", '"', "a:b", "&x=1", "?", "#", "con", "course.yaml",
    "NBG 101", "zoë@uni.example",
]  # fmt: skip


def _outside(data: Path) -> list[str]:
    return sorted(path.name for path in data.parent.iterdir())


async def test_every_name_round_trips(exchange: Exchange) -> None:
    before = _outside(exchange.data)
    names = [name for name in NAMES if name not in (".", "..")]  # see below: clients and proxies resolve them
    for name in names:
        answer = await exchange.raw("POST", f"course/{quoted(name)}", "root", instructors=json.dumps([name]))
        assert answer.status == 200, name
    listed = await exchange.call("GET", "courses", "root")
    assert listed.body["courses"] == sorted(names)
    for name in names:
        kept = name.strip()  # white space around an argument is dropped, in a path it is kept
        if kept == name:
            assert (await exchange.call("GET", "courses", name)).body["courses"] == [name]
        answer = await exchange.raw("GET", f"instructors/{quoted(name)}", "root")
        assert [person["username"] for person in answer.body["instructors"]] == [name]
    assert _outside(exchange.data) == before
    assert len(list((exchange.data / "courses").iterdir())) == len(names)


async def test_every_name_is_one_assignment_and_one_student(taught: Exchange) -> None:
    names = [name for name in NAMES if name not in (".", "..")]
    people = [{"username": name, "first_name": name, "last_name": "", "email": ""} for name in NAMES]
    answer = await taught.call("POST", "students/c", "kevin", students=json.dumps(people))
    assert [status["success"] for status in answer.body["status"]] == [True] * len(NAMES)
    for name in names:
        files = tree({"f": name.encode()})
        answer = await taught.raw("POST", f"assignment/c/{quoted(name)}", "kevin", files=files)
        assert answer.status == (409 if name == "a" else 200), name
    listed = (await taught.call("GET", "assignments/c", "kevin")).body["assignments"]
    assert listed == ["a", *(name for name in names if name != "a")]
    for name in names:
        if name.strip() != name:
            continue
        assert (await taught.call("POST", "submission/c/a", name, files=tree({"f": name.encode()}))).status == 200
        answer = await taught.raw("GET", f"submission/c/a/{quoted(name)}", "kevin")
        assert contents(answer.body) == {"f": name.encode()}
    listed = (await taught.call("GET", "submissions/c/a", "kevin")).body["submissions"]
    assert {entry["student_id"] for entry in listed} == {name for name in names if name.strip() == name}


@pytest.mark.parametrize("name", [".", ".."])
async def test_dots_are_names_like_others(taught: Exchange, name: str) -> None:
    escaped = name.replace(".", "%2E")
    assert (await taught.raw("POST", f"course/{escaped}", "root")).status in (200, 404)
    people = json.dumps([{"username": name, "first_name": "", "last_name": "", "email": ""}])
    assert (await taught.call("POST", "students/c", "kevin", students=people)).status == 200
    assert (await taught.call("POST", "submission/c/a", name, files=tree({"f": b"1"}))).status == 200
    listed = (await taught.call("GET", "submissions/c/a", "kevin")).body["submissions"]
    assert [entry["student_id"] for entry in listed] == [name]
    assert (taught.data / "courses/c/assignments/a/submissions" / escaped).is_dir()


def quoted(name: str) -> str:
    """Every character of a name that is no letter, percent-encoded."""
    return "".join(f"%{byte:02X}" if not chr(byte).isalnum() or byte > 127 else chr(byte) for byte in name.encode())
