"""The bench runs, and says what goes wrong. No figure is judged here."""

import base64
import errno
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bench import cgroup, our_data, slow_flush
from bench.__main__ import read_arguments, scratch, told_of_a_full_disk
from bench.bodies import KIB, SUBMISSION, make_files
from bench.client import Address
from bench.figures import Target, of, percentile, ratio
from bench.load import in_own_process
from bench.sample import Course, Sample, students
from bench.works import KEYS, rush
from tests.others.ngshare_reference import NotInstallable, python

ROOT = Path(__file__).parents[1]
SECONDS = 240


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


def rival_of(work: str) -> str:
    """Who is to do it."""
    if work == "slow_disk":
        if not any(map(shutil.which, ("cc", "gcc", "clang"))):
            pytest.skip("the slow disk needs a C compiler: apt-get install gcc libc6-dev")
        return "ours-slow"
    if work == "memory":
        skip_without_cgroups()
    return "ours-as-deployed" if work in ("rush", "cold", "memory") else "ours"


def skip_without_cgroups() -> None:
    try:
        with cgroup.limited(64):
            pass
    except cgroup.NoCgroup as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    "work", [work if work in ("rush", "fetch") else pytest.param(work, marks=pytest.mark.long) for work in KEYS]
)
def test_every_work_runs(tmp_path: Path, work: str) -> None:
    rival = rival_of(work)
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
    for rounds in run_bench(tmp_path, work, "read,decode,decode-multipart,static").values():
        assert [figures["wrong"] for figures in rounds] == [0]


@pytest.mark.others
@pytest.mark.parametrize("work", ["rush", "listings", "roster", "collect", "reader_meanwhile", "memory"])
@pytest.mark.long
def test_ngshare_serves_what_is_put_into_its_tables(tmp_path: Path, work: str) -> None:
    try:
        python()
    except NotInstallable as error:
        pytest.skip(str(error))
    if work == "memory":
        skip_without_cgroups()
    for rounds in run_bench(tmp_path, work, "ngshare,ngshare-as-deployed").values():
        assert [figures.get("wrong", 0) for figures in rounds] == [0]


def test_what_is_handed_in_are_notebooks() -> None:
    files = make_files(SUBMISSION, 1)
    assert files == make_files(SUBMISSION, 1)
    assert files != make_files(SUBMISSION, 2)
    assert tuple(map(len, files.values())) == SUBMISSION
    pictures = 0
    for name in ("problem1.ipynb", "problem2.ipynb"):
        notebook: Any = nbformat.reads(files[name].decode(), as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        for shown in (output.data["image/png"] for output in outputs if output.output_type == "display_data"):
            assert base64.b64decode(shown).startswith(b"\x89PNG")
            pictures += len(shown)
    assert 45 * KIB < pictures < 55 * KIB


@pytest.mark.parametrize("size", [1, 1000, 4 * KIB, 300 * KIB])
def test_files_have_the_size_that_is_wanted(size: int) -> None:
    assert [len(content) for content in make_files([size] * 4, 1).values()] == [size] * 4


def test_a_limit_on_memory_is_one(tmp_path: Path) -> None:
    skip_without_cgroups()
    with cgroup.limited(64) as limited:
        for mebibytes, killed in ((30, 0), (100, 1)):
            program = f"import time; content = bytearray(2**20 * {mebibytes}); print('made', flush=True)"
            with limited.watching() as peaks:
                done = subprocess.run([*limited.entrance, sys.executable, "-c", program], capture_output=True)
            assert bool(done.returncode) == bool(killed) == (b"made" not in done.stdout)
            assert limited.killed() == killed
        assert peaks.memory.used <= 64
        assert (limited.peak() or 64) > 30
    with cgroup.limited(64) as another:  # nothing is left of the first one
        assert another.killed() == 0


def test_volumes_made_for_the_bench_are_volumes(tmp_path: Path) -> None:
    who = students(3)
    course = Course("math", who, ["ps1", "ps2"], submitting=2, times=3, submitted=make_files([3, 2, 1], 1))
    our_data.write(tmp_path / "volume", Sample([course]))
    command = [sys.executable, "-m", "ngshare_fs", "verify", "--data", str(tmp_path / "volume")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout == "no findings\n"


def test_a_load_that_fails_is_not_a_result() -> None:
    with pytest.raises(RuntimeError, match="ValueError"):
        in_own_process(rush.load, Address("http://127.0.0.1:no port/"), rush.Plan(students=1, pairs=1))


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
        "rush": {
            rival: fast for rival in ("ngshare", "ours", "ngshare-as-deployed", "ours-as-deployed", "read", "decode")
        },
        "slow_disk": {"ngshare": fast, "ours-slow": fast},
        "reader_meanwhile": {"ngshare": [waits], "ours": [waits]},
    }
    file = tmp_path / "figures.json"
    file.write_text(json.dumps({"works": works}))
    command = [sys.executable, "-m", "bench.plot", str(file), str(tmp_path / "speed.svg")]
    subprocess.run(command, cwd=ROOT, timeout=SECONDS, check=True)
    assert (tmp_path / "speed.svg").read_text().rstrip().endswith("</svg>")
