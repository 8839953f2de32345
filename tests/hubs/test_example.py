"""The example of a hub starts with one command, and its demo goes as its page says, in a real browser."""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from examples.environments import REPOSITORY
from examples.jupyterhub.environment import installed
from tests.hubs.client import call
from tests.hubs.conftest import with_a_browser
from tests.hubs.jupyterlab import Lab, log_in, start_server, stop_server
from tests.hubs.nbgrader_pages import AssignmentList, Formgrader
from tests.hubs.running import free_address, kept

pytestmark = [pytest.mark.hubs, pytest.mark.long, with_a_browser]

START_SECONDS = 90
# As the example has it: the port that is named, and three more.
PORTS, FIRST_PORT = 4, 18000
COURSE, ASSIGNMENT, NOTEBOOK, STUDENT = "course1", "ps1", "problem1", "lawrence"
SOLUTION = "def answer():\n    ### BEGIN SOLUTION\n    return 42\n    ### END SOLUTION"
COMMENT = "Well done, Lawrence"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example keeps everything."""
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def example(with_proxy: None, folder: Path) -> Iterator[str]:
    """The address of the example's hub."""
    installed()  # beforehand: the first time, it takes minutes
    log_file = folder.with_suffix(".log")
    address, ports = free_address(PORTS, FIRST_PORT)
    where = ["--address", address, "--port", str(ports[0]), "--folder", str(folder)]
    hub = f"http://{address}:{ports[0]}/"
    command = [str(REPOSITORY / "examples/jupyterhub/start"), *where]
    # With another Python, it would make another environment.
    with kept(command, log_file, environment={**os.environ, "PYTHON": sys.executable}) as process:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(hub + "services/ngshare/healthz"):
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.1)
        yield hub
    # The hub may stumble over the service's end while it looks after it, and nbgrader logs what a plug-in refuses.
    assert not re.search(r'Traceback .*(\n\s.*)*/ngshare_fs/(?!exchange/)[a-z_/]+\.py"', log_file.read_text())


def _answers(url: str) -> bool:
    try:
        return call("GET", url).status == 200
    except OSError:
        return False


async def test_the_demo(browser: Browser, example: str, folder: Path) -> None:
    """Every step of the example's page, by the buttons that it names, and what else may happen on the way.

    The comments have the steps' numbers.
    """
    home = folder / "homes" / STUDENT
    await _fill_the_exchange(await log_in(browser, example, "user"))  # 1, 2
    kevin, formgrader = await _make_an_assignment(await log_in(browser, example, "kevin"))  # 5
    lawrence, assignments = await _open_the_list(await log_in(browser, example, STUDENT))  # 15
    await _be_refused_a_fetch(home, assignments)
    await _do_the_homework(lawrence, assignments)
    await _fail_to_submit(home, assignments)
    await _submit(assignments)
    await _take_back_and_release_again(formgrader, assignments)
    await _grade(kevin, formgrader)  # 20
    await _read_the_feedback(lawrence, assignments)  # 27


async def _fill_the_exchange(page: Page) -> None:
    lab = await start_server(page)
    page = await lab.hub_control_panel()  # 3
    await page.get_by_text("Services").click()
    await page.get_by_role("link", name="ngshare").click()
    await page.get_by_text("init with test data").click()  # 4
    await expect(page.locator("body")).to_contain_text("done")
    await page.go_back()
    await page.get_by_text("dump").click()
    for word in (COURSE, "course2", "kevin", STUDENT, "challenge"):
        await expect(page.get_by_role("cell", name=word, exact=True).first).to_be_visible()


