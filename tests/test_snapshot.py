"""What of a folder is sent: what is counted is what is copied, whatever lies in the folder."""

import hashlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ngshare_fs.exchange.failures.problems import ServerProblem
from ngshare_fs.exchange.folders.origin import ORIGIN, Origin, read_origin, write_origin
from ngshare_fs.exchange.sending import snapshot
from ngshare_fs.exchange.sending.snapshot import Found, Rules, check_size, look_through, take_snapshot
from ngshare_fs.formats.released_names import ReleasedNames, twins
from tests.waiting import until

RULES = Rules(ignore=[".ipynb_checkpoints", "*.pyc", "feedback"], include=["*"], max_file_size=1000, max_dir_size=1000)
NFC, NFD = "\u00dcbung.ipynb", "U\u0308bung.ipynb"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "ps1"
    (folder / "data").mkdir(parents=True)
    (folder / "p1.ipynb").write_bytes(b"{}")
    (folder / "data" / "a.csv").write_bytes(b"1,2\n")
    return folder


@pytest.fixture
def not_for_ever() -> Iterator[None]:
    """Whoever opens a pipe waits until somebody writes to it."""

    def give_up(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def sent(folder: Path, target: str, rules: Rules = RULES) -> dict[str, bytes]:
    """What is sent, by path; sizes and checksums are compared."""
    contents = look_through(str(folder), rules)
    found = {}
    for file in take_snapshot(contents.files, str(folder.parent / target)):
        found[file.path] = Path(file.place).read_bytes()
        assert file.size == len(found[file.path])
        assert file.md5 == hashlib.md5(found[file.path]).hexdigest()
    assert sum(file.size for file in contents.files) == sum(map(len, found.values()))
    return found


def left_out(folder: Path, rules: Rules = RULES) -> dict[str, str]:
    return {each.path: each.kind for each in look_through(str(folder), rules).left_out}


def refused(folder: Path, rules: Rules = RULES) -> str:
    with pytest.raises(ServerProblem) as problem:
        look_through(str(folder), rules)
    return str(problem.value)


def test_the_options_of_the_course_leave_out_what_nbgrader_leaves_out(work: Path) -> None:
    for path in (".ipynb_checkpoints/p1-checkpoint.ipynb", "feedback/2020/p1.html", "data/feedback", "m.pyc", "n.txt"):
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(b"x")
    (work / "large").write_bytes(b"x" * 1001)
    (work / "just").write_bytes(b"x" * 1000)
    write_origin(str(work), Origin("c", "ps1", None, {}))
    assert (work / ORIGIN).exists()
    rules = RULES._replace(include=["*.ipynb", "*.csv", "large", "just"], max_file_size=1)
    assert sent(work, "copy", rules).keys() == {"p1.ipynb", "data/a.csv", "just"}
    assert left_out(work, rules) == {
        ".ipynb_checkpoints": "excluded file",
        "feedback": "excluded file",
        "data/feedback": "excluded file",
        "m.pyc": "excluded file",
        "n.txt": "non included file",
        "large": "file too large",
    }
    assert "large" in sent(work, "copy2", rules._replace(max_file_size=0))


@pytest.mark.usefixtures("not_for_ever")
def test_what_holds_no_work_is_left_out_and_never_opened(work: Path) -> None:
    (work / ".#p1.ipynb").symlink_to("zoë@host.123:456")
    (work / "circle").symlink_to("circle")
    os.mkfifo(work / "pipe")
    (work / "linked pipe").symlink_to("pipe")
    (work / "zero").symlink_to("/dev/zero")
    here = os.getcwd()
    os.chdir(work)  # a socket's name may not be long
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        os.chdir(here)
        found = left_out(work)
        assert sent(work, "copy").keys() == {"p1.ipynb", "data/a.csv"}
    assert found == {
        ".#p1.ipynb": "link that leads nowhere",
        "circle": "link that leads nowhere",
        "pipe": "named pipe",
        "linked pipe": "link to a named pipe",
        "zero": "link to a device",
        "socket": "socket",
    }


def test_a_linked_file_or_folder_inside_is_sent_and_counted(work: Path) -> None:
    (work / "same.ipynb").symlink_to("p1.ipynb")
    (work / "again").symlink_to("data")
    (work / "data" / "absolute").symlink_to(work / "p1.ipynb")
    os.link(work / "p1.ipynb", work / "hard")
    found = sent(work, "copy")
    assert found.keys() == {
        "p1.ipynb", "same.ipynb", "hard", "data/a.csv", "data/absolute", "again/a.csv", "again/absolute"
    }  # fmt: skip
    assert not [path for path in (work.parent / "copy").rglob("*") if path.is_symlink()]
    size = sum(map(len, found.values()))
    (work / "data" / "b.csv").write_bytes(b"x" * (1000 - size // 2))
    assert "Directory size is too big" in refused(work, RULES._replace(max_dir_size=1))


def test_a_folder_that_is_reached_by_a_link_itself_is_no_outside(work: Path) -> None:
    link = work.parent / "link"
    link.symlink_to(work)
    (work / "same.ipynb").symlink_to(link / "p1.ipynb")
    assert sent(link, "copy").keys() == {"p1.ipynb", "same.ipynb", "data/a.csv"}


def test_no_link_is_followed_round_and_round(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "loop").symlink_to(".")
    (work / "data" / "up").symlink_to("..")
    (work / "one").mkdir()
    (work / "two").mkdir()
    (work / "one" / "to two").symlink_to("../two")
    (work / "two" / "to one").symlink_to("../one")
    (work / "two" / "b").write_bytes(b"b")
    assert sent(work, "copy").keys() == {"p1.ipynb", "data/a.csv", "two/b", "one/to two/b"}
    assert set(left_out(work).values()) == {"link to a folder that it is in"}
    monkeypatch.setattr(snapshot, "MOST_ENTRIES", 5000)
    for number in range(12):
        (work / str(number)).mkdir()
        for other in range(12):
            (work / str(number) / f"to {other}").symlink_to(f"../{other}")
    assert "has more than 5000 files and folders" in refused(work)


@pytest.mark.parametrize("target", ["..", "/", "../other", "../other/secret.txt", "/etc/passwd", "../ps10"])
def test_a_link_that_leads_outside_is_refused_by_name(work: Path, target: str) -> None:
    (work.parent / "other").mkdir()
    (work.parent / "ps10").mkdir()
    (work.parent / "other" / "secret.txt").write_text("s")
    (work / "data" / "link").symlink_to(target if target.startswith("/") else f"../{target}")
    said = refused(work)
    real = os.path.realpath(work / "data" / "link")
    assert f"data/link is a link to {real}, outside of the folder" in said
    assert sent(work, "copy", RULES._replace(ignore=["link"])).keys() == {"p1.ipynb", "data/a.csv"}


def test_names_that_no_server_could_keep_are_refused_together(work: Path) -> None:
    for number in range(20):
        (work / os.fsdecode(b"\xff%d.txt" % number)).touch()
    said = refused(work)
    assert r"\udcff1.txt is no UTF-8 text: rename it" in said
    assert "and 10 more" in said
    said.encode()
    rules = RULES._replace(ignore=["*.txt"])
    assert sent(work, "copy", rules).keys() == {"p1.ipynb", "data/a.csv"}


def test_a_folder_that_is_too_deep_is_refused(work: Path) -> None:
    program = "import os\nfor _ in range(500):\n    os.mkdir('d' * 10)\n    os.chdir('d' * 10)\nopen('f', 'w')"
    subprocess.run([sys.executable, "-c", program], cwd=work, check=True)
    assert "is too deep inside" in refused(work)
    subprocess.run(["rm", "-rf", str(work / ("d" * 10))], check=True)


def test_what_cannot_be_read_is_refused_by_name() -> None:
    """As another user, where root runs the tests: root may read everything."""
    program = (
        "import os, sys\n"
        "from ngshare_fs.exchange.failures.problems import ServerProblem\n"
        "from ngshare_fs.exchange.sending.snapshot import Rules, look_through, take_snapshot\n"
        "os.chdir(sys.argv[1])\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "for ignore in ([], ['secret']):\n"
        "    try:\n"
        "        take_snapshot(look_through('ps1', Rules(ignore, [], 0, 9)).files, 'copy')\n"
        "    except ServerProblem as problem:\n"
        "        print(problem)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder, "ps1")
        (work / "secret").mkdir(parents=True)
        (work / "secret").chmod(0)
        (work / "p1.ipynb").touch(mode=0)
        os.chmod(folder, 0o777)
        command = [sys.executable, "-c", program, folder]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        (work / "secret").chmod(0o700)
    assert "secret cannot be read (Permission denied): change that, for example by chmod" in printed
    assert "p1.ipynb cannot be read (Permission denied)" in printed


@pytest.mark.usefixtures("not_for_ever")
def test_a_note_of_the_origin_that_is_no_file_says_nothing(work: Path) -> None:
    note = work / ORIGIN
    replacements: list[Callable[[Path], object]] = [
        os.mkfifo,
        lambda place: place.symlink_to("/dev/zero"),
        lambda place: place.write_bytes(b"\xff"),
        lambda place: place.write_text("[" * 100_000),
        os.mkdir,
    ]
    for replace_by in replacements:
        note.unlink(missing_ok=True)
        replace_by(note)
        assert read_origin(str(work)) is None
        assert sent(work, f"copy{replacements.index(replace_by)}").keys() == {"p1.ipynb", "data/a.csv"}


# Between the walk and the copy.


@pytest.mark.usefixtures("not_for_ever")
def test_what_is_replaced_before_it_is_copied_is_neither_waited_for_nor_followed(work: Path) -> None:
    contents = look_through(str(work), RULES)
    file = work / "p1.ipynb"
    replacements: list[Callable[[Path], object]] = [
        os.mkfifo,
        os.mkdir,
        lambda place: place.symlink_to("/dev/zero"),
        lambda place: None,
    ]
    for number, replace_by in enumerate(replacements):
        file.unlink()
        replace_by(file)
        with pytest.raises(ServerProblem, match=r"p1\.ipynb (was replaced|was removed|cannot be read)"):
            take_snapshot(contents.files, str(work.parent / f"copy{number}"))
        if file.is_dir() and not file.is_symlink():
            file.rmdir()
        if not os.path.lexists(file):
            file.touch()


def test_a_file_that_has_grown_is_counted_as_it_is_sent(work: Path) -> None:
    contents = look_through(str(work), RULES)
    (work / "p1.ipynb").write_bytes(b"x" * 1_000_001)
    files = take_snapshot(contents.files, str(work.parent / "copy"))
    with pytest.raises(ServerProblem, match=r"largest file is p1\.ipynb with 1000001 bytes"):
        check_size(files, RULES)


@pytest.fixture
def log_that_grows(work: Path) -> Iterator[Path]:
    """A file to which somebody appends, as fast as they can."""
    place = work / "log"
    enough = threading.Event()

    def append() -> None:
        with place.open("ab", buffering=0) as file:
            while not enough.is_set():
                if file.write(b"line\n" * 1000) and file.tell() > 50_000_000:
                    file.truncate(0)

    writer = threading.Thread(target=append)
    writer.start()
    until(place.exists, "the first line")
    yield place
    enough.set()
    writer.join()


@pytest.mark.usefixtures("not_for_ever")
def test_a_file_that_is_written_all_the_time_is_sent_as_it_was_at_some_moment(work: Path, log_that_grows: Path) -> None:
    rules = RULES._replace(max_file_size=0, max_dir_size=10**9)
    for number in range(5):
        contents = look_through(str(work), rules)
        for file in take_snapshot(contents.files, str(work.parent / f"copy{number}")):
            content = Path(file.place).read_bytes()
            assert (file.size, file.md5) == (len(content), hashlib.md5(content).hexdigest())
    assert log_that_grows.exists()


def test_copies_can_be_read_and_removed_and_are_otherwise_as_they_were(work: Path) -> None:
    (work / "p1.ipynb").chmod(0o4511)
    os.utime(work / "p1.ipynb", (1, 2))
    sent(work, "copy")
    copy = (work.parent / "copy" / "p1.ipynb").stat()
    assert stat.S_IMODE(copy.st_mode) == 0o711
    assert copy.st_mtime == 2


def test_many_files_are_looked_through_once(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10_000):
        (work / f"{number}.txt").touch()
    opened = 0
    real_open = os.open

    def counting(*arguments: object, **named: object) -> int:
        nonlocal opened
        opened += 1
        return real_open(*arguments, **named)  # type: ignore[arg-type]

    contents = look_through(str(work), RULES)
    monkeypatch.setattr(snapshot.os, "open", counting)  # type: ignore[attr-defined]
    assert len(take_snapshot(contents.files, str(work.parent / "copy"))) == 10_002
    assert opened == 10_002


# Names that look alike.


def test_a_file_has_the_name_under_which_it_was_released() -> None:
    names = ReleasedNames([NFC, "gr\u00f6\u00dfe/a.csv", "both\u00fc", "bothu\u0308"])
    assert names.of(NFD) == NFC
    assert names.of(NFC) == NFC
    assert names.of("gro\u0308\u00dfe/a.csv") == "gr\u00f6\u00dfe/a.csv"
    assert names.of("gro\u0308\u00dfe/own/o\u0308") == "gr\u00f6\u00dfe/own/o\u0308"
    assert names.of("bothu\u0308") == "bothu\u0308"
    assert names.of("own/o\u0308") == "own/o\u0308"
    assert names.both_released(("both\u00fc", "bothu\u0308"))


def test_twins_are_found_in_every_folder_once() -> None:
    assert twins([NFC, "a", "A", "b/" + NFC]) == []
    assert twins([NFC, NFD]) == [(NFC, NFD)]
    assert twins(["\u00fc/a", "\u00fc/b", "u\u0308/a", "u\u0308/c"]) == [("\u00fc", "u\u0308")]
    assert twins(["x/" + NFC, "x/" + NFD]) == [("x/" + NFC, "x/" + NFD)]


def test_options_match_names_in_either_form(work: Path) -> None:
    (work / NFD).touch()
    assert NFD in left_out(work, RULES._replace(ignore=[NFC]))
    assert isinstance(look_through(str(work), RULES).files[0], Found)
