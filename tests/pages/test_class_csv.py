"""The table of a class for a spreadsheet: no formulas, the separator of the reader's language."""

import csv
import io

from ngshare_fs.store import Person, roster
from tests.pages.browsing import Browser, browser

__all__ = ["browser"]

PATH = "pages/class-csv/{course}"
NAMES = {"course": "c"}
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://evil")')


async def test_no_cell_is_a_formula(browser: Browser) -> None:
    entries = [(name, Person(name, name, name)) for name in FORMULAS]
    roster.set_students(browser.exchange.volume, "c", entries)
    table = await browser.look(PATH, "kevin", NAMES)
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="c.csv"'
    rows = {row[0]: row for row in csv.reader(io.StringIO(table.text.removeprefix("\ufeff")))}
    for name in FORMULAS:
        assert rows[f"'{name}"][1:4] == [f"'{name}"] * 3
    assert not [cell for row in rows.values() for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]


async def test_the_separator_is_that_of_the_language(browser: Browser) -> None:
    german = await browser.look(PATH, "kevin", NAMES, german=True)
    assert '"a: abgegeben (UTC)";"a: verspätet (Sekunden)"' in german.text
    english = await browser.look(PATH, "kevin", NAMES)
    assert '"a: handed in (UTC)","a: late (seconds)"' in english.text


async def test_it_has_what_the_filter_leaves(browser: Browser) -> None:
    for show, users in (("left", {"gone"}), ("missing", {"other student"}), ("late", set[str]())):
        table = await browser.look(PATH, "kevin", NAMES, show=show)
        rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
        assert {row[0] for row in rows[1:]} == users, show
