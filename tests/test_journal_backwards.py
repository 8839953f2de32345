"""The journal from its end gives what a look at all of it gives, and reads little for that."""

import json
import os
import random
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store.format.names import folder_of
from ngshare_fs.store.journal import Entry, backwards, search
from ngshare_fs.store.journal.search import Wanted
from tests.rounds import rounds
from tests.stores import volume

__all__ = ["volume"]

START = datetime(2026, 9, 28, tzinfo=timezone.utc)
WORDS = ("submit", "fetch-feedback", "release")


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f UTC")


def line(moment: datetime, course: str, **fields: str) -> tuple[str, bytes]:
    said = {"time": stamp(moment), "what": "submit", "by": "ada", "via": "api", "course": course, **fields}
    return stamp(moment), json.dumps(said).encode() + b"\n"


def write(volume: Volume, place: str, month: str, digits: str, lines: list[bytes]) -> None:
    folder = Path(volume.root) / "journal" / place
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{month}.{digits}.jsonl" if digits else f"{month}.jsonl"
    with open(folder / name, "ab") as file:
        file.write(b"".join(lines))


def drawn(volume: Volume, draw: random.Random, number: int) -> None:
    """A journal of two courses and three systems over two months, its lines a little out of order."""
    moment = START
    by_file: dict[tuple[str, str, str], list[tuple[float, bytes]]] = {}
    for each in range(number):
        moment += timedelta(seconds=draw.choice((0, 0, 0.5, 3, 4000)))
        course = draw.choice(("c", "ä/d"))
        fields = {
            "what": draw.choice(WORDS),
            "by": draw.choice(("ada", "grete ä", 'x"y')),
            "detail": "d" * (each % 300),
        }
        time, text = line(moment, course, **fields)
        month = time[:7]
        key = (f"courses/{folder_of(course)}", month, draw.choice(("5f3a9c01", "00000000", "")))
        by_file.setdefault(key, []).append((moment.timestamp() + draw.uniform(0, 4), text))
    for (place, month, digits), lines in by_file.items():
        if digits:
            lines.sort(key=lambda each: each[0])
        else:
            draw.shuffle(lines)
        write(volume, place, month, digits, [text for _, text in lines])


def all_pages(volume: Volume, wanted: Wanted, number: int, most_read: int = backwards.MOST_READ) -> list[Entry]:
    found: list[Entry] = []
    until, turns = wanted.until, 0
    while True:
        page = backwards.newest(volume, Wanted(**{**vars(wanted), "until": until}), number, most_read)
        assert not page.broken
        found += page.entries
        turns += 1
        if not page.older_than:
            return found
        assert not until or page.older_than < until
        until = page.older_than


@pytest.mark.parametrize("seed", range(rounds(12)))
def test_page_after_page_gives_all_that_there_is(volume: Volume, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr(backwards, "SEARCHED", draw.choice((300, 2**12)))
    monkeypatch.setattr(backwards, "FIRST_BLOCK", draw.choice((500, 2**12)))
    drawn(volume, draw, draw.choice((0, 1, 7, 400)))
    middle = stamp(START + timedelta(days=draw.choice((1, 3, 9))))
    for wanted in (
        Wanted(),
        Wanted(course="ä/d"),
        Wanted(by="grete ä", what="release"),
        Wanted(by='x"y'),
        Wanted(without_reads=True),
        Wanted(since=middle),
        Wanted(until=middle),
        Wanted(course="no such"),
    ):
        right = [each for each in search.found(volume, wanted) if isinstance(each, Entry)]
        pages = all_pages(volume, wanted, draw.choice((1, 10, 1000)), draw.choice((1, 2**12, 2**30)))
        assert [each.time for each in pages] == [each.time for each in right][::-1], wanted
        assert {json.dumps(vars(each.event)) for each in pages} == {json.dumps(vars(each.event)) for each in right}


def test_a_million_lines_cost_what_the_newest_hundred_do(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(START + timedelta(seconds=each), "c", detail="x" * 50)[1] for each in range(30_000)]
    write(volume, "courses/c", "2026-09", "5f3a9c01", lines)
    read: list[int] = []
    pread = os.pread

    def counted(descriptor: int, size: int, position: int) -> bytes:
        read.append(size)
        return pread(descriptor, size, position)

    monkeypatch.setattr(os, "pread", counted)
    for until in ("", stamp(START + timedelta(seconds=15_000))):
        read.clear()
        page = backwards.newest(volume, Wanted(until=until), 100)
        assert len(page.entries) == 100
        assert page.entries[0].time == stamp(START + timedelta(seconds=14_999 if until else 29_999))
        assert sum(read) < 300_000
    # Who is found nowhere is not looked for in all of it at once.
    read.clear()
    page = backwards.newest(volume, Wanted(by="nobody"), 100, most_read=500_000)
    assert page.is_cut
    assert not page.entries
    assert sum(read) < 1_000_000


BROKEN = b'not json\n{"time": "2026-09-30 10:00:00'


def test_broken_and_torn_lines_are_told_and_hide_nothing(volume: Volume) -> None:
    ours = [line(START + timedelta(days=each), "c", detail=str(each))[1] for each in range(2)]
    torn = b'{"time": "2026-09-30 10:' + ours[1]
    write(volume, "courses/c", "2026-09", "5f3a9c01", [ours[0], b"\n", b"x" * 300_000 + b"\n", torn, BROKEN])
    page = backwards.newest(volume, Wanted(), 10)
    assert [each.event.detail for each in page.entries] == ["1", "0"]
    assert {each.place.partition(":")[0] for each in page.broken} == {"journal/courses/c/2026-09.5f3a9c01.jsonl"}
    assert len(page.broken) >= 3


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_file_is_told_and_not_waited_for(volume: Volume, kind: str) -> None:
    write(volume, "volume", "2026-09", "5f3a9c01", [line(START, "")[1]])
    place = Path(volume.root) / "journal/volume/2026-10.5f3a9c01.jsonl"
    if kind == "link":
        place.symlink_to("/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.mkdir()
    page = backwards.newest(volume, Wanted(), 10)
    assert len(page.entries) == 1
    assert [each.place for each in page.broken] == ["journal/volume/2026-10.5f3a9c01.jsonl"]


def test_many_small_files_are_looked_at_quickly(volume: Volume) -> None:
    for number in range(300):
        lines = [line(START + timedelta(seconds=number + each / 100), f"c{number}")[1] for each in range(40)]
        write(volume, f"courses/c{number}", "2026-09", "5f3a9c01", lines)
    started = time.perf_counter()
    page = backwards.newest(volume, Wanted(), 100)
    print(f"{(time.perf_counter() - started) * 1000:.1f} ms")
    assert len(page.entries) >= 100
    assert {each.event.course for each in page.entries[:40]} == {"c299"}
