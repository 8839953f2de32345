"""Pictures of the pages for the docs, which the tests make on their way."""

import os
from pathlib import Path

from playwright.async_api import Page

# Where they belong; they are made there with `NGSHARE_FS_PICTURES=docs/pictures`, and thrown away otherwise.
FOLDER = "NGSHARE_FS_PICTURES"


async def picture(page: Page, name: str) -> None:
    """Take a picture of what is in the window."""
    taken = await page.screenshot(animations="disabled", caret="hide")
    if os.environ.get(FOLDER):
        folder = Path(os.environ[FOLDER])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").write_bytes(taken)
