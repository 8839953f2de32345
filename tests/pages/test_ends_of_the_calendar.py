"""Times that somebody has written by hand, at the ends of the calendar: pages show them like all others."""

import shutil
from datetime import datetime, timezone

import pytest

from ngshare_fs.store import timestamp_of
from ngshare_fs.store.format.count_file import Moment
from ngshare_fs.store.format.timestamp import Timestamp, from_folder
from ngshare_fs.web.instructor.class_work.class_csv import CLASS_CSV
from ngshare_fs.web.table import PAGES
from tests.pages.browsing import Browser, browser, something_deleted

__all__ = ["browser"]

FIRST, LAST = "00010101T000000.000000Z", "99991231T235959.999999Z"


def test_the_first_thousand_years_have_four_digits() -> None:
    assert timestamp_of(datetime(1, 4, 1, tzinfo=timezone.utc)) == "0001-04-01 00:00:00.000000 UTC"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_work_of_any_time_is_shown_in_each_zone(browser: Browser, zone: str) -> None:
    course = browser.exchange.data / "courses/c"
    file = course / "course.yaml"
    file.write_text(f"{file.read_text()}timezone: {zone}\n")
    own = course / "assignments/a/submissions/lawrence"
    (whole,) = own.iterdir()
    for folder in (FIRST, LAST):
        moment = from_folder(whole.name)
        shutil.copytree(whole, own / folder)
        manifest = own / folder / "manifest.yaml"
        manifest.write_text(manifest.read_text().replace(str(moment), str(from_folder(folder))))
    names = {"course": "c", "assignment": "a", "user": "lawrence"}
    for path in (CLASS_CSV.path, *(page.path for page in PAGES if "{course}" in page.path)):
        used = {key: name for key, name in names.items() if "{" + key + "}" in path}
        for user in ("kevin", "lawrence"):
            assert (await browser.look(path, user, used)).status < 500, (path, user)


@pytest.mark.parametrize("folder", [FIRST, LAST])
async def test_trash_of_any_time_is_shown(browser: Browser, folder: str) -> None:
    trash = browser.exchange.data / "trash"
    (trash / await something_deleted(browser)).rename(trash / f"{folder}-00000000")
    for path, names in (("pages/trash/{course}", {"course": "c"}), ("pages/course/{course}", {"course": "c"})):
        assert (await browser.look(path, "kevin", names)).status == 200, path
    assert (await browser.look("pages/admin-trash", "root")).status == 200


async def test_a_history_that_begins_or_ends_anywhere_is_shown(browser: Browser) -> None:
    lines = [Moment(Timestamp(str(from_folder(folder))), 1, 1, 1, 1, 1, 2, 1, 2).line() for folder in (FIRST, LAST)]
    for written in (lines, lines[:1], lines[1:]):
        (browser.exchange.data / ".ngshare/history.jsonl").write_bytes(b"".join(written))
        assert (await browser.look("pages/admin-volume", "root", days="0")).status == 200
