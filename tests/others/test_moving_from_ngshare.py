"""A move from the released ngshare: every GET is answered as before; live, with a hub's token; in mid-term."""

import asyncio
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from examples.whole_cycle import cycle as with_plug_ins
from examples.whole_cycle import environments
from examples.whole_cycle.cycle import ASSIGNMENT, CONFIGURATION, Cycle, Submission
from examples.whole_cycle.people import Person
from tests.fallible_hub import FallibleHub, user
from tests.fork_server import fork_server
from tests.nbgrader.people import MODULES, OF_NBGRADER, forking
from tests.operators.ngshare_content import make, reading_calls
from tests.operators.old_ngshare import Outcome, run
from tests.others.calls import Call, Side, comparable
from tests.others.ngshare_reference import NotInstallable, python, running_ngshare
from tests.others.old_client import environment
from tests.others.old_client.steps import STEPS
from tests.servers import running
from tests.verifying import codes

pytestmark = [pytest.mark.others, pytest.mark.long]

VERSIONS = ("0.6.0", "0.5.3", "0.5.0")
OLD_CONFIGURATION = Path(__file__).parent / "old_client" / "nbgrader_config.py"
# What we add to answers, which clients of ngshare leave alone.
MORE = {"timestamp", "newest_submission", "dates"}


class Exact(dict[str, str]):
    """Timestamps stay as they are: they have to be the same to the microsecond."""

    def setdefault(self, moment: str, _: str = "") -> str:
        return moment


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    try:
        python(request.param)
    except NotInstallable as error:
        pytest.skip(str(error))
    return str(request.param)


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the newest release."""
    folder = tmp_path_factory.mktemp("newest") / "old"
    make(folder)
    return folder


@pytest.fixture(scope="module")
def filled(version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an ngshare that has run, and is stopped."""
    folder = tmp_path_factory.mktemp("ngshare") / "old"
    make(folder, version)
    return folder


def move(folder: Path, data: Path, *options: str) -> Outcome:
    words = ["--database", str(folder / "ngshare.db"), "--storage", str(folder / "files"), "--data", str(data)]
    return run("import", "ngshare", *words, *options, "--json")


def difference(call: Call, theirs: Any, ours: Any) -> str:
    """Why two answers differ, where they may; see docs/moving-in.md."""
    if theirs.outcome == "404 Student not found" and "left" in call.path and ours.status == 200:
        return "work of somebody who left the course"
    if theirs.outcome == "403 Permission denied" and call.path[0] == "submission" and call.user == call.path[-1]:
        return "one's own work"
    if "odd" in call.path:
        return "the same path twice, and a file that is a folder"
    return ""


def compare(old: Side, new: Side) -> Counter[str]:
    """Ask both for everything; how many answers were the same, and why others were not."""
    found: Counter[str] = Counter()
    for call in reading_calls(old):
        theirs, ours = old.ask(call), new.ask(call)
        bodies = [comparable(answer.body, Exact()) for answer in (theirs, ours)]
        if call.path[0] == "assignment":
            bodies[1] = {key: value for key, value in bodies[1].items() if key not in MORE}
        is_same = theirs.outcome == ours.outcome and bodies[0] == bodies[1]
        reason = "" if is_same else difference(call, theirs, ours)
        assert is_same or reason, f"{call}\n{theirs.outcome} {bodies[0]}\n{ours.outcome} {bodies[1]}"
        found[reason or "the same"] += 1
    return found


def test_every_answer_is_the_same(filled: Path, version: str, tmp_path: Path) -> None:
    outcome = move(filled, tmp_path / "data")
    assert [problem["code"] for problem in outcome.document["problems"] if not problem["is_note"]] == ["file-unusable"]
    assert codes(tmp_path / "data") == []
    with running_ngshare(filled, "--vngshare", version=version) as old, running(tmp_path / "data") as new:
        found = compare(Side(old.url), Side(new.url))
    assert len(found) == 4, found
    assert found["the same"] > 1000


