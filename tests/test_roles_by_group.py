"""Roles by the hub's groups, as requests meet them; what real hubs say is in tests/hubs/test_groups_on_hubs.py."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from ngshare_fs.access.groups import GroupPatterns
from ngshare_fs.api.writer.messages import HEAD, pack, unpack
from ngshare_fs.formats.group_pattern import group_pattern_in
from ngshare_fs.settings import CourseCreators
from ngshare_fs.store import Person, Role, Roster, course, errors, roster
from tests.conftest import until
from tests.fallible_hub import user
from tests.signing_in import Service, again, page_of, service, sign_in
from tests.trees import tree

__all__ = ["again", "service"]

SCOPE = "access:services!service=ngshare"
NAMES = {"first_name": "A", "last_name": "B", "email": "a@b"}
FILES = tree({"p.ipynb": b"1"})


def member(name: str, *groups: str, **more: Any) -> dict[str, Any]:
    """What the hub says of somebody who is in these groups."""
    return {**user(name, SCOPE), "groups": list(groups), **more}


@pytest.fixture
async def grouped(service: Service, again: Any) -> Service:
    """A server with patterns, and a course `m` that nobody is in."""
    service.hub.owners |= {
        "teacher": member("teacher", "formgrade-m"),
        "tutor": member("tutor", "m:tutor", "other"),
        "student": member("student", "nbgrader-m"),
        "stranger": member("stranger", "nbgrader-", "nbgrader-n", "m"),
    }
    course.create(service.volume, "m")
    made: Service = await again(
        service,
        instructor_groups=(group_pattern_in("formgrade-{course}"),),
        grader_groups=(group_pattern_in("{course}:tutor"),),
        student_groups=(group_pattern_in("nbgrader-{course}"),),
        course_creators=CourseCreators(frozenset({"student"}), frozenset({"makers"})),
    )
    return made


async def call(at: Service, method: str, path: str, token: str, /, **fields: str) -> tuple[int, Any]:
    """Call an endpoint with a token."""
    in_query = method in ("GET", "DELETE")
    response = await at.client.request(
        method,
        "/services/ngshare/" + path,
        params=fields if in_query else None,
        data=None if in_query else FormData(fields)(),
        headers={"Authorization": f"token {token}"},
    )
    return response.status, await response.json()


def people_of(at: Service, name: str = "m") -> Roster:
    return roster.of(at.volume, name)


def joined(at: Service) -> list[dict[str, str]]:
    """What the journal says of those whom groups have brought."""
    said = "".join(each.read_text() for each in (at.settings.data / "journal/courses/m").iterdir())
    return [line for line in map(json.loads, said.splitlines()) if line["what"] == "join-by-group"]


async def noted(at: Service, name: str, role: Role, in_course: str = "m") -> Person:
    """Wait until somebody is on the roster; their entry."""
    await until(lambda: name in people_of(at, in_course).people(role), f"{name} is noted as {role.value}")
    return people_of(at, in_course).people(role)[name]


async def test_a_course_is_kept_by_groups_alone(grouped: Service) -> None:
    assert (await call(grouped, "POST", "assignment/m/a", "teacher", files=FILES))[0] == 200
    assert (await call(grouped, "GET", "assignment/m/a", "student"))[0] == 200
    assert (await call(grouped, "POST", "submission/m/a", "student", files=FILES))[0] == 200
    status, found = await call(grouped, "GET", "submissions/m/a", "tutor")
    assert (status, [each["student_id"] for each in found["submissions"]]) == (200, ["student"])
    assert (await call(grouped, "DELETE", "assignment/m/a", "tutor"))[0] == 403
    for token, role in (("teacher", "instructor"), ("tutor", "grader"), ("student", "student")):
        (listed,) = (await call(grouped, "GET", "listing", token))[1]["courses"]
        assert (listed["course_id"], listed["role"]) == ("m", role)
        assert (await call(grouped, "GET", "courses", token))[1]["courses"] == ["m"]
    assert (await call(grouped, "GET", "courses", "stranger"))[1]["courses"] == []
    assert (await call(grouped, "GET", "assignments/m", "stranger"))[0] == 403
    # Lists know by now whom the groups have brought, and nobody is anything for good.
    for name, each in (("teacher", Role.INSTRUCTOR), ("tutor", Role.GRADER), ("student", Role.STUDENT)):
        assert (await noted(grouped, name, each)).source == "group"
        assert people_of(grouped).named_role(name) is None
    file = (grouped.settings.data / "courses/m/course.yaml").read_text()
    assert file == (
        "course: m\n"
        "instructors:\n  teacher:\n    from: group\n"
        "graders:\n  tutor:\n    from: group\n"
        "students:\n  student:\n    from: group\n"
    )
    await until(lambda: len(joined(grouped)) == 3, "the journal has them")
    assert sorted((line["by"], line["detail"]) for line in joined(grouped)) == [
        ("student", "student"),
        ("teacher", "instructor"),
        ("tutor", "grader"),
    ]


async def test_whoever_leaves_a_group_is_out_and_their_work_stays(grouped: Service) -> None:
    await call(grouped, "POST", "assignment/m/a", "teacher", files=FILES)
    assert (await call(grouped, "POST", "submission/m/a", "student", files=FILES))[0] == 200
    await noted(grouped, "student", Role.STUDENT)
    grouped.hub.owners["student"] = member("student")
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 403
    assert (await call(grouped, "GET", "courses", "student"))[1]["courses"] == []
    assert (await call(grouped, "POST", "submission/m/a", "student", files=FILES))[0] == 403
    # As anybody who has left, they have their own work, and nothing else.
    status, own = await call(grouped, "GET", "submissions/m/a/student", "student")
    assert (status, len(own["submissions"])) == (200, 1)
    assert len((await call(grouped, "GET", "submissions/m/a", "teacher"))[1]["submissions"]) == 1
    grouped.hub.owners["student"] = member("student", "nbgrader-m")
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 200


async def test_a_mark_that_is_left_behind_shows_no_assignment(grouped: Service) -> None:
    await call(grouped, "POST", "assignment/m/a", "teacher", files=FILES)
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 200
    await noted(grouped, "student", Role.STUDENT)
    grouped.hub.owners["student"] = member("student")
    # The same answer, be there such an assignment or not: as to any stranger.
    for name in ("a", "none"):
        for kind in ("submissions", "submission", "feedback"):
            assert (await call(grouped, "GET", f"{kind}/m/{name}/student", "student"))[0] == 403, (kind, name)
    # For those who teach, whoever is listed can be asked for.
    assert (await call(grouped, "GET", "submissions/m/a/student", "teacher"))[0] == 200


async def test_an_entry_follows_the_role(grouped: Service) -> None:
    await call(grouped, "GET", "assignments/m", "student")
    await noted(grouped, "student", Role.STUDENT)
    roster.change(
        grouped.volume,
        "m",
        lambda people: people.with_people(Role.STUDENT, {"student": Person("S", more={"locker": "7"}, source="group")}),
    )
    grouped.hub.owners["student"] = member("student", "nbgrader-m", "m:tutor")
    assert (await call(grouped, "GET", "students/m", "student"))[0] == 200
    assert await noted(grouped, "student", Role.GRADER) == Person("S", more={"locker": "7"}, source="group")
    assert people_of(grouped).students == {}
    grouped.hub.owners["student"] = member("student", "formgrade-m")
    assert (await call(grouped, "GET", "students/m", "student"))[0] == 200
    await noted(grouped, "student", Role.INSTRUCTOR)
    grouped.hub.owners["student"] = member("student", "nbgrader-m")
    assert (await call(grouped, "GET", "students/m", "student"))[0] == 403
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 200
    await noted(grouped, "student", Role.STUDENT)
    assert people_of(grouped).instructors == {}


async def test_an_entry_by_name_takes_the_place_of_the_mark_and_wins(grouped: Service) -> None:
    await call(grouped, "GET", "assignments/m", "student")
    await noted(grouped, "student", Role.STUDENT)
    assert (await call(grouped, "POST", "student/m/student", "teacher", **NAMES))[0] == 200
    assert people_of(grouped).students["student"] == Person("A", "B", "a@b")
    # By name a student, whatever the groups say, and so for good.
    grouped.hub.owners["student"] = member("student", "formgrade-m")
    assert (await call(grouped, "GET", "students/m", "student"))[0] == 403
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 200
    grouped.hub.owners["student"] = member("student")
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 200
    await call(grouped, "GET", "assignments/m", "tutor")
    await noted(grouped, "tutor", Role.GRADER)  # and with it whoever came before
    assert "student" not in people_of(grouped).instructors


async def test_who_is_entered_by_hand_beside_a_mark_is_listed_once(grouped: Service) -> None:
    """Otherwise `collect` would leave a student's work out, as that of an instructor."""
    file = grouped.settings.data / "courses/m/course.yaml"
    mark = "from: group"
    file.write_text(
        f"course: m\ninstructors:\n  a: {{{mark}}}\n  b: {{{mark}}}\nstudents:\n  a:\n  kevin: {{{mark}}}\n"
    )
    listed = {
        kind: [entry["username"] for entry in (await call(grouped, "GET", f"{kind}/m", "root"))[1][kind]]
        for kind in ("instructors", "graders", "students")
    }
    assert listed == {"instructors": ["b"], "graders": [], "students": ["a", "kevin"]}


