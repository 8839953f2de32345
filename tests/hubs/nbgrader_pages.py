"""nbgrader's own pages within JupyterLab: Formgrader and the Assignment List."""

from playwright.async_api import FrameLocator, Locator, expect

from tests.hubs.jupyterlab import Lab

FRAME = "iframe[src*=formgrader]"
# The columns of Formgrader's tables, as they are headed and as the page calls them.
COLUMNS = {
    "Generate": "assign",
    "Preview": "preview",
    "Release": "release",
    "Collect": "collect",
    "Autograde": "autograde",
    "Generate Feedback": "generate-feedback",
    "Release Feedback": "release-feedback",
}


class Formgrader:
    """Formgrader, in a tab of JupyterLab.

    Args:
        lab: that JupyterLab.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    @property
    def page(self) -> FrameLocator:
        """All of it."""
        return self._lab.page.frame_locator(FRAME)

    def row(self, name: str) -> Locator:
        """The row of an assignment or of a student."""
        return self.page.locator("#main-table tr").filter(has_text=name)

    async def press(self, row: str, column: str) -> str:
        """Click the button in a row and column, and dismiss what it answers.

        Args:
            row: the name of the assignment, or of the student.
            column: its heading. Where an assignment is released, that of *Release* takes it back.

        Returns:
            the answer's first sentence; the test fails where it is one of failure.
        """
        await self.row(row).locator(f".{COLUMNS[column]} a").click()
        answer = self.page.locator(".modal.in")
        said = await answer.locator(".modal-body").inner_text()
        assert await answer.locator(".modal-title").inner_text() == "Success", said
        await answer.get_by_role("button", name="OK").click()
        await expect(self.page.locator(".modal")).to_have_count(0)
        return said.splitlines()[0]

    async def open_column(self, row: str, column: str) -> None:
        """Click what only leads somewhere, such as *Preview*."""
        await self.row(row).locator(f".{COLUMNS[column]} a").click()

    async def add(self, what: str, field: str, name: str) -> None:
        """Add an assignment or a student.

        Args:
            what: `assignment` or `student`.
            field: the class of the field that takes the name.
            name: the name.
        """
        await self.page.get_by_role("link", name=f"Add new {what}...").click()
        form = self.page.locator(f"#add-{what}-modal")
        await form.locator(f"input.{field}").fill(name)
        await form.get_by_role("button", name="Save").click()

    async def comment(self, text: str) -> None:
        """Write into the first comment of the submission that is open, and go on to the next one."""
        comment = self.page.get_by_placeholder("Type any comments here").first
        await comment.wait_for()
        frame = await (await self._lab.page.locator(FRAME).element_handle()).content_frame()
        assert frame
        # What is written before the page has loaded the comments is not saved.
        await frame.wait_for_function("window.formgrader?.comments?.loaded && window.formgrader?.grades?.loaded")
        await comment.fill(text)
        await self.page.get_by_role("link", name="Next").click()


class AssignmentList:
    """The Assignment List, in a tab of JupyterLab.

    Args:
        lab: that JupyterLab.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab, self._page = lab, lab.page

    async def choose_course(self, course: str) -> None:
        """Choose the course whose assignments are listed."""
        await self._page.locator("#course_list_dropdown").click()
        await self._page.locator("#course_list").get_by_role("link", name=course, exact=True).click()
        await expect(self._page.locator("#course_list_default")).to_have_text(course)

    def entry(self, state: str, assignment: str) -> Locator:
        """An assignment in a part of the list.

        Args:
            state: `released`, `fetched` or `submitted`.
            assignment: its name.
        """
        return self._page.locator(f"#{state}_assignments_list > .list_item").filter(has_text=assignment)

    @property
    def failure(self) -> Locator:
        """What stands in place of the list after a failure."""
        return self._page.locator("#released_assignments_list_error")

    async def refusal(self) -> str:
        """What is said of a submission that failed; it is dismissed."""
        async with self._lab.dialog() as dialog:
            said = await dialog.locator("#submission-message pre").inner_text()
            await dialog.get_by_role("button", name="OK").click()
        return said

    async def refresh(self) -> None:
        """Have the list made anew."""
        await self._page.locator("#refresh_assignments_list").click()