async def _make_an_assignment(page: Page) -> tuple[Lab, Formgrader]:
    lab = await start_server(page)
    await lab.create("Text File", "nbgrader_config.py")  # 6
    await lab.editor.fill(f'c = get_config()\nc.CourseDirectory.course_id = "{COURSE}"\n')
    await lab.save()
    page = await lab.hub_control_panel()  # 7
    await stop_server(page)
    lab = await start_server(page)  # 8

    await lab.choose("Nbgrader", "Formgrader")  # 9
    formgrader = Formgrader(lab)
    await formgrader.add("assignment", "name", ASSIGNMENT)  # 10
    await expect(formgrader.row(ASSIGNMENT)).to_contain_text("draft")
    await formgrader.row(ASSIGNMENT).get_by_role("link", name=ASSIGNMENT).click()  # 11
    await expect(lab.folder).to_contain_text(ASSIGNMENT)

    await lab.create("Notebook", f"{NOTEBOOK}.ipynb")  # 12
    await lab.cells.fill(SOLUTION)
    await lab.add_cell()
    await lab.cells.nth(1).fill("assert answer() == 42")
    await lab.open_tab("Create Assignment")
    for number, kind in enumerate(("Autograded answer", "Autograded tests")):
        await lab.parts.nth(number).get_by_label("Type").select_option(kind)
        await lab.parts.nth(number).get_by_label("ID").fill(f"part{number}")
    await lab.parts.nth(1).get_by_label("Points").fill("3")
    await lab.cells.nth(1).click()
    await expect(lab.page.get_by_label("Total points")).to_have_value("3")
    await lab.save()

    await lab.open_tab("Formgrader")
    assert "created the student version" in await formgrader.press(ASSIGNMENT, "Generate")  # 13
    await formgrader.open_column(ASSIGNMENT, "Preview")
    await expect(lab.folder).to_contain_text("release")
    await lab.open(f"{NOTEBOOK}.ipynb")
    await expect(lab.cells.first).to_contain_text("YOUR CODE HERE")
    await expect(lab.cells.first).not_to_contain_text("42")
    await lab.open_tab("Formgrader")
    assert "Successfully released" in await formgrader.press(ASSIGNMENT, "Release")  # 14
    await expect(formgrader.row(ASSIGNMENT)).to_contain_text("released")
    return lab, formgrader


async def _open_the_list(page: Page) -> tuple[Lab, AssignmentList]:
    lab = await start_server(page)
    await lab.choose("Nbgrader", "Assignment List")  # 16
    assignments = AssignmentList(lab)
    await assignments.choose_course(COURSE)
    await expect(assignments.entry("released", "challenge")).to_be_visible()
    return lab, assignments


async def _be_refused_a_fetch(home: Path, assignments: AssignmentList) -> None:
    (home / "challenge").write_text("mine")
    await assignments.entry("released", "challenge").get_by_role("button", name="Fetch").click()
    refused = re.compile("^Error: .*challenge: a file is in the way and stays as it is")
    await expect(assignments.failure).to_have_text(refused)
    await assignments.refresh()
    await expect(assignments.failure).to_be_hidden()
    await expect(assignments.entry("released", "challenge")).to_be_visible()
    assert (home / "challenge").read_text() == "mine"


async def _do_the_homework(lab: Lab, assignments: AssignmentList) -> None:
    await assignments.entry("released", ASSIGNMENT).get_by_role("button", name="Fetch").click()  # 17
    fetched = assignments.entry("fetched", ASSIGNMENT)
    await fetched.get_by_role("button", name=ASSIGNMENT).click()  # 18
    await fetched.get_by_role("link", name=NOTEBOOK).click()
    await expect(lab.cells.first).to_contain_text("YOUR CODE HERE")
    await lab.cells.first.fill("def answer():\n    return 42")
    await lab.save()
    await lab.open_tab("Assignments")


async def _fail_to_submit(home: Path, assignments: AssignmentList) -> None:
    link = home / ASSIGNMENT / "data.csv"
    link.symlink_to("/etc/hostname")
    await assignments.entry("fetched", ASSIGNMENT).get_by_role("button", name="Submit").click()
    said = await assignments.refusal()
    assert re.match("Error: .*\\n +data.csv is a link to /etc/hostname, outside of the folder", said), said
    link.unlink()


async def _submit(assignments: AssignmentList) -> None:
    await assignments.entry("fetched", ASSIGNMENT).get_by_role("button", name="Submit").click()  # 19
    await expect(assignments.entry("submitted", ASSIGNMENT).locator(".nested_list_item")).to_contain_text("UTC")