def test_a_live_move_is_the_same(newest: Path, tmp_path: Path) -> None:
    with running_ngshare(newest, "--vngshare") as old:
        words = ["--from-url", old.url, "--user", "root", "--data", str(tmp_path / "data"), "--json"]
        foreseen = run("import", "ngshare", *words, "--dry-run", code=1)
        assert not (tmp_path / "data").exists()
        outcome = run("import", "ngshare", *words, code=1)
        # Who has left the course is in the database alone: by its API, ngshare gives nothing of theirs.
        (lost,) = outcome.problems("not-given")
        assert re.fullmatch(r"NBG 101 / ps2 / left / .* UTC", lost)
        for course in outcome.document["courses"]:
            expected = next(each for each in foreseen.document["courses"] if each["course"] == course["course"])
            for kind in ("people", "releases", "submissions", "feedback"):
                assert course[kind]["new"] == expected[kind]["new"]
        again = run("import", "ngshare", *words, code=1)
        assert not any(course["submissions"]["new"] for course in again.document["courses"])
        # Students lose nothing by it: what lacks comes from the database afterwards.
        assert move(newest, tmp_path / "data").new("NBG 101") == (0, 0, 1, 1)
        with running(tmp_path / "data") as new:
            assert len(compare(Side(old.url), Side(new.url))) == 4
    assert codes(tmp_path / "data") == []


def test_what_a_live_server_cannot_give_is_named(newest: Path, tmp_path: Path) -> None:
    """ngshare answers 500 where one of the files is missing on its disk."""
    broken = tmp_path / "broken"
    shutil.copytree(newest, broken)
    for file in (broken / "files").iterdir():
        if file.read_bytes() in (b"\xff\x00" * 99, b"<p>hm"):
            file.unlink()
    with running_ngshare(broken, "--vngshare") as old:
        words = [
            "--from-url",
            old.url,
            "--user",
            "root",
            "--data",
            str(tmp_path / "data"),
            "--course",
            "NBG 101",
            "--json",
        ]
        outcome = run("import", "ngshare", *words, code=1)
    wrong = [place.rpartition(" / ")[2] for place in outcome.problems("file-unusable")]
    assert {"empty", "a"} <= set(wrong), "the whole tree cannot be had"
    assert outcome.course("NBG 101")["submissions"]["left_out"] == 2, "this one, and that of who left"
    assert codes(tmp_path / "data") == []


async def test_a_live_move_needs_an_admins_token(tmp_path: Path) -> None:
    """ngshare as the service of a hub, which says whose a token is."""
    hub = FallibleHub(owners={"admins-token": user("root"), "teachers-token": user("kevin"), "his": user("lawrence")})
    folder = tmp_path / "old"
    await asyncio.to_thread(make, folder)
    async with TestServer(hub.application()) as server:
        hub.url = str(server.make_url("/")).rstrip("/")
        with running_ngshare(folder, JUPYTERHUB_API_URL=f"{hub.url}/hub/api") as old:

            def from_url(token: str, name: str, code: int) -> Outcome:
                file = tmp_path / "token"
                file.write_text(f"{token}\n")
                words = ["--from-url", old.url, "--token-file", str(file), "--data", str(tmp_path / name), "--json"]
                return run("import", "ngshare", *words, code=code)

            outcome = await asyncio.to_thread(from_url, "admins-token", "admin", 1)
            assert outcome.new("NBG 101") == (5, 4, 8, 2)
            outcome = await asyncio.to_thread(from_url, "teachers-token", "teacher", 1)
            assert [each["course"] for each in outcome.document["courses"]] == ["NBG 101", "Übung + 1 @ä"]
            outcome = await asyncio.to_thread(from_url, "his", "student", 1)
            assert "this needs the token of an admin" in outcome.document["problems"][0]["message"]
            outcome = await asyncio.to_thread(from_url, "unknown", "nobody", 2)
            assert "does not know this token" in outcome.err or "refuses" in outcome.err
            assert "unknown" not in outcome.err


@contextmanager
def courses_at(url: str, people: tuple[Person, ...]) -> Iterator[None]:
    """Everybody's nbgrader asks this server from here on."""
    for person in people:
        person._environment["NGSHARE_URL"] = url
    yield