async def test_nobody_becomes_an_instructor_for_good_by_a_group(grouped: Service) -> None:
    for wait in (False, True):
        assert (await call(grouped, "POST", "instructor/m/teacher", "teacher", **NAMES))[0] == 200
        entry = await noted(grouped, "teacher", Role.INSTRUCTOR) if wait else people_of(grouped).instructors["teacher"]
        assert entry == Person("A", "B", "a@b", source="group")
    grouped.hub.owners["teacher"] = member("teacher")
    assert (await call(grouped, "GET", "assignments/m", "teacher"))[0] == 403
    assert (await call(grouped, "POST", "instructor/m/teacher", "teacher", **NAMES))[0] == 403
    grouped.hub.owners["teacher"] = member("teacher", "formgrade-m")
    # Only an admin makes an instructor, and only an admin takes one away.
    assert (await call(grouped, "POST", "student/m/teacher", "teacher", **NAMES))[0] == 409
    assert (await call(grouped, "POST", "grader/m/teacher", "teacher", **NAMES))[0] == 409
    assert (await call(grouped, "POST", "instructor/m/teacher", "root", **NAMES))[0] == 200
    assert people_of(grouped).named_role("teacher") is Role.INSTRUCTOR
    assert (await call(grouped, "POST", "instructor/m/teacher", "teacher", **NAMES))[0] == 200
    assert people_of(grouped).named_role("teacher") is Role.INSTRUCTOR


