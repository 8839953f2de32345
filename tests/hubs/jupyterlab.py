"""JupyterLab in a browser: what somebody clicks and types there."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from playwright.async_api import Browser, FrameLocator, Locator, Page, Request, TimeoutError, ViewportSize, expect

from tests.hubs.conftest import new_profile

# Starting somebody's server is what takes longest, on a machine that is busy with other tests as well.
PATIENCE_SECONDS = 60
AGAIN_SECONDS = 3  # for what may have been clicked too early
LARGE_ENOUGH: ViewportSize = {"width": 1600, "height": 1000}
# Dialogs of JupyterLab's own that may come up at any moment on a busy machine, whatever the exchange does.
OF_A_BUSY_MACHINE = ("Server Connection Error", "Server unavailable or unreachable", "Kernel Restarting")


class Lab:
    """JupyterLab of one person.

    Args:
        page: the browser's tab that it is in.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        with_such_a_title = page.locator(".jp-Dialog-header", has_text=re.compile("|".join(OF_A_BUSY_MACHINE)))
        self._dialog = page.locator(".jp-Dialog")
        self._of_a_busy_machine = self._dialog.filter(has=with_such_a_title)
        self._any_other = self._dialog.filter(has_not=with_such_a_title)

    async def expect_no_dialog(self) -> None:
        """From now on, a dialog that nobody asked for is told, and fails the test unless JupyterLab is only busy.

        A dialog lies over all that there is to click, and a click that waits for its end does not say which it was.
        """
        await self.page.add_locator_handler(self._of_a_busy_machine, _dismiss)
        await self.page.add_locator_handler(self._any_other, self._fail)

    @asynccontextmanager
    async def dialog(self) -> AsyncIterator[Locator]:
        """A dialog that was asked for, or several one after the other: they are answered in here."""
        await self.page.remove_locator_handler(self._any_other)
        yield self._dialog
        await expect(self._dialog).to_have_count(0)
        await self.page.add_locator_handler(self._any_other, self._fail)

    async def _fail(self, dialog: Locator) -> None:
        # What waits for this page fails at once, with the reason.
        await self.page.close(reason=f"JupyterLab says, and was not asked: {await dialog.first.inner_text()}")

    async def choose(self, menu: str, *entries: str) -> None:
        """Choose an entry of a menu: `choose("File", "New", "Text File")`."""
        for _ in range(PATIENCE_SECONDS // AGAIN_SECONDS):
            await self.page.locator("#jp-MainMenu").get_by_text(menu, exact=True).click()
            try:
                for entry in entries:
                    shown = self.page.locator(".lm-Menu").get_by_text(entry, exact=True)
                    await shown.click(timeout=AGAIN_SECONDS * 1000)
                return
            except TimeoutError:
                # A menu that is open does not show what an extension adds meanwhile: it has to be opened again.
                await self.page.keyboard.press("Escape")
                await self.page.keyboard.press("Escape")
        raise AssertionError(f"the menu {menu} has no {' → '.join(entries)}")

    async def hub_control_panel(self) -> Page:
        """Open the hub's page in place of this one."""
        async with self.page.context.expect_page() as opened:
            await self.choose("File", "Hub Control Panel")
        await self.page.close()
        page = await opened.value
        await page.set_viewport_size(LARGE_ENOUGH)
        return page

    async def open_tab(self, name: str) -> None:
        """Bring a tab that is open to the front."""
        await self.page.get_by_role("tab", name=name).click()

    async def create(self, kind: str, name: str) -> None:
        """Make a new file in the folder that is open, and name it.

        Args:
            kind: as the menu calls it, such as `Text File`.
            name: its name.
        """
        async with self.dialog() as dialog:
            await self.choose("File", "New", kind)
            if kind == "Notebook":
                await dialog.get_by_role("button", name="Select").click()  # the kernel, of which there is one
            await self.choose("File", f"Rename {kind.removesuffix(' File')}…")
            await dialog.get_by_role("textbox").fill(name)
            await dialog.get_by_role("button", name="Rename").click()
        # It is renamed once it is loaded; what were typed before that would be overwritten.
        await expect(self.page.locator(".lm-TabBar-tab.lm-mod-current").filter(has_text=name)).to_be_visible()

    async def save(self) -> None:
        """Save what the cursor is in, and wait until it is saved: a notebook with the kernel that it has."""
        for _ in range(PATIENCE_SECONDS // AGAIN_SECONDS):
            try:
                async with self.page.expect_response(
                    lambda answer: _saves(answer.request), timeout=AGAIN_SECONDS * 1000
                ) as saved:
                    await self.page.keyboard.press("Control+s")
            except TimeoutError:
                continue  # the key does nothing while something is being saved
            answer = await saved.value
            assert answer.ok, await answer.text()
            if not _lacks_a_kernel(answer.request):
                return
            # Whoever opened it, or what is made of it, would be asked for one.
            await self._notebook.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
        raise AssertionError("it is not saved, or its kernel does not start")

    @property
    def editor(self) -> Locator:
        """The text of the file that is open."""
        return self.page.locator(".jp-FileEditor:visible .cm-content")

    @property
    def cells(self) -> Locator:
        """The texts of the cells of the notebook that is open."""
        return self._notebook.locator(".jp-Cell .cm-content")

    async def add_cell(self) -> None:
        """Add a cell below the one that the cursor is in."""
        toolbar = self._notebook.get_by_role("toolbar", name="main area toolbar")
        await toolbar.get_by_role("button", name="Insert a cell below").click()

    @property
    def parts(self) -> Locator:
        """What *Create Assignment* says of each cell."""
        return self.page.locator(".nbgrader-CellWidget")

    @property
    def folder(self) -> Locator:
        """The path of the folder that the file browser shows."""
        return self.page.locator(".jp-FileBrowser-crumbs")

    async def open(self, name: str) -> None:
        """Open a file or a folder that the file browser shows."""
        await self.page.locator(".jp-DirListing-item").filter(has_text=name).dblclick()

    @property
    def html(self) -> FrameLocator:
        """The HTML page that is open."""
        return self.page.frame_locator(".jp-HTMLViewer:visible iframe")

    @property
    def _notebook(self) -> Locator:
        return self.page.locator(".jp-NotebookPanel:visible")


async def log_in(browser: Browser, hub: str, user: str) -> Page:
    """Log in to the hub at this address, in a browser of one's own, and be on the hub's home page."""
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    profile = await new_profile(browser)
    # Feedback names a library of formulas on the Internet, which the tests do without.
    await profile.route(re.compile("^https:"), lambda route: route.abort())
    profile.set_default_timeout(PATIENCE_SECONDS * 1000)
    page = await profile.new_page()
    await page.set_viewport_size(LARGE_ENOUGH)
    await page.goto(f"{hub}hub/login?next={quote('/hub/home')}")
    await page.get_by_label("Username").fill(user)
    await page.get_by_label("Password").fill("any")
    await page.get_by_role("button", name="Sign in").click()
    return page


async def start_server(page: Page) -> Lab:
    """Start one's server from the hub's home page, and wait for JupyterLab."""
    await page.get_by_role("button", name="Start My Server").click()
    await page.locator("#jp-MainMenu").wait_for()
    lab = Lab(page)
    await lab.expect_no_dialog()
    return lab


async def stop_server(page: Page) -> None:
    """Stop one's server from the hub's home page, and wait until it is gone."""
    stop = page.get_by_role("button", name="Stop My Server")
    for _ in range(PATIENCE_SECONDS // AGAIN_SECONDS):
        try:
            async with page.expect_request(lambda sent: sent.method == "DELETE", timeout=AGAIN_SECONDS * 1000) as sent:
                await stop.click()
            break
        except TimeoutError:
            continue  # the button does nothing before the page has loaded its scripts
    else:
        raise AssertionError("the hub's page does not stop the server")
    await (await sent.value).response()
    for _ in range(PATIENCE_SECONDS):
        # One that takes its time is still stopping when the hub answers, and cannot be started before it is gone.
        await page.reload()
        if not await stop.is_visible():
            return
        await asyncio.sleep(1)
    raise AssertionError("the server does not stop")


async def _dismiss(dialog: Locator) -> None:
    print("JupyterLab said:", await dialog.first.inner_text())  # pytest shows it where the test fails later
    await dialog.first.press("Escape")


def _saves(request: Request) -> bool:
    return request.method == "PUT" and "/api/contents/" in request.url


def _lacks_a_kernel(saved: Request) -> bool:
    file = json.loads(saved.post_data or "")
    return file["type"] == "notebook" and not file["content"]["metadata"].get("kernelspec", {}).get("name")
