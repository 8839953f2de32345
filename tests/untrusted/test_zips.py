"""Zips: what other programs find in them, whatever the names; and what is left out or cut off."""

import io
import os
import shutil
import subprocess
import tracemalloc
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError
from aiohttp.test_utils import TestClient

from ngshare_fs.formats.civil_time import Moment
from ngshare_fs.store import Volume, dates
from ngshare_fs.web.untrusted.class_work import Which, class_work
from ngshare_fs.web.untrusted.trees_in_zip import COLUMNS, MANIFEST, PROBLEM, zip_of_parts
from ngshare_fs.web.untrusted.zip_stream import PIECE, SLICE, ZipWriter
from tests.conftest import until
from tests.stores import volume
from tests.untrusted.handing_out import PREFIX, give_feedback, hand_in, make_application
from tests.untrusted.test_csv_table import parsed

__all__ = ["volume"]

Client = TestClient[Any, Any]
MIB = 2**20
EXPLANATION = "Left out:"


@pytest.fixture
async def client(volume: Volume, aiohttp_client: Callable[..., Awaitable[Client]]) -> Client:
    return await aiohttp_client(make_application(volume))


def whole(volume: Volume, which: Which, with_feedback: bool = False) -> bytes:
    return b"".join(zip_of_parts(class_work(volume, "c", "a", which, with_feedback), EXPLANATION))


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(set(names)) == len(names)
        return {name: archive.read(name) for name in names}


def table(files: Mapping[str, bytes]) -> list[dict[str, str]]:
    first, *rows = parsed(files[MANIFEST])
    assert tuple(first) == COLUMNS
    return [dict(zip(first, row, strict=True)) for row in rows]


def test_the_newest_of_each(volume: Volume) -> None:
    hand_in(volume, {"p.ipynb": b"old"})
    newest = hand_in(volume, {"p.ipynb": b"new", "sub/b.txt": b"b"})
    hand_in(volume, {"p.ipynb": b"bob's"}, "bob")
    files = unpacked(whole(volume, Which.NEWEST))
    assert {name: content for name, content in files.items() if name != MANIFEST} == {
        "ada/p.ipynb": b"new",
        "ada/sub/b.txt": b"b",
        "bob/p.ipynb": b"bob's",
    }
    rows = table(files)
    assert [row["file_in_zip"] for row in rows] == ["ada/p.ipynb", "ada/sub/b.txt", "bob/p.ipynb"]
    assert rows[1] == {
        "student": "ada", "submitted": newest, "late_seconds": "", "kind": "submission", "given": newest,
        "file_in_zip": "ada/sub/b.txt", "file": "sub/b.txt", "size": "1", "md5": "92eb5ffee6ae2fec3ad71c777531578f",
        "problem": "",
    }  # fmt: skip


def test_all_with_feedback(volume: Volume) -> None:
    first = hand_in(volume, {"p": b"1"})
    second = hand_in(volume, {"p": b"2"})
    given_at = give_feedback(volume, first, {"p.html": b"good"})
    files = unpacked(whole(volume, Which.ALL, with_feedback=True))
    folder, other = (f"ada/{moment.replace(':', '.')}" for moment in (first, second))
    assert set(files) == {
        MANIFEST, f"{folder}/submission/p", f"{folder}/feedback/p.html", f"{other}/submission/p"
    }  # fmt: skip
    assert [(row["submitted"], row["kind"], row["given"]) for row in table(files)] == [
        (first, "submission", first),
        (first, "feedback", given_at),
        (second, "submission", second),
    ]


def test_in_time(volume: Volume) -> None:
    """Of who has handed in late only, there is nothing; of others what counts at the due date."""
    hand_in(volume, {"p": b"1"})
    due = datetime.now(timezone.utc)
    dates.change(volume, "c", "a", {"due": Moment(due, due.strftime("%Y-%m-%d %H:%M:%S UTC"))})
    files = unpacked(whole(volume, Which.IN_TIME))
    assert set(files) == {MANIFEST, "ada/p"}
    past = datetime(2020, 1, 1, tzinfo=timezone.utc)
    dates.change(volume, "c", "a", {"due": Moment(past, "2020-01-01 00:00:00 UTC")})
    assert set(unpacked(whole(volume, Which.IN_TIME))) == {MANIFEST}
    (row,) = table(unpacked(whole(volume, Which.NEWEST)))
    assert int(row["late_seconds"]) > 0


