"""`ngshare-fs import nbgrader`: what of a shared folder comes onto a volume, and as what."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store import Volume, dates, release
from ngshare_fs.transfer.nbgrader import inbound
from tests.operators.importing_from_nbgrader import Import, assignment, data, folder, found, roster, take_over
from tests.operators.nbgrader_folder import COURSE, HANDED_IN, LATER, NOTEBOOK, RANDOM, SECRET, ExchangeFolder, contents
from tests.operators.test_import_ngshare_interrupted import small_disk
from tests.verifying import codes, everything
from tests.waiting import until

__all__ = ["data", "folder", "small_disk", "take_over"]


def test_a_course_comes_whole_with_its_times(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release(files={"problem1.ipynb": NOTEBOOK, "data/größe.csv": b"1\n"})
    folder.submission("lawrence", files={"problem1.ipynb": b"mine", ".ipynb_checkpoints/x": b"", "a/b/c": b"d"})
    folder.submission("lawrence", LATER)
    folder.page(SECRET.encode() + b"problem1")
    document = take_over("--instructors", "kevin")
    assert found(document) == []
    [course] = document["courses"]
    assert [course[kind]["new"] for kind in ("people", "releases", "submissions", "feedback")] == [2, 1, 2, 2]
    at = assignment(data)
    assert contents(at / "releases/20200126T005320.250000Z/files") == {
        "problem1.ipynb": NOTEBOOK, "data/größe.csv": b"1\n",
    }  # fmt: skip
    first = at / "submissions/lawrence/20200130T103047.524219Z"
    assert contents(first / "files") == {"problem1.ipynb": b"mine", "a/b/c": b"d"}
    assert contents(first / "feedback/20200520T184000.000000Z/files") == {"problem1.html": b"<p>good</p>"}
    assert (at / "submissions/lawrence/20200131T090000.000001Z").is_dir()
    assert roster(data) == {"instructors": {"kevin": {}}, "students": {"lawrence": {}}}
    [journal] = data.glob(f"journal/courses/{COURSE}/*.jsonl")
    [line] = [json.loads(each) for each in journal.read_text().splitlines()]
    assert (line["what"], line["course"], line["via"]) == ("import", COURSE, "command")


def test_feedback_is_found_by_each_of_its_names(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release(files={"problem1.ipynb": NOTEBOOK, "left out.ipynb": NOTEBOOK})
    folder.submission("secret", secret="s")
    folder.submission("key", secret=None, files={"problem1.ipynb": b"k", "problem2.ipynb": b"K"})
    folder.submission("content", secret=None, files={"problem1.ipynb": b"c", "a folder.ipynb/x": b""})
    folder.submission("nothing", secret=None)
    folder.page(b"sproblem1", b"1")
    folder.page(b"sleft out", b"2", at=1590000001)
    folder.page(b"k" + f"{COURSE}+ps1+problem1+key+{HANDED_IN}".encode(), b"3")
    folder.page(b"K" + f"{COURSE}+ps1+problem2+key+{HANDED_IN}".encode(), b"4")
    folder.page(b"c", b"5")
    folder.page(b"somebody else's", b"6")
    (folder.root / COURSE / "feedback" / "notes.txt").write_text("")
    document = take_over("--instructors", "kevin")
    assert found(document) == ["feedback-unmatched"]
    [message] = [problem["message"] for problem in document["problems"] if problem["code"] == "feedback-unmatched"]
    assert "notes.txt" in message
    given = {
        student: [contents(tree) for tree in assignment(data).glob(f"submissions/{student}/*/feedback/*/files")]
        for student in ("secret", "key", "content", "nothing")
    }
    assert given == {
        "secret": [{"problem1.html": b"1", "left out.html": b"2"}],
        "key": [{"problem1.html": b"3", "problem2.html": b"4"}],
        "content": [{"problem1.html": b"5"}],
        "nothing": [],
    }
    assert [path.name for path in assignment(data).glob("submissions/secret/*/feedback/*")] == [
        "20200520T184001.000000Z"
    ]


def test_names_of_students_are_read_as_nbgrader_wrote_them(
    folder: ExchangeFolder, take_over: Import, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbound, "JUST_NOW_SECONDS", -1.0)
    folder.release()
    students = ["max+moritz", "zoë@uni.example", "+", "a b", "..", "-x", "100%", "x" * 200, "two\nlines"]
    for student in students:
        for second, random in enumerate((RANDOM, None)):
            for written in ("", None):
                time = f"2020-01-30 10:30:4{second}.00000{int(written is None)} UTC"
                folder.submission(student, time, random=random, written=written)
    document = take_over()
    assert found(document) == []
    assert found(document, notes=True) == ["no-instructors", "owners-unknown"] + ["time-missing"] * len(students) * 2
    assert sorted(roster(data)["students"]) == sorted(students)
    assert document["courses"][0]["submissions"]["new"] == len(students) * 4


def test_a_time_in_another_zone_waits_for_its_name(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release()
    folder.submission("lawrence", "2020-10-25 02:30:00.000001 CEST")
    folder.submission("lawrence", "2020-10-25 02:30:00.000001 CET")
    folder.submission("max", "2020-01-30 10:30:47.524219 UTC")
    document = take_over()
    assert found(document) == ["time-unusable"] * 2
    assert (
        "is in the timezone CEST: say which that is, as --timezone Europe/Berlin" in document["problems"][0]["message"]
    )
    assert found(take_over("--timezone", "Asia/Tokyo")) == ["time-unusable"] * 2
    assert found(take_over("--timezone", "Europe/Berlin")) == []
    assert sorted(path.name for path in assignment(data).glob("submissions/*/*")) == [
        "20200130T103047.524219Z", "20201025T003000.000001Z", "20201025T013000.000001Z",
    ]  # fmt: skip


def test_another_format_of_times(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release()
    folder.submission("lawrence", "30. Jan 2020 at 10h30m47 UTC")
    assert found(take_over()) == ["time-unusable"]
    assert found(take_over("--timestamp-format", "%d. %b %Y at %Hh%Mm%S %Z")) == []
    assert [path.name for path in assignment(data).glob("submissions/*/*")] == ["20200130T103047.000000Z"]


def test_times_that_are_the_same_become_different(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release()
    for number in range(3):
        work = folder.submission("lawrence", random=f"abcdefghijk{number}", files={"p.ipynb": b"%d" % number})
        os.utime(work, (1580000000 - number,) * 2)
    assert found(take_over(), notes=True).count("time-repeated") == 2
    works = {tree.parent.name: contents(tree) for tree in assignment(data).glob("submissions/*/*/files")}
    assert works == {
        "20200130T103047.524219Z": {"p.ipynb": b"2"},
        "20200130T103047.524220Z": {"p.ipynb": b"1"},
        "20200130T103047.524221Z": {"p.ipynb": b"0"},
    }
    again = take_over()
    assert (found(again), again["courses"][0]["submissions"]["there"]) == ([], 3)


def test_times_that_cannot_be_are_left_out_and_said(
    folder: ExchangeFolder, data: Path, take_over: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.release()
    folder.submission("fine", HANDED_IN)
    folder.submission("ahead", "2999-01-30 10:30:47.524219 UTC")
    folder.submission("never", "0001-01-01 00:00:00.000000 UTC")
    folder.submission("no-date", "2021-02-29 00:00:00.000000 UTC")
    folder.submission("no-time", "soon")
    folder.submission("two", HANDED_IN, written=LATER)
    folder.submission("just-now", written=None)
    document = take_over()
    assert found(document) == ["being-handed-in", "time-ahead", "time-unusable", "time-unusable", "time-unusable"]
    assert "time-differs" in found(document, notes=True)
    assert sorted(path.parent.name for path in assignment(data).glob("submissions/*/*")) == ["fine", "two"]
    assert (assignment(data) / "submissions/two/20200131T090000.000001Z").is_dir()
    monkeypatch.setattr(inbound, "JUST_NOW_SECONDS", -1.0)
    assert "time-missing" in found(take_over(), notes=True)
    assert (assignment(data) / "submissions/just-now").is_dir()


def test_a_dry_run_says_the_same_and_makes_nothing(
    folder: ExchangeFolder, data: Path, tmp_path: Path, take_over: Import
) -> None:
    folder.release()
    folder.submission("lawrence")
    folder.submission("max", assignment="gone")
    (folder.submission("link") / "notes.txt").symlink_to("/etc/passwd")
    folder.page(SECRET.encode() + b"problem1")
    before = everything(tmp_path)
    foreseen = take_over("--dry-run")
    assert everything(tmp_path) == before
    done = take_over()
    assert (foreseen.pop("dry_run"), done.pop("dry_run")) == (True, False)
    for document in (foreseen, done):
        for problem in document["problems"]:
            problem.pop("message")
    assert foreseen == done
    before = everything(tmp_path)
    take_over("--dry-run")
    assert everything(tmp_path) == before


def test_a_second_run_takes_what_has_come_since_and_nothing_else(
    folder: ExchangeFolder, data: Path, take_over: Import
) -> None:
    folder.release()
    work = folder.submission("lawrence")
    folder.submission("max")
    take_over("--instructors", "kevin")
    before = everything(data / "courses")
    again = take_over("--instructors", "kevin")
    assert everything(data / "courses") == before
    assert [again["courses"][0][kind]["new"] for kind in ("people", "releases", "submissions")] == [0, 0, 0]
    # A student has been taken off the roster; another one has changed what was taken over, and hands in once more.
    course_file = data / "courses" / COURSE / "course.yaml"
    course_file.write_text(course_file.read_text().replace("  max: {}\n", ""))
    (work / "problem1.ipynb").write_bytes(b"better")
    folder.submission("lawrence", LATER)
    document = take_over("--instructors", "kevin")
    assert found(document) == ["submission-differs"]
    assert list(roster(data)["students"]) == ["lawrence"]
    works = [contents(tree) for tree in sorted(assignment(data).glob("submissions/lawrence/*/files"))]
    assert works == [{"problem1.ipynb": NOTEBOOK + b"lawrence"}] * 2


def test_work_on_what_is_not_released_any_more_comes_too(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release()
    folder.submission("lawrence", assignment="gone")
    for is_first in (True, False):
        assert ("not-released" in found(take_over(), notes=True)) == is_first
        assert len(list(assignment(data, "gone").glob("releases/*"))) == 2
    with closing(Volume.open(data)) as volume:
        assert release.visible_assignments(volume, COURSE, dates.now()) == ["ps1"]
        with volume.upload() as nothing:
            release.release(volume, COURSE, "gone", "kevin", nothing)
    assert "not-released" not in found(take_over(), notes=True)
    assert len(list(assignment(data, "gone").glob("releases/*"))) == 3


def test_courses_are_chosen_by_name(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    for course in ("a", "b", "c"):
        folder.release(course=course)
    (folder.root / "lost+found").mkdir()
    take_over("--course", "a", "--course", "b")
    assert sorted(path.name for path in data.glob("courses/*")) == ["a", "b"]
    assert "no-course" in found(take_over(), notes=True)
    assert sorted(path.name for path in data.glob("courses/*")) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--exchange", "missing"], "missing cannot be read: No such file or directory"),
        (["--exchange", "file"], "file cannot be read: Not a directory"),
        (["--exchange", "empty"], "empty has no course: a course is a folder with outbound, inbound or feedback"),
        (["--exchange", "exchange", "--course", "x"], "exchange has no course 'x'"),
        (["--exchange", "exchange", "--timezone", "Mars/Base"], "no timezone of that name is known here"),
        (["--exchange", "exchange", "--timezone", "../../etc/passwd"], "no timezone of that name is known here"),
        (["--exchange", "exchange", "--timestamp-format", "%H"], "it needs year, month, day, hour and minute"),
        (["--exchange", "exchange", "--instructors", ""], "'' is no name of a user"),
        (["--exchange", "exchange", "--data", "other"], "holds something else ('thesis.tex')"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    words: list[str], said: str, folder: ExchangeFolder, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder.release()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.tex").touch()
    monkeypatch.chdir(tmp_path)
    before = everything(tmp_path)
    assert main(["import", "nbgrader", "--data", "data", *words]) == 2
    assert said in capsys.readouterr().err
    assert everything(tmp_path) == before


def test_killed_at_any_moment_it_is_run_again(folder: ExchangeFolder, data: Path, take_over: Import) -> None:
    folder.release()
    for number in range(30):
        folder.submission(f"student{number}", assignment="ps1" if number % 2 else "gone")
        folder.submission(f"student{number}", LATER, assignment="ps1" if number % 2 else "gone")
    folder.page(SECRET.encode() + b"problem1")
    command = [sys.executable, "-m", "ngshare_fs", "import", "nbgrader"]
    command += ["--exchange", str(folder.root), "--data", str(data)]
    for killed_at in (1, 30):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            until(
                lambda wanted=killed_at, running=process: (  # type: ignore[misc]
                    len(list(data.glob("courses/*/assignments/*/submissions/*/*"))) >= wanted
                    or running.poll() is not None
                ),
                "the import has come so far",
            )
            process.kill()
        assert codes(data) == []
    document = take_over()
    assert found(document) == []
    assert document["courses"][0]["submissions"]["new"] + document["courses"][0]["submissions"]["there"] == 60
    assert len(list(data.glob("courses/*/assignments/*/submissions/*/*/feedback/*"))) == 60


def test_a_disk_that_fills_stops_it_and_it_goes_on_later(
    folder: ExchangeFolder, small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.release()
    for number in range(40):
        folder.submission(f"student{number}")
    data = small_disk / "data"
    words = ["import", "nbgrader", "--exchange", str(folder.root), "--data", str(data)]
    assert main(words) == 1
    assert "stopped: " in capsys.readouterr().out
    subprocess.run(["mount", "-o", "remount,nr_inodes=2000", str(small_disk)], check=True)
    assert main(words) == 0
    assert len(list(data.glob("courses/*/assignments/ps1/submissions/*/*"))) == 40
    assert codes(data) == []
    folder.release(course="large", files={"x.bin": b"x" * 3 * 2**20})
    before = everything(data / "courses")
    assert main(words) == 2
    assert "are free: make room, or import some of them with --course" in capsys.readouterr().err
    assert everything(data / "courses") == before