async def _take_back_and_release_again(formgrader: Formgrader, assignments: AssignmentList) -> None:
    """By formgrader's ×, after students have handed in: their work stays, to be collected (21) afterwards."""
    assert "unreleased" in await formgrader.press(ASSIGNMENT, "Release")
    await expect(formgrader.row(ASSIGNMENT)).to_contain_text("draft")
    await assignments.refresh()
    await expect(assignments.entry("released", "challenge")).to_be_visible()
    await expect(assignments.entry("fetched", ASSIGNMENT)).to_have_count(0)
    await expect(assignments.entry("released", ASSIGNMENT)).to_have_count(0)
    await expect(assignments.entry("submitted", ASSIGNMENT)).to_be_visible()
    assert "Successfully released" in await formgrader.press(ASSIGNMENT, "Release")
    await expect(formgrader.row(ASSIGNMENT)).to_contain_text("released")
    await assignments.refresh()
    await expect(assignments.entry("fetched", ASSIGNMENT)).to_be_visible()


async def _grade(lab: Lab, formgrader: Formgrader) -> None:
    assert "collected" in await formgrader.press(ASSIGNMENT, "Collect")  # 21
    await formgrader.row(ASSIGNMENT).get_by_role("link", name="1", exact=True).click()  # 22
    assert "autograded" in await formgrader.press(STUDENT, "Autograde")  # 23
    await expect(formgrader.row(STUDENT)).to_contain_text("3 / 3")
    await formgrader.row(STUDENT).locator(".student-name a").click()  # 24
    await formgrader.row(NOTEBOOK).get_by_role("link", name=NOTEBOOK).click()
    await formgrader.comment(COMMENT)
    await formgrader.page.get_by_role("link", name="Manage Assignments").click()  # 25
    assert "generated feedback" in await formgrader.press(ASSIGNMENT, "Generate Feedback")  # 26
    assert "released feedback" in await formgrader.press(ASSIGNMENT, "Release Feedback")


async def _read_the_feedback(lab: Lab, assignments: AssignmentList) -> None:
    submitted = assignments.entry("submitted", ASSIGNMENT)
    await assignments.refresh()
    await submitted.get_by_role("button", name="Fetch Feedback").click()  # 28
    await submitted.get_by_text("view feedback").click()  # 29
    await expect(lab.folder).to_contain_text("feedback")  # 30
    await lab.open(f"{NOTEBOOK}.html")
    await expect(lab.html.locator("body")).to_contain_text("Score: 3.0 / 3.0")
    await expect(lab.html.locator("body")).to_contain_text(COMMENT)


async def test_formgrader_goes_from_one_course_to_another(browser: Browser, example: str, folder: Path) -> None:
    """By "Formgrader (local)", in the folder that is open; each course has its own gradebook."""
    home = folder / "homes/teacher"
    for name in ("one", "two"):
        (home / name / "source" / f"ps-{name}").mkdir(parents=True)
        config = f'c = get_config()\nc.CourseDirectory.course_id = "course-{name}"\n'
        (home / name / "nbgrader_config.py").write_text(config)
    lab = await start_server(await log_in(browser, example, "teacher"))
    formgrader = Formgrader(lab)
    for number, name in enumerate(("one", "two", "one")):
        await lab.open(name)
        await expect(lab.folder).to_contain_text(name)
        await lab.choose("Nbgrader", "Formgrader (local)")
        await expect(formgrader.page.locator("#main-table .name")).to_have_text([f"ps-{name}"])
        await formgrader.page.get_by_role("link", name="Manage Students").click()
        if number < 2:
            await formgrader.add("student", "id", f"of-{name}")
        await expect(formgrader.page.locator("#main-table .id")).to_have_text([f"of-{name}"])
        await lab.page.get_by_role("tab", name="Formgrader").locator(".lm-TabBar-tabCloseIcon").click()
        await lab.folder.locator("[title]").first.click()
