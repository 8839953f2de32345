"""One thing of a volume cannot be read, or is a pipe or a link: only what needs it is refused, and nobody waits."""

import json
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from tests.servers import Server, running
from tests.volumes import ASSIGNMENT, COURSE, INSTRUCTOR, STUDENT, Plain, write_course, write_release, write_submission

OTHER = "other"
# Within this time a request is answered that waits for nobody, and a server stops that does not wait for what is under
# way; on a busy machine, too.
AT_ONCE_SECONDS = 30


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Plain]:
    """A volume with two courses of the same people."""
    made = Plain(tmp_path / "volume")
    other = write_course(made.root, OTHER, [INSTRUCTOR], [STUDENT])
    for name in ("a1", "a2"):
        write_release(other, (OTHER, name), INSTRUCTOR, "2020-01-30 10:30:47.524219 UTC", {"p.ipynb": b"{}\n"})
    yield made
    for above, folders, _ in os.walk(made.root):
        for folder in folders:
            if not Path(above, folder).is_symlink():
                Path(above, folder).chmod(0o700)  # else it could not be removed


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter for which modes count, even for root."""
    if os.geteuid() != 0:
        return sys.executable
    if not shutil.which("setpriv"):
        pytest.skip("for root modes do not count, and setpriv (util-linux) is missing")
    wrapper = tmp_path_factory.mktemp("unprivileged") / "python"
    taken = "-dac_override,-dac_read_search"
    wrapper.write_text(f'#!/bin/sh\nexec setpriv --inh-caps={taken} --bounding-set={taken} {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    return str(wrapper)


def get(server: Server, path: str, user: str, **fields: str) -> tuple[int, Any]:
    return send(server, "GET", path, user, **fields)


def send(server: Server, method: str, path: str, user: str, **fields: str) -> tuple[int, Any]:
    url = f"{server.url}{quote(path)}?{urlencode({'user': user, **fields})}"
    try:
        with urlopen(Request(url, method=method), timeout=AT_ONCE_SECONDS) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def listed(server: Server, user: str) -> dict[str, Any]:
    status, body = get(server, "listing", user, submissions="all")
    assert status == 200, body
    return {course["course_id"]: course for course in body["courses"]}


def clear(place: Path) -> None:
    shutil.rmtree(place) if place.is_dir() else place.unlink()


def closed(place: Path) -> None:
    place.chmod(0)


def a_file(place: Path) -> None:
    clear(place)
    place.write_text("not a folder")


def a_folder(place: Path) -> None:
    clear(place)
    place.mkdir()


def a_pipe(place: Path) -> None:
    clear(place)
    os.mkfifo(place)


def a_loop(place: Path) -> None:
    clear(place)
    place.symlink_to(place.name)


Damage = Callable[[Path], None]
A1, A2 = "assignments/a1", "assignments/a2"
TREE = "releases/20200130T103047.524219Z"
MANIFEST = f"{A1}/{TREE}/manifest.yaml"
OF_THE_COURSE = [
    (closed, "course.yaml"),
    (closed, "assignments"),
    (a_folder, "course.yaml"),
    (a_pipe, "course.yaml"),
    (a_loop, "course.yaml"),
    (a_file, "assignments"),
]
OF_ONE_ASSIGNMENT = [
    (closed, A1),
    (closed, f"{A1}/releases"),
    (closed, MANIFEST),
    (a_folder, MANIFEST),
    (a_pipe, MANIFEST),
    (a_loop, MANIFEST),
    (a_loop, f"{A1}/releases"),
]


@pytest.mark.parametrize(("damage", "place"), [*OF_THE_COURSE, *OF_ONE_ASSIGNMENT])
def test_what_cannot_be_read_hides_nothing_else(plain: Plain, python: str, damage: Damage, place: str) -> None:
    with running(plain.root, python=python) as server:
        before = listed(server, "root")
        assert [course["problem"] for course in before.values()] == [None, None]
        damage(plain.root / "courses" / OTHER / place)
        for user in (INSTRUCTOR, STUDENT, "root"):
            found = listed(server, user)
            assert found[COURSE]["assignments"] == before[COURSE]["assignments"]
            assert found[COURSE]["problem"] is None
            problem = found[OTHER]["problem"]
            if user == STUDENT:
                assert problem is None
            else:
                # The place, or what was to be found below it.
                assert problem.startswith(f"courses/{OTHER}/{place}")
                assert str(plain.root) not in problem
            if place.startswith(A1):
                moments = {each["assignment_id"]: each["timestamp"] for each in found[OTHER]["assignments"]}
                # Where its dates cannot be looked at either, it may not be time for students to see it.
                is_hidden = user == STUDENT and place == A1
                assert moments == {**({} if is_hidden else {"a1": None}), "a2": "2020-01-30 10:30:47.524219 UTC"}
                assert get(server, f"assignment/{OTHER}/a2", user)[0] == 200
            assert get(server, f"assignment/{COURSE}/{ASSIGNMENT}", user)[0] == 200
            assert get(server, "courses", user) == (200, {"success": True, "courses": [COURSE, OTHER]})
        assert get(server, "readyz", "root")[0] == 200


@pytest.mark.parametrize(
    ("damage", "place"), [(closed, ""), (closed, "course.yaml"), (a_folder, "course.yaml"), (a_pipe, "course.yaml")]
)
def test_admins_see_a_course_that_could_never_be_read(plain: Plain, python: str, damage: Damage, place: str) -> None:
    damage(plain.root / "courses" / OTHER / place)
    with running(plain.root, python=python) as server:
        found = listed(server, "root")
        assert list(found) == [COURSE, OTHER]
        assert f"courses/{OTHER}/course.yaml: cannot be read: " in found[OTHER]["problem"]
        assert get(server, "courses", "root")[1]["courses"] == [COURSE, OTHER]
        assert list(listed(server, INSTRUCTOR)) == [COURSE]
        status, answer = get(server, f"students/{OTHER}", "root")
        assert (status, answer["message"].partition(";")[0]) == (503, "Course data cannot be read")
        with urlopen(f"{server.url}?user=root", timeout=AT_ONCE_SECONDS) as page:
            assert "cannot be read: " in page.read().decode()


@pytest.mark.parametrize(
    ("damage", "place"), [(closed, "assignments"), (a_folder, "course.yaml"), (a_file, "assignments")]
)
def test_debug_mode_dumps_and_clears_what_else_there_is(plain: Plain, python: str, damage: Damage, place: str) -> None:
    damage(plain.root / "courses" / OTHER / place)
    with running(plain.root, "--debug", python=python) as server:
        status, dumped = get(server, "initialize-Data6ase", "root", action="dump")
        assert (status, [course["id"] for course in dumped["courses"]]) == (200, [COURSE])
        assert get(server, "initialize-Data6ase", "root", action="clear")[0] == 200
        assert list((plain.root / "courses").iterdir()) == []


def test_a_course_that_cannot_be_read_is_not_made_anew(plain: Plain, python: str) -> None:
    a_folder(plain.root / "courses" / OTHER / "course.yaml")
    closed(plain.root / "courses" / COURSE)
    with running(plain.root, python=python) as server:
        for course in (COURSE, OTHER):
            status, answer = send(server, "POST", f"course/{course}", "root")
            assert (status, answer["message"]) == (409, "Course already exists")


def test_nobody_waits_for_a_pipe(plain: Plain) -> None:
    other = plain.root / "courses" / OTHER
    a_pipe(plain.course / "course.yaml")
    a_pipe(other / A1 / TREE / "files/p.ipynb")
    a_pipe(other / A2 / TREE / "manifest.yaml")
    with running(plain.root) as server:
        paths = ("listing", f"students/{COURSE}", f"assignment/{OTHER}/a1", f"assignment/{OTHER}/a2") * 10
        with ThreadPoolExecutor(len(paths)) as clients:
            statuses = list(clients.map(lambda path: get(server, path, INSTRUCTOR)[0], paths))
        assert statuses == [200, 503, 500, 503] * 10
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(AT_ONCE_SECONDS) == 0
        assert time.monotonic() - started < AT_ONCE_SECONDS


def test_one_file_that_cannot_be_read_ends_no_collection(plain: Plain, python: str) -> None:
    """Large or small, the others' work is sent."""
    people = [f"s{number}" for number in range(6)]
    moment = "2020-01-31 09:00:00.000001 UTC"
    content = {"small.txt": b"x", "large.bin": bytes(300_000), "data/x.csv": b"x"}
    for person in people:
        write_submission(plain.root / "courses" / OTHER, (OTHER, "a1"), person, moment, content)
    submissions = plain.root / "courses" / OTHER / A1 / "submissions"
    (damaged,) = submissions.glob("s1/*/files/small.txt")
    closed(damaged)
    (damaged,) = submissions.glob("s2/*/files/large.bin")
    closed(damaged)
    (damaged,) = submissions.glob("s3/*/files/data")
    closed(damaged)
    (damaged,) = submissions.glob("s4/*/files/data/x.csv")
    a_pipe(damaged)
    with running(plain.root, python=python) as server:
        url = f"{server.url}collection/{OTHER}/a1?user={INSTRUCTOR}"
        with urlopen(Request(url, method="POST"), timeout=AT_ONCE_SECONDS) as answer:
            *lines, last = [json.loads(line) for line in answer.read().splitlines()]
    assert last == {"success": True, "submissions": 6}
    assert {line["student_id"]: line["success"] for line in lines} == {
        "s0": True, "s1": False, "s2": False, "s3": False, "s4": False, "s5": True
    }  # fmt: skip


