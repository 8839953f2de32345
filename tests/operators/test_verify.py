"""`ngshare-fs verify`: threads, one course, JSON, the journal."""

import json
import shutil
import threading
import tracemalloc
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store.checking import in_order
from ngshare_fs.store.checking.tally import Tally
from ngshare_fs.store.checking.verify import bytes_to_check, verify_volume
from ngshare_fs.store.checking.verify_journal import LONGEST_LINE
from tests.volumes import (
    ASSIGNMENT,
    COURSE,
    STUDENT,
    SUBMITTED_FILES,
    Plain,
    folder_of,
    write_course,
    write_rich_volume,
    write_submission,
    write_volume,
)


def damaged_in_many_places(root: Path) -> Path:
    write_rich_volume(root)
    for number, file in enumerate(sorted(root.rglob("manifest.yaml"))):
        if number % 3 == 0:
            file.with_name("stray").touch()
        if number % 5 == 0:
            file.unlink()
    return root


def test_however_many_threads_read_the_findings_are_the_same_in_the_same_order(tmp_path: Path) -> None:
    root = damaged_in_many_places(tmp_path / "volume")
    alone = list(verify_volume(root))
    assert len(alone) > 50
    for jobs in (2, 7):
        assert list(verify_volume(root, jobs=jobs)) == alone


def test_threads_check_trees_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_rich_volume(tmp_path / "volume")
    together = threading.Barrier(3, timeout=60)
    met = threading.Event()
    check = in_order.Later.findings

    def wait_for_others(later: in_order.Later) -> object:
        if not met.is_set():
            together.wait()
            met.set()
        return check(later)

    monkeypatch.setattr(in_order.Later, "findings", wait_for_others)
    assert list(verify_volume(root, jobs=3)) == []
    assert met.is_set()


def test_who_stops_listening_leaves_nothing_open(tmp_path: Path) -> None:
    root = damaged_in_many_places(tmp_path / "volume")
    before = len(list(Path("/proc/self/fd").iterdir()))
    findings = verify_volume(root, jobs=4)
    next(findings)
    findings.close()  # type: ignore[attr-defined]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("verify")]


def test_threads_hold_no_more_than_a_few_trees(tmp_path: Path) -> None:
    root = write_volume(tmp_path / "volume")
    course = write_course(root, COURSE)
    (course / "assignments" / ASSIGNMENT / "releases").mkdir(parents=True)
    for minute in range(60):
        moment = f"2020-02-01 00:{minute:02}:00.000000 UTC"
        write_submission(course, (COURSE, ASSIGNMENT), STUDENT, moment, {"large": bytes(1_000_000)})
    tracemalloc.start()
    try:
        assert [finding.code for finding in verify_volume(root, jobs=4)] == ["release-missing"]
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_one_course_is_checked_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = Plain(tmp_path / "volume")
    long = "y" * 300
    for name in (long, "a/b"):
        course = write_course(plain.root, name)
        (course / "stray").touch()
        (plain.root / "journal" / "courses" / folder_of(name)).mkdir(parents=True)
        (plain.root / "journal" / "courses" / folder_of(name) / "notes").touch()
    (plain.root / "elsewhere").touch()
    data = ["verify", "--data", str(plain.root), "--course"]
    assert main([*data, COURSE]) == 0
    assert capsys.readouterr().out == "no findings\n"
    for name in (long, "a/b"):
        assert main([*data, name]) == 1
        folder = folder_of(name)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split(": ")[0] for line in lines] == [
            f"stray courses/{folder}/stray", f"stray journal/courses/{folder}/notes",
        ]  # fmt: skip
    assert main([*data, "nowhere"]) == 2
    assert "--course: there is no course 'nowhere'" in capsys.readouterr().err
    shutil.rmtree(plain.root / "courses")
    assert main([*data, COURSE]) == 2


@pytest.mark.parametrize("jobs", ["0", "-1", "65", "x", "1.5", "²"])
def test_a_wrong_number_of_threads(tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str) -> None:
    assert main(["verify", "--data", str(tmp_path), f"--jobs={jobs}"]) == 2
    assert f"'{jobs}' is no number from 1 to 64" in capsys.readouterr().err


