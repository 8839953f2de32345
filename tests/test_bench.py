"""The bench runs, and its checks catch servers that are fast because they are wrong. No figure is judged here."""

import base64
import errno
import hashlib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench import our_data, slow_flush
from bench.__main__ import read_arguments, scratch, told_of_a_full_disk
from bench.bodies import make_files
from bench.client import Address
from bench.figures import Target, of, percentile, ratio
from bench.load import Measured, in_own_process
from bench.sample import Course, Sample, students
from bench.works import KEYS, collect, fetch, large, listings, roster, rush
from tests.others.ngshare_reference import NotInstallable, python

ROOT = Path(__file__).parents[1]
SECONDS = 240
PLAN = rush.Plan(students=10, pairs=40, clients=5)


def run_bench(tmp_path: Path, work: str, rivals: str) -> dict[str, Any]:
    """One tiny round; gives the figures by rival. Nothing may be left behind."""
    scratch, file = tmp_path / "scratch", tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", work, "--scale", "0.004", "--rounds", "1", "--rivals", rivals]
    command += ["--scratch", str(scratch), "--json", str(file)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"### {importlib.import_module(f'bench.works.{work}').WORK.title}" in done.stdout
    assert not list(scratch.iterdir())
    found: dict[str, Any] = json.loads(file.read_text())["works"][work]
    return found


@pytest.mark.parametrize(
    "work", [work if work in ("rush", "fetch") else pytest.param(work, marks=pytest.mark.long) for work in KEYS]
)
def test_every_work_runs(tmp_path: Path, work: str) -> None:
    rival = "ours"
    if work == "slow_disk":
        if not any(map(shutil.which, ("cc", "gcc", "clang"))):
            pytest.skip("the slow disk needs a C compiler: apt-get install gcc libc6-dev")
        rival = "ours-slow"
    [figures] = run_bench(tmp_path, work, rival)[rival]
    assert not figures.get("wrong")
    rows = importlib.import_module(f"bench.works.{work}").WORK.rows
    missing = [name for name, _ in rows if name not in figures]
    assert not missing


def test_the_help_names_every_work() -> None:
    command = [sys.executable, "-m", "bench", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(work in done.stdout for work in KEYS)


@pytest.mark.parametrize("work", ["rush", "fetch"])
@pytest.mark.long
def test_floors_run(tmp_path: Path, work: str) -> None:
    for rounds in run_bench(tmp_path, work, "read,decode,static").values():
        assert [figures["wrong"] for figures in rounds] == [0]


@pytest.mark.others
@pytest.mark.parametrize("work", ["rush", "listings", "roster", "collect"])
@pytest.mark.long
def test_ngshare_serves_what_is_put_into_its_tables(tmp_path: Path, work: str) -> None:
    try:
        python()
    except NotInstallable as error:
        pytest.skip(str(error))
    [figures] = run_bench(tmp_path, work, "ngshare")["ngshare"]
    assert not figures.get("wrong")


def test_volumes_made_for_the_bench_are_volumes(tmp_path: Path) -> None:
    who = students(3)
    course = Course("math", who, ["ps1", "ps2"], submitting=2, times=3, submitted=make_files([3, 2, 1], 1))
    our_data.write(tmp_path / "volume", Sample([course]))
    command = [sys.executable, "-m", "ngshare_fs", "verify", "--data", str(tmp_path / "volume")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout == "no findings\n"


class Honest:
    """A server that holds everything in memory. Those below tell lies."""

    def __init__(self) -> None:
        self.held: defaultdict[str, list[tuple[str, list[dict[str, str]]]]] = defaultdict(list)
        self.latest = datetime(2020, 1, 1)
        self.calls = self.submitted = 0

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        self.latest += timedelta(microseconds=1)
        self.held[student].append((self.latest.strftime("%Y-%m-%d %H:%M:%S.%f UTC"), files))
        return {"timestamp": self.held[student][-1][0]}

    def listed(self, some: list[str]) -> list[dict[str, str]]:
        return [{"student_id": student, "timestamp": moment} for student in some for moment, _ in self.held[student]]

    def download(self, student: str) -> dict[str, Any]:
        moment, files = self.held[student][-1]
        return {"timestamp": moment, "files": [{**file, "checksum": _md5(file["content"])} for file in files]}

    async def answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        parts = request.path.removeprefix("/api/").split("/")
        if request.method == "POST":
            form = parse_qs(await request.text())
            said = self.submit(form["user"][0], json.loads(form["files"][0]))
        elif parts[0] == "submissions":
            said = {"submissions": self.listed([parts[3]] if len(parts) == 4 else list(self.held))}
        else:
            said = self.download(parts[3])
        return web.json_response({"success": True, **said})


def _md5(content: str) -> str:
    return hashlib.md5(base64.b64decode(content)).hexdigest()


class SaysYes(Honest):
    """It acknowledges everything and keeps nothing."""

    async def answer(self, request: web.Request) -> web.Response:
        self.latest += timedelta(microseconds=1)
        moment = self.latest.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        said: dict[str, list[str]] = {"submissions": [], "files": [], "students": [], "status": [], "assignments": []}
        return web.json_response({"success": True, "timestamp": moment, **said})


class ForgetsPeople(SaysYes):
    """It says that it added everybody, and lists nobody."""

    async def answer(self, request: web.Request) -> web.Response:
        said: dict[str, Any] = {"success": True, "students": [], "status": [{"success": True}] * 5}
        return web.json_response(said)


class Loses(Honest):
    """It loses one of twenty."""

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        said = super().submit(student, files)
        self.submitted += 1
        if self.submitted % 20 == 0:
            self.held[student].pop()
        return said


class Invents(Honest):
    """It lists what nobody handed in."""

    def listed(self, some: list[str]) -> list[dict[str, str]]:
        return [*super().listed(some), {"student_id": some[0], "timestamp": "2020-01-01 00:00:00.000000 UTC"}]


class Repeats(Honest):
    """Its clock stands still."""

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        self.latest = datetime(2020, 1, 1)
        return super().submit(student, files)


class Changes(Honest):
    """It changes one file, its checksum too."""

    def submit(self, student: str, files: list[dict[str, str]]) -> dict[str, Any]:
        return super().submit(student, [{**files[0], "content": "e30K"}, *files[1:]])


class Stale(Honest):
    """It sends the latest submission as if it were the first."""

    def download(self, student: str) -> dict[str, Any]:
        return {**super().download(student), "timestamp": self.held[student][0][0]}


class Fails(Honest):
    """It fails now and then."""

    async def answer(self, request: web.Request) -> web.Response:
        answer = await super().answer(request)
        if self.calls % 20 == 0:
            answer.set_status(500)
        return answer


class HangsUp(Honest):
    """It closes the connection instead of answering, now and then."""

    async def answer(self, request: web.Request) -> web.Response:
        answer = await super().answer(request)
        if self.calls % 20 == 0 and request.transport is not None:
            request.transport.close()
        return answer


@asynccontextmanager
async def serving(server: Honest) -> AsyncIterator[Address]:
    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", server.answer)
    async with TestServer(application) as test_server:
        yield Address(str(test_server.make_url("/api/")))


async def test_the_rush_believes_an_honest_server() -> None:
    async with serving(Honest()) as url:
        measured = await rush.load(url, PLAN)
    assert measured.wrong == []
    assert len(measured.milliseconds["POST"]) == len(measured.milliseconds["GET"]) == PLAN.pairs


@pytest.mark.parametrize("liar", [SaysYes, Loses, Invents, Repeats, Changes, Stale, Fails, HangsUp])
async def test_the_rush_catches_a_wrong_server(liar: type[Honest]) -> None:
    async with serving(liar()) as url:
        measured = await rush.load(url, PLAN)
    assert measured.wrong_count


COURSE = Course("math", students(4), ["ps1"], submitting=4, times=2)
LOADS: dict[str, Callable[[Address], Awaitable[Measured]]] = {
    "fetch": lambda url: fetch.load(url, students(10), 1),
    "collect": lambda url: collect.load(url, COURSE),
    "listings": lambda url: listings.load(url, COURSE, 3),
    "small list": lambda url: listings.load_small({"0": url}, COURSE, 3),
    "roster": lambda url: roster.load(url, 5, 3),
    "download": lambda url: large.load_down(url, "submission/math/ps1/student-0000", 1000),
}


@pytest.mark.parametrize("name", LOADS)
async def test_other_works_catch_a_server_that_says_yes_to_everything(name: str) -> None:
    async with serving(SaysYes()) as url:
        measured = await LOADS[name](url)
    assert measured.wrong_count


async def test_a_roster_that_is_not_kept_is_caught() -> None:
    async with serving(ForgetsPeople()) as url:
        measured = await roster.load(url, 5, 3)
    assert measured.wrong_count


def test_a_load_that_fails_is_not_a_result() -> None:
    with pytest.raises(RuntimeError, match="ValueError"):
        in_own_process(rush.load, Address("http://127.0.0.1:no port/"), PLAN)


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD, syncfs")
@pytest.mark.parametrize(
    "flush", ["os.fsync(f)", "os.fdatasync(f)", "libc.syncfs(f)", "libc.sync_file_range(f, 0, 0, 0)"]
)
def test_the_slow_disk_is_slow(tmp_path: Path, flush: str) -> None:
    try:
        environment = {**os.environ, **slow_flush.environment(300)}
    except slow_flush.NoCompiler as error:
        pytest.skip(str(error))
    program = f"""
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
started = time.monotonic()
{flush}
print(time.monotonic() - started)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "file")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert float(done.stdout) >= 0.3


def test_ratios_are_taken_within_a_round() -> None:
    target = Target("twice", ratio("x", "ours", "ngshare"), 2, at_least=True)
    rounds = {"ours": [{"x": 10.0}, {"x": 40.0}, {"x": 3.0}], "ngshare": [{"x": 5.0}, {"x": 20.0}, {"x": 3.0}]}
    assert target.figures(rounds) == [2, 2, 1]
    assert target.reached(rounds) is True
    assert target.reached({**rounds, "ngshare": [{"x": 9.0}] * 3}) is False
    assert target.reached({"ours": rounds["ours"], "ngshare": []}) is None
    at_most = Target("ten", of("ours", "x"), 10)
    assert at_most.reached(rounds) is True
    assert at_most.reached({"ours": [{"x": 10.1}]}) is False


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"{tmp_path} has no room left"), told_of_a_full_disk(tmp_path / "bench-1"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rounds", "0"], "'0' is not a number from 1 on"),
        (["--scale", "0"], "'0' is not a share above 0, up to 1"),
        (["--show", "none.json"], "none.json: No such file"),
        (["--show", "text.json"], "text.json was not written by --json"),
        (["--json", "text.json"], "text.json was not written by --json"),
        (["--json", "none/figures.json"], "none/figures.json cannot be written"),
        (["--plot", "."], ". cannot be written"),
        (["nothing"], "'nothing' is no work"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_measured(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("[]")
    with pytest.raises(SystemExit) as ended:
        read_arguments(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_takes_no_volumes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="give --scratch another folder"), scratch(tmp_path / "file"):
        pass


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(200, 0, -1)]
    assert percentile(values, 0.5) == 100
    assert percentile(values, 0.99) == 198
    assert percentile([7.0], 0.99) == 7


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is missing: pip install -e .[bench]")
    fast = [{"per second": 100.0}, {"per second": 120.0}]
    waits = {f"{what} {which}": 5.0 for what in ("idle", "upload", "rush") for which in ("p50", "p99")}
    works = {
        "rush": {rival: fast for rival in ("ngshare", "ours", "ours-2", "read", "decode")},
        "slow_disk": {"ngshare": fast, "ours-slow": fast},
        "reader_meanwhile": {"ngshare": [waits], "ours": [waits]},
    }
    file = tmp_path / "figures.json"
    file.write_text(json.dumps({"works": works}))
    command = [sys.executable, "-m", "bench.plot", str(file), str(tmp_path / "speed.svg")]
    subprocess.run(command, cwd=ROOT, timeout=SECONDS, check=True)
    assert (tmp_path / "speed.svg").read_text().rstrip().endswith("</svg>")
