"""Pages of admins where there is much: a thousand courses, years of history, a thousand things in the trash."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.count_file import Count, CourseFigures, Moment
from tests.conftest import Exchange
from tests.pages.browsing import Browser

COURSES, MOMENTS, ENTRIES, LINES = 1000, 4000, 1000, 20_000
RECORD = "kind: assignment\ncourse: course0001\nassignment: ps1\nby: ada\ntimestamp: 2026-09-01 10:00:00.000000 UTC\n"


@pytest.fixture
def large(exchange: Exchange) -> Exchange:
    """Such a volume; written by hand, as much of it as pages look at."""
    data = Path(exchange.data)
    names = [f"course{number:04}" for number in range(COURSES)]
    for number, name in enumerate(names):
        folder = data / "courses" / name
        folder.mkdir()
        (folder / "course.yaml").write_text(f"course: {name}\n", "utf-8")
        journal = data / "journal/courses" / name
        journal.mkdir(parents=True)
        at = f"2026-09-{1 + number % 28:02} 10:00:00"
        said = {"what": "submit", "by": "ada", "via": "api", "course": name, "detail": "x" * 60}
        lines = [json.dumps({"time": f"{at}.{each:06} UTC", **said}) for each in range(LINES // COURSES)]
        (journal / "2026-09.5f3a9c01.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    entries = [f"20260901T100000.{number:06}Z-0000000a" for number in range(ENTRIES)]
    for name in entries:
        folder = data / "trash" / name
        (folder / "ps1").mkdir(parents=True)
        (folder / "trash.yaml").write_text(RECORD, "utf-8")
    figures = {name: CourseFigures(name, 1, 2, 300, None, 12, 3000, 10**9, timestamp.now()) for name in names}
    moment = Moment(timestamp.now(), COURSES, 3_000_000, 10**12, 10**10, 10**12, 10**13, 10**6, 10**7)
    (data / ".ngshare/last-count.jsonl").write_bytes(Count(moment, figures, dict.fromkeys(entries, 10**6)).text())
    history = [
        Moment(timestamp.ago(timedelta(hours=6 * number)), COURSES, 3_000_000, 10**12, number, 10**12, 10**13, 1, 2)
        for number in range(MOMENTS)
    ]
    (data / ".ngshare/history.jsonl").write_bytes(b"".join(each.line() for each in reversed(history)))
    return exchange


@pytest.mark.long
async def test_pages_of_admins_show_a_part_of_what_there_is(large: Exchange) -> None:
    browser = Browser(large)
    for path, query in (
        ("pages/admin", {}),
        ("pages/admin", {"sort": "stored", "part": "5"}),
        ("pages/admin-volume", {"days": "0"}),
        ("pages/admin-journal", {}),
        ("pages/admin-journal", {"by": "nobody"}),
        ("pages/admin-journal", {"course": "course0007"}),
        ("pages/admin-trash", {}),
        ("pages/admin-trash-empty", {}),
        ("pages/trash/{course}", {}),
    ):
        seen = await browser.look(path, "root", {"course": "course0001"}, german=False, **query)
        assert seen.status == 200, (path, query)
