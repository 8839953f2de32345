"""`ngshare-fs restore`: a course appears whole or not at all, and nothing that an archive says is believed."""

import os
import socket
import subprocess
import tarfile
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, course
from tests.durability.disks import unmounted_at_the_end
from tests.durability.states import left_by_the_server, state_of
from tests.operators.archives import COURSE, RIGHT, compressed, described, member, members, sums, tar, write
from tests.operators.running import Command, run
from tests.verifying import codes, everything
from tests.volumes import Plain, write_course, write_release

__all__ = ["run"]

Members = list[tuple[tarfile.TarInfo, bytes | None]]


@pytest.fixture
def empty(run: Command) -> Command:
    """The command, on a volume without courses."""
    Volume.open(run.data).close()
    return run


def unharmed(run: Command, file: Path, *words: str) -> str:
    """Restore what cannot be restored; gives what is said of it. Nothing is changed, and nothing is left."""
    before = state_of(run.data)
    said = [run.refused("restore", file, *words), run.refused("restore", file, "--dry-run", *words)]
    assert said[0] == said[1]
    assert "Nothing was changed." in said[0]
    assert state_of(run.data) == before
    assert left_by_the_server(run.data) == []
    return said[0]


def test_an_archive_by_hand_is_restored(empty: Command, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.zst", tar(members(RIGHT)))
    before = everything(tmp_path)
    listed = empty.done("restore", archive, "--list").out
    assert listed.startswith("math, archived 2020-06-01 12:00:00.000000 UTC by root with somebody else's 3.0\n")
    assert "would restore math" in empty.done("restore", archive, "--dry-run").out
    assert everything(tmp_path) == before
    assert empty.done("restore", archive).out == "math is restored as it was on 2020-06-01 12:00:00.000000 UTC\n"
    assert codes(empty.data) == []
    for path, content in RIGHT.items():
        assert content is None or (empty.data / path).read_bytes() == content
    assert left_by_the_server(empty.data) == []


def test_what_zstd_has_unpacked_is_restored_too(empty: Command, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.zst", tar(members(RIGHT)))
    subprocess.run(["zstd", "-d", "-q", archive, "-o", tmp_path / "a.tar"], check=True)
    empty.done("restore", tmp_path / "a.tar")
    assert codes(empty.data) == []


def with_member(information: tuple[tarfile.TarInfo, bytes | None]) -> Members:
    """The right archive, with one thing more among the files of the course."""
    entries = members(RIGHT, files=str(len(RIGHT)), size="1000000000")
    return [*entries[:3], information, *entries[3:]]


def inside(path: str) -> dict[str, bytes | None]:
    """The right archive with another file, its sums in order."""
    entries = dict(RIGHT)
    journal = {key: entries.pop(key) for key in list(entries) if key.startswith("journal")}
    return {**entries, path: b"x", **journal}


LONG = "courses/math/assignments/" + "x" * 256
DEEP = {"courses/math/assignments" + "/d" * depth: None for depth in range(1, 400)}
LARGE_YAML = members(RIGHT, size=str(2**29))
LARGE_YAML[2] = member("courses/math/course.yaml", b"", size=2**28)
SPARSE = member("courses/math/d", b"", pax_headers={"GNU.sparse.major": "1", "GNU.sparse.name": "d"})
HUGE = member("courses/math/d", b"", size=2**62)
WITHOUT_SUMS = members(RIGHT)[:-1]
WRONG_SUM = [*members(RIGHT)[:-1], member("SHA256SUMS", sums({**RIGHT, "archive.yaml": described(RIGHT)})[::-1])]
MORE_SUMS = [*members(RIGHT)[:-1], member("SHA256SUMS", (members(RIGHT)[-1][1] or b"") + b"0" * 64 + b"  x\n")]
HOSTILE: dict[str, tuple[Members | bytes, str]] = {
    "out by ..": (members(inside("courses/math/assignments/../../../../x")), "is no path|lies outside"),
    "..": (members(inside("courses/math/assignments/..")), "is no path"),
    "absolute": (members(inside("/etc/cron.d/x")), "lies outside"),
    "another course": (members(inside("courses/physics/course.yaml")), "lies outside"),
    "the volume's file": (members(inside("ngshare.yaml")), "lies outside"),
    "the trash": (members(inside("trash/x")), "lies outside"),
    "staging": (members(inside(".ngshare/staging/x")), "lies outside"),
    "an empty component": (members(inside("courses/math/assignments//x")), "lies outside"),
    "a nul": (with_member(member("a", b"", pax_headers={"path": "courses/math/a\0b"})), "is no path"),
    "too long a name": (members(inside(LONG)), "is no path"),
    "a folder that is not there": (members(inside("courses/math/assignments/ps1/x")), "lies outside"),
    "too deep": (members({**dict(list(RIGHT.items())[:3]), **DEEP}), "is no path"),
    "a file that would fill the memory": (LARGE_YAML, "course.yaml' in it has 268435456 bytes"),
    "a symbolic link": (with_member(member("courses/math/d", b"", type=tarfile.SYMTYPE)), "a symbolic link"),
    "a hard link": (with_member(member("courses/math/d", b"", type=tarfile.LNKTYPE)), "a hard link"),
    "a device": (with_member(member("courses/math/d", b"", type=tarfile.CHRTYPE)), "a device"),
    "a pipe": (with_member(member("courses/math/d", b"", type=tarfile.FIFOTYPE)), "a named pipe"),
    "an old sparse file": (with_member(member("courses/math/d", b"", type=tarfile.GNUTYPE_SPARSE)), "a sparse file"),
    "a sparse file": (with_member(SPARSE), "a sparse file"),
    "a global header": (with_member(member("g", b"", type=tarfile.XGLTYPE)), "neither a file nor a folder"),
    "twice": (with_member(member("courses/math/course.yaml", b"course: math\n")), "comes twice"),
    "not in its order": (with_member(member("courses/math/a", b"")), "not in its order"),
    "more than it says": (members(RIGHT, files="1"), "holds more than"),
    "larger than it says": (members(RIGHT, size="3"), "holds more than"),
    "huge": (with_member(HUGE), "holds more than"),
    "less than it says": (members(RIGHT, files="9"), "holds less than"),
    "without sums": (WITHOUT_SUMS, "it does not end with SHA256SUMS"),
    "a wrong sum": (WRONG_SUM, "is not as its SHA256SUMS says"),
    "more sums": (MORE_SUMS, "names more files than it has"),
    "something behind": ([*members(RIGHT), member("x", b"")], "something follows behind its SHA256SUMS"),
    "much behind": (tar(members(RIGHT)) + bytes(2**22), "something follows behind its end"),
    "something else behind": (tar(members(RIGHT)) + b"x" * 512, "something follows behind its end"),
    "another program's tar": ([member("thesis.tex", b"x")], "does not begin with archive.yaml"),
    "no tar": (b"\x89PNG\r\n" * 1000, "it is no tar, or damaged"),
    "nothing": (b"", "it is cut short"),
    "a newer archive": (members(RIGHT, archive="2"), "archive 2 is newer than this program knows: use somebody else's"),
    "a newer layout": (members(RIGHT, layout="9"), "layout 9 is newer than this program knows: use somebody else's"),
    "no number": (members(RIGHT, size="-1"), "line 13: `size` has to be a number"),
    "no course": (members(RIGHT, course=""), "`course` is missing"),
    "no YAML": ([member("archive.yaml", b"archive: [\n")], "archive.yaml, line 2: not YAML"),
    "a huge description": ([member("archive.yaml", b" " * 2**20)], "its archive.yaml has 1048576 bytes"),
    "a huge name": (with_member(member("x", b"", pax_headers={"path": "x" * 2**20})), "a name in it takes"),
    "a broken name": (with_member(member("path=x\n" * 9, b"7 path=x\n", type=tarfile.XHDTYPE)), "cannot be understood"),
}


@pytest.mark.parametrize(("made", "said"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_archives_change_nothing(made: Members | bytes, said: str, empty: Command, tmp_path: Path) -> None:
    content = made if isinstance(made, bytes) else tar(made)
    heard = unharmed(empty, write(tmp_path / "a.tar.zst", content))
    assert any(part in heard for part in said.split("|")), heard
    (tmp_path / "a.tar").write_bytes(content)
    assert empty.refused("restore", tmp_path / "a.tar", "--dry-run") == heard.replace("a.tar.zst", "a.tar")


@pytest.mark.parametrize("name", [".hidden", "%41", "a\nb"])
def test_names_that_no_course_has_are_findings(name: str, empty: Command, tmp_path: Path) -> None:
    folder = f"courses/math/assignments/{name}"
    entries = {**RIGHT, folder: None, f"{folder}/releases": None}
    journal = {key: entries.pop(key) for key in list(entries) if key.startswith("journal")}
    archive = write(tmp_path / "a.tar.zst", tar(members({**entries, **journal})))
    ended = empty("restore", archive)
    assert ended.code == 1
    assert "name-not-canonical" in ended.err
    assert course_folders(empty.data) == []
    assert left_by_the_server(empty.data) == []


def course_folders(data: Path) -> list[str]:
    return os.listdir(data / "courses")


def test_an_archive_that_is_cut_short_or_damaged_anywhere(empty: Command, tmp_path: Path) -> None:
    whole = compressed(tar(members(RIGHT)))
    before = state_of(empty.data)
    file = tmp_path / "a.tar.zst"
    for cut in range(0, len(whole), 31):
        file.write_bytes(whole[:cut])
        assert "cut short" in empty.refused("restore", file, "--dry-run")
    for place in range(0, len(whole), 37):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        empty.refused("restore", file)
    plain = tar(members(RIGHT))
    for cut in range(0, len(plain) - 512, 1024):
        file.write_bytes(plain[:cut])
        assert "cut short" in empty.refused("restore", file, "--dry-run")
    assert state_of(empty.data) == before
    assert left_by_the_server(empty.data) == []


def test_a_bomb_is_stopped_by_what_it_declares(empty: Command, tmp_path: Path) -> None:
    bomb = member("courses/math/assignments/x", bytes(2**23))
    entries = members(RIGHT)
    said = unharmed(empty, write(tmp_path / "a.tar.zst", tar([*entries[:4], bomb, *entries[4:]])))
    assert "it holds more than its archive.yaml says" in said
    # Where it is honest, there has to be room for it.
    said = unharmed(empty, write(tmp_path / "b.tar.zst", tar(members(RIGHT, size=str(10**17)))))
    assert "the course takes about 89 PiB, and" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_where_room_ends_nothing_is_left(run: Command, tmp_path: Path) -> None:
    large = write_course(Plain(tmp_path / "from").root, "large")
    write_release(large, ("large", "a"), "kevin", "2020-01-30 10:30:47.524219 UTC", {"x": os.urandom(2**21)})
    archive = tmp_path / "a.tar.zst"
    run.data = tmp_path / "from"
    run.done("archive", "large", archive)
    run.data = tmp_path / "small"
    run.data.mkdir()
    with unmounted_at_the_end(run.data):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", run.data], check=True)
        Volume.open(run.data).close()
        Path(run.data, "filler").write_bytes(bytes(2**20 + 2**19))
        assert "make room, then run this again. Nothing was changed." in run.refused("restore", archive)
        # And where it ends on the way: the archive is honest, but somebody else writes.
        status = os.statvfs
        try:
            os.statvfs = lambda path: status(tmp_path)
            said = run.refused("restore", archive)
        finally:
            os.statvfs = status
        assert "No space left on device: make room, then run this again" in said
        assert course_folders(run.data) == []
        assert left_by_the_server(run.data) == []


def test_a_place_that_is_taken_is_said(run: Command, tmp_path: Path) -> None:
    plain = Plain(run.data)
    archive = tmp_path / "a.tar.zst"
    run.done("archive", COURSE, archive)
    said = unharmed(run, archive)
    assert said.startswith("there is a course 'math' already: move it away, or restore under another name (--as NAME).")
    long = "another/" + "n" * 300
    assert run.done("restore", archive, "--as", long).out.startswith(f"{long} is restored as it was on ")
    assert codes(run.data) == []
    volume = Volume.open(run.data)
    assert course.all_courses(volume) == [long, COURSE]
    volume.close()
    assert "already" in unharmed(run, archive, "--as", long)
    assert plain.course.is_dir()


def test_an_empty_folder_is_no_course_and_a_file_is_in_the_way(empty: Command, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.zst", tar(members(RIGHT)))
    (empty.data / "courses" / "math").touch()
    assert "already" in unharmed(empty, archive)
    (empty.data / "courses" / "math").unlink()
    (empty.data / "courses" / "math").mkdir()
    empty.done("restore", archive)
    assert codes(empty.data) == []


def test_the_journal_is_brought_in_once(empty: Command, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.zst", tar(members(RIGHT)))
    file = empty.data / "journal/courses/math/2020-01.5f3a9c01.jsonl"
    before = RIGHT["journal/courses/math/2020-01.5f3a9c01.jsonl"] or b""
    empty.done("restore", archive)
    file.write_bytes(before + b'{"time": "later"}\n')
    (empty.data / "courses/math").rename(tmp_path / "away")
    empty.done("restore", archive)
    assert file.read_bytes() == before + b'{"time": "later"}\n'
    assert len(list(file.parent.glob("2020-01.*"))) == 1
    # Another system's file of the same name: both stay.
    file.write_bytes(b'{"time": "of another volume"}\n')
    (empty.data / "courses/math").rename(tmp_path / "away too")
    empty.done("restore", archive)
    assert sorted(path.read_bytes() for path in file.parent.glob("2020-01.*.jsonl")) == sorted(
        [before, b'{"time": "of another volume"}\n']
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere.tar.zst"], 2, "nowhere.tar.zst: no such file"),
        (["."], 2, ". is a folder: give the name of an archive in it"),
        (["a.tar.zst", "--as", ""], 2, "a name cannot be empty"),
        (["a.tar.zst", "--as", "\udcff"], 2, "is no name: it is not UTF-8"),
    ],
)
def test_wrong_words(
    words: list[str], code: int, said: str, empty: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.tar.zst", tar(members(RIGHT)))
    monkeypatch.chdir(tmp_path)
    assert said in empty.refused("restore", *words, code=code)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_what_is_no_file_is_not_waited_for(kind: str, empty: Command, tmp_path: Path) -> None:
    path = tmp_path / kind
    with socket.socket(socket.AF_UNIX) as listening:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            listening.bind(str(path))
        else:
            path.symlink_to("/dev/zero")
        before = state_of(empty.data)
        for words in (["--list"], ["--dry-run"], []):
            assert "is a pipe, a socket or a device: give the name of a file" in empty.refused(
                "restore", path, *words, code=2
            )
    assert state_of(empty.data) == before


def test_as_json(empty: Command, tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar.zst", tar(members(RIGHT)))
    document = empty.done("restore", archive, "--list", "--json").document
    assert (document["course"], document["files"], document["damaged"]) == (COURSE, 2, [])
    document = empty.done("restore", archive, "--as", "x", "--json").document
    assert (document["course"], document["archived_as"], document["findings"]) == ("x", COURSE, [])
