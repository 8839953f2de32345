"""`repair` beside a server under load, where it may not write, and where there is no room."""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.store.format import timestamp
from ngshare_fs.store.format.timestamp import Timestamp
from tests.servers import Server, running
from tests.serving import BODY, address, until
from tests.test_store import small_disk
from tests.verifying import NOBODY, codes, everything, somebody_else_in
from tests.volumes import ASSIGNMENT, COURSE, SUBMITTED_FILES, Plain

__all__ = ["small_disk"]

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="owners can be changed by root only: run the tests as root")


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that every user of the system can reach; those of pytest are its user's alone."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        yield Path(place)
        for folder, folders, _ in os.walk(place):
            for name in folders:
                Path(folder, name).chmod(0o755)


@contextmanager
def handing_in(server: Server, clients: int = 3) -> Iterator[list[str]]:
    """Clients that hand in without a pause; gives the timestamps of what was acknowledged."""
    stored: list[str] = []
    over = threading.Event()

    def work() -> None:
        connection = HTTPConnection(*address(server), timeout=30)
        path = f"{urlsplit(server.url).path}submission/{COURSE}/{ASSIGNMENT}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        while not over.is_set():
            connection.request("POST", path, BODY, headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            stored.append(json.loads(answer.read())["timestamp"])
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield stored
    finally:
        over.set()
        for thread in threads:
            thread.join()


def spoil(plain: Plain) -> None:
    """Several kinds of damage, in the course and the assignment that the load is for."""
    shutil.copytree(plain.submission, plain.submission.with_name("20200131T000000.000000Z"))
    (plain.submission / "manifest.yaml").unlink()
    (plain.submission / "files" / "more").touch()
    (plain.course / "note").touch()
    shutil.copytree(plain.assignment, plain.assignment.with_name("%61"))
    (plain.assignment / "link").symlink_to("nowhere")
    (plain.deletion / "trash.yaml").unlink()


def test_beside_a_server_under_load_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    plain = Plain(tmp_path / "volume")
    with running(plain.root, "--trash-days", "0") as server, handing_in(server) as stored:
        for _ in range(2):
            spoil(plain)
            before = len(stored)
            assert main(["repair", "--yes", "--data", str(plain.root)]) == 1
            shutil.rmtree(plain.submission.with_name("20200131T000000.000000Z"))
            shutil.rmtree(plain.assignment.with_name("a"))
            until(lambda before=before: len(stored) > before + 3, "clients go on", server)  # type: ignore[misc]
    assert len(stored) == len(set(stored)) > 6
    folder = plain.submission.parent
    assert {timestamp.folder_of(Timestamp(moment)) for moment in stored} <= set(os.listdir(folder))
    assert set(codes(plain.root)) == {"rebuilt"}


def of_nobody(plain: Plain) -> None:
    if os.geteuid() == 0:
        for path in (plain.root, *plain.root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


@pytest.mark.parametrize("place", ["submission", "course"])
def test_what_its_owner_may_not_read_is_readable_again(open_place: Path, place: str) -> None:
    plain = Plain(open_place / "volume")
    of_nobody(plain)
    folder: Path = getattr(plain, place)
    file = plain.feedback / "files" / "problem1.html"
    file.chmod(0o040)
    folder.chmod(0o070)
    with somebody_else_in(plain.root) as inside:
        assert set(codes(inside)) == {"unreadable"}
        assert main(["repair", "--yes", "--data", str(plain.root)]) == 0
        assert codes(inside) == []
    assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o770, 0o640)


@only_root
def test_what_belongs_to_somebody_else_is_left_where_it_is(
    open_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Plain(open_place / "volume")
    of_nobody(plain)
    os.chown(plain.submission, 0, 0)
    plain.submission.chmod(0)
    with somebody_else_in(plain.root):
        assert main(["repair", "--yes", "--data", str(plain.root)]) == 1
    assert "it belongs to root (uid 0), and this runs as nobody (uid" in capsys.readouterr().out
    assert (plain.submission / "files" / "problem1.ipynb").read_bytes() == SUBMITTED_FILES["problem1.ipynb"]


def test_a_volume_that_cannot_be_written_is_looked_at_and_not_mended(
    open_place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Plain(open_place / "volume")
    (plain.course / "note").touch()
    for path in (plain.root, *plain.root.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = everything(plain.root)
    with somebody_else_in(plain.root):
        assert main(["repair", "--dry-run", "--data", str(plain.root)]) == 0
        assert "stray courses/math/note: move it" in capsys.readouterr().out
        assert main(["repair", "--yes", "--data", str(plain.root)]) == 2
    assert "Permission denied" in capsys.readouterr().err
    assert everything(plain.root) == before


def test_a_full_disk_is_said_and_nothing_is_lost(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = Plain(small_disk / "volume")
    spoil(plain)
    assert main(["repair", "--yes", "--only", "special-file", "--data", str(plain.root)]) == 0
    before = codes(plain.root)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert main(["repair", "--yes", "--data", str(plain.root)]) in (1, 2)
    output = capsys.readouterr()
    assert "No space left on device" in output.out + output.err
    assert codes(plain.root) == before
    filler.unlink()
    assert main(["repair", "--yes", "--data", str(plain.root)]) == 1
    assert set(codes(plain.root)) == {"timestamp-differs", "submission-differs", "rebuilt"}


def test_a_disk_that_fills_up_meanwhile(small_disk: Path) -> None:
    plain = Plain(small_disk / "volume")
    for number in range(40):
        (plain.course / f"note {number}").write_text("x")
    manifest = plain.submission / "manifest.yaml"
    manifest.write_bytes(manifest.read_bytes()[:-40])
    free = os.statvfs(small_disk).f_ffree - 12
    for number in range(free):
        (small_disk / str(number)).touch()
    content = manifest.read_bytes()
    assert main(["repair", "--yes", "--data", str(plain.root)]) == 1
    assert manifest.exists()
    for number in range(free):
        (small_disk / str(number)).unlink()
    kept = [path.read_bytes() for path in (plain.root / "trash").rglob("manifest.yaml")]
    assert main(["repair", "--yes", "--data", str(plain.root)]) == 0
    kept = [path.read_bytes() for path in (plain.root / "trash").rglob("manifest.yaml")]
    assert content in kept
    assert len(list((plain.root / "trash").glob("*/note *"))) == 40
    assert set(codes(plain.root)) == {"rebuilt"}