def test_no_link_below_files_is_followed(plain: Plain, tmp_path: Path) -> None:
    secret = b"{}\n"  # of the same size as what the manifest promises
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "p.ipynb").write_bytes(secret)
    (outside / "x.csv").write_bytes(b"x\n1\n")
    other = plain.root / "courses" / OTHER
    file = other / A1 / TREE / "files/p.ipynb"
    file.unlink()
    file.symlink_to(outside / "p.ipynb")
    files = other / A2 / TREE / "files"
    shutil.rmtree(files)
    files.symlink_to(outside)
    (data,) = (plain.course / "assignments" / ASSIGNMENT / "releases").glob("*/files/data")
    assert stat.S_ISDIR(data.lstat().st_mode)
    shutil.rmtree(data)
    data.symlink_to(outside)
    with running(plain.root) as server:
        for path in (f"{OTHER}/a1", f"{OTHER}/a2", f"{COURSE}/{ASSIGNMENT}"):
            status, answer = get(server, f"assignment/{path}", INSTRUCTOR)
            assert (status, answer["message"]) == (500, "Stored files are damaged"), path
        assert "a symbolic link, not a file" in server.log


def test_no_start_waits_for_a_pipe(plain: Plain) -> None:
    a_pipe(plain.root / "ngshare.yaml")
    with pytest.raises(AssertionError, match="a named pipe, not a file"), running(plain.root):
        pass