def submit(cycle: Cycle, student: Person, remark: str) -> None:
    """As ngshare answers, which names no zone."""
    work = cycle.work_of(student)
    (work / with_plug_ins.OWN_FILE).write_text(f"{student.name}: {remark}\n", encoding="utf-8")
    printed = student.run("nbgrader", "submit", ASSIGNMENT, "--course", cycle.course)
    answer = re.search(rf"{ASSIGNMENT} (\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{6}})$", printed, re.MULTILINE)
    assert answer, printed
    cycle.submissions[student.name].append(Submission(answer[1], {}))


def test_a_course_moves_in_the_middle_of_a_term(tmp_path: Path) -> None:
    """Caches that the old client has filled at ngshare: what students fetch with them afterwards, from us."""
    nbgrader = environment.programs()
    run_program = forking(fork_server(nbgrader / "python", *OF_NBGRADER))
    with running_ngshare(tmp_path / "old", "--vngshare") as old:
        cycle = Cycle(old.url, tmp_path / "people", nbgrader, configuration=OLD_CONFIGURATION, run_program=run_program)
        names = [step.__name__ for step in STEPS]
        cycle.run(STEPS[: names.index("submit_first_try")])
        for remark in ("first", "second"):
            for student in cycle.students:
                submit(cycle, student, remark)
        cycle.teach("nbgrader", "collect", ASSIGNMENT)
        for student in cycle.students:
            folder = cycle.course_folder / "feedback" / student.name / ASSIGNMENT
            folder.mkdir(parents=True)
            # What `nbgrader generate_feedback` leaves there, which need not be run for this.
            (folder / "timestamp.txt").write_text(cycle.submissions[student.name][-1].timestamp)
            for name in with_plug_ins.FEEDBACK:
                (folder / name).write_text(f"<p>well done, {student.name}</p>")
        cycle.teach("nbgrader", "release_feedback", ASSIGNMENT)
    outcome = move(tmp_path / "old", tmp_path / "data", "--course", cycle.course)
    assert (outcome.code, outcome.new(cycle.course)) == (0, (3, 1, 4, 2))

    people = (cycle.instructor, *cycle.students)
    with running(tmp_path / "data") as server, courses_at(server.url, people):
        # The old client asks for the feedback on each submission in its cache, by its timestamp.
        cycle.zoë.run("nbgrader", "fetch_feedback", ASSIGNMENT, "--course", cycle.course)
        _, second = cycle.submissions[cycle.zoë.name]
        page = cycle.work_of(cycle.zoë) / "feedback" / second.timestamp / "problem1.html"
        assert page.read_text() == f"<p>well done, {cycle.zoë.name}</p>"

        # The others get our plug-ins, and have the same homes.
        programs = environments.for_plug_ins()
        ours = forking(fork_server(programs / "python", *MODULES))
        for person in (cycle.instructor, cycle.max):
            person._programs, person._run_program = programs, ours
            person._environment["PATH"] = person._environment["PATH"].replace(str(nbgrader), str(programs))
            (person.home / ".jupyter" / "nbgrader_config.py").write_bytes(CONFIGURATION.read_bytes())
        listed = with_plug_ins._listed(cycle, cycle.max.run("nbgrader", "list", "--cached"))
        first, second = cycle.submissions[cycle.max.name]
        start = f"{cycle.course} {cycle.max.name} {ASSIGNMENT}"
        assert listed == [
            f"{start} {first.timestamp} UTC (no feedback available)",
            f"{start} {second.timestamp} UTC (feedback ready to be fetched)",
        ]
        cycle.max.run("nbgrader", "fetch_feedback", ASSIGNMENT, "--course", cycle.course)
        page = cycle.work_of(cycle.max) / "feedback" / f"{second.timestamp} UTC" / "problem1.html"
        assert page.read_text() == f"<p>well done, {cycle.max.name}</p>"
        cycle.teach("nbgrader", "collect", "--update", ASSIGNMENT)
        entries = json.loads(cycle.max.run("nbgrader", "list", "--cached", "--json", "--quiet"))
        assert len(entries) == 1
        cycle.max.run("nbgrader", "list", "--cached", "--remove", ASSIGNMENT, "--course", cycle.course)
        assert with_plug_ins._listed(cycle, cycle.max.run("nbgrader", "list", "--cached")) == []