def test_the_document_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = Plain(tmp_path / "volume")
    data = ["verify", "--json", "--data", str(plain.root)]
    assert main(data) == 0
    found = json.loads(capsys.readouterr().out)
    content = [file.read_bytes() for file in plain.root.rglob("*") if file.is_file()]
    assert (found["findings"], found["notes"]) == ([], [])
    assert (found["files"], found["bytes"]) == (len(content), sum(map(len, content)))
    assert found["seconds"] >= 0
    (plain.course / "two\nlines").touch()
    (plain.submission / "files" / "problem1.ipynb").unlink()
    manifest = plain.release / "manifest.yaml"
    manifest.write_text(manifest.read_text() + "rebuilt: 2020-02-01 00:00:00.000000 UTC\n")
    assert main(data) == 1
    found = json.loads(capsys.readouterr().out)
    assert [sorted(each) for each in found["findings"]] == [["code", "message", "path", "remedy"]] * 2
    assert [each["code"] for each in found["findings"]] == ["stray", "file-missing"]
    assert found["findings"][0]["path"] == f"courses/{COURSE}/two\\nlines"
    assert [each["code"] for each in found["notes"]] == ["rebuilt"]


def test_what_is_read_is_told_while_it_is_read(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    told: list[int] = []
    tally = Tally(told.append)
    assert list(verify_volume(plain.root, tally=tally)) == []
    volume_file = len((plain.root / "ngshare.yaml").read_bytes())
    assert sum(told) == tally.bytes == bytes_to_check(plain.root) + volume_file
    assert bytes_to_check(plain.root, COURSE) < bytes_to_check(plain.root)
    assert max(told) < sum(map(len, SUBMITTED_FILES.values())) + 1000


def test_the_journal(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    journal = plain.root / "journal"
    files = {
        "courses/math/2020-01.jsonl": b'{"what": "release"}\n{"what": "submit"}\n{"wha',
        "courses/gone/2020-02.jsonl": b"",
        "courses/math/2020-13.jsonl": b"{}\n",
        "courses/math/2020-12.jsonl": b"{}\n[]\n{}\n\xff\n" + b"[" * 100_000 + b"\n",
        "courses/math/2020-11.jsonl": b"{}\n" + b"x" * (2 * LONGEST_LINE + 5) + b"\n{}\n",
        "courses/%61/2020-01.jsonl": b"{}\n",
        "courses/notes": b"",
        "volume/2020-01.jsonl": b'{"what": "course"}\n',
        "volume/2020-01.jsonl.gz": b"",
        "elsewhere/2020-01.jsonl": b"",
    }
    for path, content in files.items():
        (journal / path).parent.mkdir(parents=True, exist_ok=True)
        (journal / path).write_bytes(content)
    (journal / "volume" / "2020-02.jsonl").mkdir()
    found = [(finding.code, finding.path, finding.message.partition("(")[2]) for finding in verify_volume(plain.root)]
    math = "journal/courses/math"
    assert found == [
        ("stray", "journal/elsewhere", ""),
        ("stray", "journal/courses/notes", ""),
        ("name-not-canonical", "journal/courses/%61", ""),
        ("stray", f"{math}/2020-13.jsonl", ""),
        ("journal-line-broken", f"{math}/2020-11.jsonl", "line 2)"),
        ("journal-line-broken", f"{math}/2020-12.jsonl", "line 2)"),
        ("journal-line-broken", f"{math}/2020-12.jsonl", "line 4)"),
        ("journal-line-broken", f"{math}/2020-12.jsonl", "line 5)"),
        ("stray", "journal/volume/2020-01.jsonl.gz", ""),
        ("stray", "journal/volume/2020-02.jsonl", ""),
    ]
    shutil.rmtree(journal)
    journal.touch()
    assert [finding.code for finding in verify_volume(plain.root)] == ["stray"]