def test_times_are_those_of_the_submission(volume: Volume) -> None:
    moment = hand_in(volume, {"p": b"1"})
    with zipfile.ZipFile(io.BytesIO(whole(volume, Which.NEWEST))) as archive:
        entry = archive.getinfo("ada/p")
    seconds = int(datetime.fromisoformat(moment.removesuffix(" UTC") + "+00:00").timestamp())
    assert entry.extra == b"UT\x05\x00\x01" + seconds.to_bytes(4, "little")
    assert entry.date_time[:5] == datetime.fromtimestamp(seconds, timezone.utc).timetuple()[:5]


HOSTILE_STUDENTS = (
    "..",
    "/etc",
    "C:\\x",
    "CON",
    "Ada",
    "ada",
    "=cmd()",
    "a/../../b",
    "manifest.csv",
    "zoë",
    ".",
    "\u202ex",
)
HOSTILE_FILES = {
    "C:/x": b"1", "..\\..\\x": b"2", "P.ipynb": b"3", "p.ipynb": b"4", "nul": b"5", "a:b": b"6", "q/r": b"7", "Q": b"8",
    "-rf": b"9", "\u00e9": b"10", "e\u0301": b"11", "x" * 250: b"12", "tab\t\n": b"13", "manifest.csv": b"14",
}  # fmt: skip


@pytest.fixture
def hostile(volume: Volume) -> Volume:
    for student in HOSTILE_STUDENTS:
        hand_in(volume, HOSTILE_FILES, student)
    return volume


def test_hostile_names(hostile: Volume) -> None:
    files = unpacked(whole(hostile, Which.NEWEST))
    assert len(files) == len(HOSTILE_STUDENTS) * len(HOSTILE_FILES) + 1
    assert len({name.casefold() for name in files}) == len(files)
    rows = table(files)
    assert {row["student"] for row in rows} == {name if name != "=cmd()" else "'=cmd()" for name in HOSTILE_STUDENTS}
    for row in rows:
        original, name = (row[column].removeprefix("'") for column in ("file", "file_in_zip"))
        assert files[name] == HOSTILE_FILES[original]
        assert ".." not in row["file_in_zip"].split("/")
        assert not set('\\:*?"<>|\n\t\u202e') & set(row["file_in_zip"])


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_unpacks_it_inside_its_folder(hostile: Volume, tmp_path: Path) -> None:
    content = whole(hostile, Which.ALL)
    (tmp_path / "class.zip").write_bytes(content)
    target = tmp_path / "outer/inner"
    target.mkdir(parents=True)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["unzip", "-q", str(tmp_path / "class.zip")], cwd=target, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert found == unpacked(content)
    assert sorted(os.listdir(tmp_path / "outer")) == ["inner"]


async def test_a_zip_by_http(volume: Volume, client: Client) -> None:
    hand_in(volume, {"p.ipynb": b"1", "A": b"2", "a": b"3"})
    response = await client.get(PREFIX + "zip")
    assert response.content_type == "application/zip"
    assert response.headers["Content-Disposition"] == 'attachment; filename="work.zip"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert unpacked(await response.read()) == {"p.ipynb": b"1", "A": b"2", "a (2)": b"3"}
    head = await client.head(PREFIX + "zip")
    assert (head.status, await head.read()) == (200, b"")
    response = await client.get(PREFIX + "class/all?feedback")
    assert MANIFEST in unpacked(await response.read())