async def test_a_list_is_a_look_and_notes_nobody(grouped: Service) -> None:
    for path in ("courses", "listing", "listing?submissions=all", ""):
        response = await grouped.ask(path, Authorization="token student")
        assert response.status == 200
    await call(grouped, "GET", "assignments/m", "stranger")
    await call(grouped, "GET", "assignments/m", "tutor")
    await noted(grouped, "tutor", Role.GRADER)
    assert people_of(grouped).users() == {"tutor"}


async def test_an_entry_that_was_taken_off_comes_back(grouped: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngshare_fs.api.first_contact.AGAIN_SECONDS", 0.0)
    await call(grouped, "GET", "assignments/m", "student")
    await noted(grouped, "student", Role.STUDENT)
    assert (await call(grouped, "DELETE", "student/m/student", "teacher"))[0] == 200
    await call(grouped, "GET", "assignments/m", "student")
    await noted(grouped, "student", Role.STUDENT)


async def test_a_class_that_comes_at_once_is_written_together(
    grouped: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = []
    mark = roster.mark

    def counted(*args: Any) -> list[str]:
        writes.append(mark(*args))
        return writes[-1]

    monkeypatch.setattr(roster, "mark", counted)
    for number in range(500):
        grouped.hub.owners[f"t{number}"] = member(f"s{number}", "nbgrader-m")
    with grouped.volume.locks.hold("course", "m"):  # the first of them waits, and the rest come meanwhile
        answers = await asyncio.gather(*(call(grouped, "GET", "assignments/m", f"t{number}") for number in range(500)))
    assert {status for status, _ in answers} == {200}
    await until(lambda: sum(map(len, writes)) == 500, "all are noted")
    assert len(people_of(grouped).students) == 500
    assert len(writes) <= 3, [len(each) for each in writes]


async def test_a_volume_that_cannot_be_written_to_keeps_nobody_out(
    grouped: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: Any) -> None:
        raise errors.VolumeReadOnly("Read-only file system")

    monkeypatch.setattr("ngshare_fs.api.first_contact.AGAIN_SECONDS", 0.0)
    with monkeypatch.context() as read_only, caplog.at_level(logging.WARNING):
        read_only.setattr(roster, "mark", refused)
        for token in ("student", "tutor", "student"):
            assert (await call(grouped, "GET", "assignments/m", token))[0] == 200
        await until(lambda: "could not be noted" in caplog.text, "it is told")
    (said,) = [each for each in caplog.messages if "could not be noted" in each]
    assert "course 'm'" in said
    assert "Read-only file system" in said
    await call(grouped, "GET", "assignments/m", "student")
    await noted(grouped, "student", Role.STUDENT)


async def test_a_course_whose_file_is_broken_lets_nobody_in_by_a_group(grouped: Service) -> None:
    folder: Path = grouped.settings.data / "courses/n"
    folder.mkdir()
    (folder / "course.yaml").write_text("course: n\nstudents: [\n")
    grouped.hub.owners["student"] = member("student", "nbgrader-n", "formgrade-n")
    assert (await call(grouped, "GET", "courses", "student"))[1]["courses"] == []
    assert (await call(grouped, "GET", "assignments/n", "student"))[0] == 503
    assert (await call(grouped, "GET", "listing", "student", course="n"))[1]["courses"] == []


async def test_a_file_that_somebody_has_broken_stays_as_it_is(
    grouped: Service, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await call(grouped, "GET", "assignments/m", "stranger"))[0] == 403  # it is understood by now
    file = grouped.settings.data / "courses/m/course.yaml"
    broken = "course: m\nstudents: [\n"
    file.write_text(broken)
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 200
    await until(lambda: "could not be noted" in caplog.text, "it is told")
    assert file.read_text() == broken


async def test_a_stop_waits_for_those_who_are_being_noted(grouped: Service) -> None:
    with grouped.volume.locks.hold("course", "m"):
        for token in ("student", "tutor"):
            assert (await call(grouped, "GET", "assignments/m", token))[0] == 200
        stopping = asyncio.create_task(grouped.client.close())
        await asyncio.sleep(0)
    await stopping
    assert people_of(grouped).users() == {"student", "tutor"}


async def test_a_course_that_names_its_groups_heeds_no_pattern(grouped: Service) -> None:
    file = grouped.settings.data / "courses/m/course.yaml"
    file.write_text("course: m\ninstructors:\n  kevin:\ngroups:\n  graders: other\n")
    assert (await call(grouped, "GET", "assignments/m", "student"))[0] == 403
    assert (await call(grouped, "GET", "assignments/m", "teacher"))[0] == 403
    assert (await call(grouped, "GET", "students/m", "tutor"))[0] == 200
    await noted(grouped, "tutor", Role.GRADER)
    assert "groups:\n  graders: other\n" in file.read_text()


async def test_names_come_with_the_first_contact(grouped: Service) -> None:
    info = {"given_name": "Stu", "family_name": "Dent", "email": "s@x", "name": "Stu Dent"}
    grouped.hub.owners["student"] = member("student", "nbgrader-m", user_info=info)
    await call(grouped, "GET", "assignments/m", "student")
    assert await noted(grouped, "student", Role.STUDENT) == Person("Stu", "Dent", "s@x", source="group")
    (entry,) = (await call(grouped, "GET", "students/m", "teacher"))[1]["students"]
    assert entry == {"username": "student", "first_name": "Stu", "last_name": "Dent", "email": "s@x"}


async def test_a_browser_has_the_same_roles(grouped: Service) -> None:
    session = (await sign_in(grouped, "tutor")).partition(";")[0]
    assert "<td>grader</td>" in await page_of(grouped, session)
    grouped.hub.owners["tutor"] = member("tutor")
    assert "None yet" in await page_of(grouped, session)


async def test_without_patterns_groups_are_nothing(service: Service) -> None:
    course.create(service.volume, "m")
    service.hub.owners["student"] = member("student", "nbgrader-m", "formgrade-m", "m")
    assert (await call(service, "GET", "assignments/m", "student"))[0] == 403
    assert people_of(service).users() == set()


async def test_the_process_that_writes_knows_the_groups(grouped: Service) -> None:
    """What it is sent says all that decides: the same answer there and here."""
    groups = GroupPatterns.configured(grouped.settings).understand(frozenset({"nbgrader-m", "m:tutor"}))
    sent = unpack(bytes(pack(1, groups))[HEAD.size :])
    assert sent == groups
    assert sent.role_in("m", people_of(grouped)) is Role.GRADER


# Who may make courses


async def test_whoever_may_make_courses_becomes_their_instructor(grouped: Service) -> None:
    grouped.hub.owners["maker"] = member("maker", "makers")
    for token, name in (("maker", "by group"), ("student", "by name")):
        assert (await call(grouped, "POST", f"course/{name}", token))[0] == 200
        assert list(people_of(grouped, name).instructors) == [grouped.hub.owners[token]["name"]]
        assert people_of(grouped, name).named_role(grouped.hub.owners[token]["name"]) is Role.INSTRUCTOR
        assert (await call(grouped, "POST", f"course/{name}", token))[0] == 409
        assert (await call(grouped, "DELETE", f"course/{name}", token))[0] == 403
    status, answer = await call(grouped, "POST", "course/x", "maker", instructors='["maker"]')
    assert status == 200
    status, answer = await call(grouped, "POST", "course/y", "maker", instructors='["maker", "friend"]')
    assert (status, answer["message"]) == (403, "Permission denied (only an admin may name other instructors)")
    assert not course.exists(grouped.volume, "y")
    # Nothing else comes with it, nor with the group once it is left.
    assert (await call(grouped, "GET", "assignments/m", "maker"))[0] == 403
    assert (await call(grouped, "POST", "instructor/x/friend", "maker", **NAMES))[0] == 400
    grouped.hub.owners["maker"] = member("maker")
    assert (await call(grouped, "POST", "course/z", "maker"))[0] == 403
    assert (await call(grouped, "GET", "assignments/x", "maker"))[0] == 200
    assert (await call(grouped, "POST", "course/z", "tutor"))[0] == 403
    assert "You may create one" not in await (await grouped.ask("", Authorization="token stranger")).text()
    grouped.hub.owners["maker2"] = member("maker2", "makers")
    assert "You may create one" in await (await grouped.ask("", Authorization="token maker2")).text()
