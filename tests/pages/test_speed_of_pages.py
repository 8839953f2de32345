"""What a page of a large course takes in the server: a course of 2,000 students, twelve assignments."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.formats.civil_time import moment_at
from ngshare_fs.store import Person, course, feedback, release, roster, submission
from ngshare_fs.store.dates import now
from tests.conftest import Exchange
from tests.pages.browsing import Browser
from tests.stores import upload

STUDENTS = 2000
# A page takes some tens of milliseconds; of processor time, whatever else the machine does; one that looked at each
# student's folders anew would take seconds.
SECONDS = 1.0
TIMESTAMP = "20260101T000000.000000Z"


@pytest.fixture(params=[2, pytest.param(10, marks=pytest.mark.long)])
async def large(request: pytest.FixtureRequest, exchange: Exchange) -> Exchange:
    """Such a course, with submissions to the last ones; of them, the folders alone, as lists look at them."""
    volume = exchange.volume
    course.create(volume, "c", ["kevin"])
    names = [f"student{number:04}" for number in range(STUDENTS)]
    roster.set_students(volume, "c", [(name, Person("A", "B", "a@b")) for name in names])
    due = moment_at(now().replace(microsecond=0) + timedelta(days=1), "UTC")
    for number in range(12):
        with upload(volume, f=b"1") as files:
            release.release(volume, "c", f"a{number}", "kevin", files, changes={"due": due})
        if number >= 12 - request.param:
            folder = Path(exchange.data) / f"courses/c/assignments/a{number}/submissions"
            for name in names:
                (folder / name / TIMESTAMP).mkdir(parents=True)
    return exchange


async def measure(browser: Browser, path: str, user: str, names: dict[str, str]) -> None:
    """Look at a page, and see that it does not take too long."""
    taken = []
    for _ in range(4):  # the first one fills what is kept in memory
        started = time.process_time()
        assert (await browser.look(path, user, names)).status == 200
        taken.append(time.process_time() - started)
    print(f"{path or 'home':45} {user:12} first {taken[0] * 1000:6.1f} ms, then {min(taken) * 1000:5.1f} ms")
    assert min(taken) < SECONDS, (path, user, taken)


def hand_in(large: Exchange, student: str, assignment: str) -> None:
    """Hand in 25 times, 30 files each, with feedback on each."""
    work = (large.volume, "c", assignment, student)
    for _ in range(25):
        with upload(large.volume, **{f"f{number}.ipynb": b"1" for number in range(30)}) as files:
            moment = submission.submit(*work, files)
        with upload(large.volume, **{"f.html": b"1"}) as files:
            feedback.give(*work, moment, "kevin", files)


async def test_a_page_of_2000_students_is_there_at_once(large: Exchange) -> None:
    browser = Browser(large)
    for path, names in (
        ("", {}),
        ("pages/course/{course}", {"course": "c"}),
        ("pages/assignment/{course}/{assignment}", {"course": "c", "assignment": "a11"}),
        ("pages/manage/{course}/{assignment}", {"course": "c", "assignment": "a11"}),
        ("pages/extensions/{course}/{assignment}", {"course": "c", "assignment": "a11"}),
        ("pages/roster/{course}", {"course": "c"}),
        ("pages/hand-in/{course}/{assignment}", {"course": "c", "assignment": "a11"}),
        ("pages/class/{course}", {"course": "c"}),
        ("pages/student/{course}/{user}", {"course": "c", "user": "student0007"}),
        ("pages/collect/{course}/{assignment}", {"course": "c", "assignment": "a11"}),
    ):
        is_for_graders = path.startswith(
            ("pages/class", "pages/student", "pages/collect", "pages/manage", "pages/extensions", "pages/roster")
        )
        for user in ("kevin",) if is_for_graders else ("student0007", "kevin", "root"):
            await measure(browser, path, user, names)
    for number in (10, 11):
        hand_in(large, "student0007", f"a{number}")
    names = {"course": "c", "assignment": "a11", "user": "student0007"}
    for path in (
        "pages/submissions/{course}/{assignment}/{user}",
        "pages/receipt/{course}/{assignment}/{user}",
        "pages/feedback/{course}",
    ):
        await measure(browser, path, "student0007", names)