async def test_what_is_damaged_is_left_out_and_said(volume: Volume, client: Client, tmp_path: Path) -> None:
    for student in ("ada", "bob", "eve"):
        hand_in(volume, {"p": b"1", "q": b"2"}, student)
    (lost,) = tmp_path.glob("volume/courses/c/**/bob/**/files/q")
    lost.unlink()
    (manifest,) = tmp_path.glob("volume/courses/c/**/eve/**/manifest.yaml")
    manifest.write_text("{")
    response = await client.get(PREFIX + "class/newest")
    files = unpacked(await response.read())
    assert set(files) == {MANIFEST, "ada/p", "ada/q", f"bob/{PROBLEM}", f"eve/{PROBLEM}"}
    assert files[f"bob/{PROBLEM}"].decode() == "Left out:\n\nStored files are damaged\n"
    problems = {row["student"]: row["problem"] for row in table(files)}
    assert problems["ada"] == ""
    assert problems["bob"] == "Stored files are damaged"
    assert "cannot be read" in problems["eve"]


async def test_what_is_deleted_meanwhile_is_left_out(volume: Volume, tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        hand_in(volume, {"p": b"1"}, student)
    parts = class_work(volume, "c", "a", Which.NEWEST)
    (folder,) = tmp_path.glob("volume/courses/c/**/bob")
    shutil.rmtree(folder)
    files = unpacked(b"".join(zip_of_parts(parts, EXPLANATION)))
    assert set(files) == {MANIFEST, "ada/p", f"bob/{PROBLEM}"}


async def test_what_fails_midway_is_cut_off_and_no_zip(volume: Volume, client: Client, tmp_path: Path) -> None:
    hand_in(volume, {"a": os.urandom(20 * MIB), "b": b"1"})
    (stored,) = tmp_path.glob("volume/courses/c/**/ada/**/files/a")
    for path in ("zip", "class/newest"):
        content = stored.read_bytes()
        got = b""
        is_cut_off = False
        async with client.get(PREFIX + path) as response:
            got += await response.content.readexactly(1000)
            os.truncate(stored, 2000)
            try:
                while piece := await response.content.readany():
                    got += piece
            except ClientPayloadError:
                is_cut_off = True
        assert is_cut_off
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(got))
        stored.write_bytes(content)


async def test_who_hangs_up_leaves_nothing_open(volume: Volume, client: Client) -> None:
    hand_in(volume, {"a": os.urandom(20 * MIB)})
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        async with client.get(PREFIX + "zip") as response:
            await response.content.readexactly(1000)
            response.close()
    whole_one = await client.get(PREFIX + "zip")
    assert len(unpacked(await whole_one.read())["a"]) == 20 * MIB
    await until(lambda: len(os.listdir("/proc/self/fd")) <= before + 2, "its files are closed")


def test_large_ones_take_no_memory(volume: Volume) -> None:
    """Neither what does not shrink, nor what shrinks to nothing, nor many."""
    hand_in(volume, {"random": os.urandom(16 * MIB), "zeros": bytes(32 * MIB), **{f"f{n}": b"x" for n in range(500)}})
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        longest = total = 0
        for piece in zip_of_parts(class_work(volume, "c", "a", Which.NEWEST), EXPLANATION):
            longest, total = max(longest, len(piece)), total + len(piece)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 16 * MIB < total < 17 * MIB
    assert longest < PIECE + 2 * SLICE + 100_000  # the last one has the directory
    assert most - before < 8 * MIB


def test_it_is_compressed_a_little(volume: Volume) -> None:
    text = b"".join(b'"line %d of a notebook\\n",\n' % number for number in range(20_000))
    assert len(b"".join(ZipWriter().add("a", None, len(text), [text]))) < len(text) / 3


@pytest.mark.parametrize("year", [1601, 1979, 1980, 2038, 2107, 2108, 9999])
def test_any_time(year: int) -> None:
    writer = ZipWriter()
    content = b"".join([*writer.add("a", datetime(year, 1, 1, tzinfo=timezone.utc), 1, [b"x"]), *writer.finished()])
    assert unpacked(content) == {"a": b"x"}
