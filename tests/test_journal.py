"""The journal: every change leaves its line, whole and by itself, and nobody's work hangs on it."""

import errno
import hashlib
import json
import logging
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from ngshare_fs.store import Volume, journal
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format.timestamp import now
from ngshare_fs.store.journal import BrokenLine, Entry, Event, record
from ngshare_fs.store.writing.journal_writer import JournalWriter
from tests import waiting
from tests.conftest import Exchange, MakeExchange
from tests.servers import Server, running, start, writing_processes
from tests.stores import volume
from tests.volumes import HOSTILE_NAMES, folder_of

__all__ = ["volume"]

FILES = '[{"path": "p.ipynb", "content": "e30K"}]'
PERSON = {"first_name": "", "last_name": "", "email": ""}
LINES_EACH = 300


def lines_of(root: Path) -> list[dict[str, str]]:
    """All lines below a volume's folder, by time; each has to be one."""
    found = []
    for file in (root / "journal").rglob("*.jsonl"):
        content = file.read_text(encoding="ascii")
        assert content.endswith("\n")
        found += [json.loads(line) for line in content.splitlines()]
    return sorted(found, key=lambda line: line["time"])


def read(opened: Volume) -> list[Entry | BrokenLine]:
    return [each for file in journal.files(opened) for each in journal.entries_in(opened, file.place)]


def the_file(opened: Volume, course: str) -> Path:
    (found,) = (Path(opened.root) / "journal" / "courses" / folder_of(course)).iterdir()
    return found


async def test_whatever_changes_something_leaves_its_line(make_exchange: MakeExchange) -> None:
    exchange: Exchange = await make_exchange()
    expected: list[tuple[str, str, str, str, str]] = []

    async def call(method: str, path: str, user: str, /, *line: str, **fields: str) -> dict[str, str]:
        answer = await exchange.call(method, path, user, **fields)
        assert answer.status == 200, answer
        if line:
            what, course, assignment, student, detail = line
            detail = detail or answer.body.get("timestamp", "")
            expected.append((what, user, f"{course}/{assignment}", student, detail))
        return answer.body

    await call(
        "POST", "course/c", "root", "create-course", "c", "", "", "2: kevin, ada", instructors='["kevin", "ada"]'
    )
    await call("POST", "student/c/zoë", "kevin", "set-student", "c", "", "zoë", "", **PERSON)
    students = json.dumps([{"username": name, **PERSON} for name in ("lawrence", "kevin", "eve")])
    await call("POST", "students/c", "kevin", "set-students", "c", "", "", "2: lawrence, eve", students=students)
    await call("DELETE", "student/c/zoë", "kevin", "remove-student", "c", "", "zoë", "")
    await call("POST", "removal/c", "kevin", "remove-students", "c", "", "", "1: eve", students='["eve", "nobody"]')
    await call("POST", "instructor/c/bob", "root", "set-instructor", "c", "", "", "bob", **PERSON)
    await call("DELETE", "instructor/c/bob", "root", "remove-instructor", "c", "", "", "bob")
    await call("POST", "grader/c/gina", "kevin", "set-grader", "c", "", "", "gina", **PERSON)
    await call("DELETE", "grader/c/gina", "kevin", "remove-grader", "c", "", "", "gina")
    await call("POST", "assignment/c/a", "kevin", "release", "c", "a", "", "*", files=FILES)
    await call("PUT", "assignment/c/a", "kevin", "release", "c", "a", "", "*", files=FILES)
    said = "due: 2090-01-01 23:59:59 UTC, close: none, grace: 1h30m"
    await call(
        "PATCH", "assignment/c/a", "kevin", "set-dates", "c", "a", "", said, due="2090-01-01", close="", grace="90m"
    )
    said = "due: 2091-01-01 23:59:59 UTC"
    await call(
        "PUT", "extension/c/a/lawrence", "kevin", "extend", "c", "a", "lawrence", said, due="2091-01-01", reason="ill"
    )
    await call("DELETE", "extension/c/a/lawrence", "kevin", "take-back-extension", "c", "a", "lawrence", "")
    moment = (await call("POST", "submission/c/a", "lawrence", "submit", "c", "a", "lawrence", "", files=FILES))[
        "timestamp"
    ]
    await call(
        "POST", "submission/c/a", "kevin", "submit", "c", "a", "lawrence", "", files=FILES, student="lawrence"
    )  # fmt: skip
    # Neither of these brings feedback.
    await call("GET", "feedback/c/a/lawrence", "lawrence", timestamp=moment)
    on = {"timestamp": moment}
    await call(
        "POST", "feedback/c/a/lawrence", "kevin", "give-feedback", "c", "a", "lawrence", moment, files=FILES, **on
    )
    await call("GET", "feedback/c/a/lawrence", "lawrence", list_only="true", **on)
    await call("GET", "feedback/c/a/lawrence", "lawrence", "fetch-feedback", "c", "a", "lawrence", moment, **on)
    await call("DELETE", "submission/c/a/lawrence", "kevin", "delete-submission", "c", "a", "lawrence", moment, **on)
    await call("PUT", "assignment/c/a/withdrawn", "kevin", "withdraw", "c", "a", "", "")
    await call("DELETE", "assignment/c/a", "kevin", "delete-assignment", "c", "a", "", "")
    refused = await exchange.call("DELETE", "assignment/c/a", "kevin")
    assert refused.status == 404
    await call("DELETE", "course/c", "root", "delete-course", "c", "", "", "")

    exchange.volume.journal.flush()
    found = lines_of(exchange.data)
    assert {line["via"] for line in found} == {"api"}
    assert sorted(
        (
            line["what"],
            line["by"],
            f"{line['course']}/{line.get('assignment', '')}",
            line.get("student", ""),
            "*" if line["what"] == "release" else line.get("detail", ""),
        )
        for line in found
    ) == sorted(expected)
    assert list(verify_volume(exchange.data)) == []


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_neither_breaks_a_line_nor_leads_elsewhere(volume: Volume, name: str) -> None:
    record(volume, Event("submit", name, "api", name, name, name, name * 5000))
    lines = the_file(volume, name).read_text(encoding="ascii").splitlines()
    assert len(lines) == 1
    assert lines[0].isprintable()
    ((_, event),) = [each for each in read(volume) if isinstance(each, Entry)]
    assert (event.by, event.course) == (name, name)
    assert len(event.detail) == 1000


@pytest.mark.parametrize("torn", ['{"time": "2020-01-01 00:00:00.000000 UTC", "what": "sub', "\0\0\0\0", "{"])
def test_a_torn_line_is_not_joined_with_the_next(volume: Volume, torn: str) -> None:
    record(volume, Event("release", "kevin", "api", "c"))
    volume.journal.flush()
    with the_file(volume, "c").open("a") as file:
        file.write(torn)
    record(volume, Event("submit", "lawrence", "api", "c"))
    found = read(volume)
    assert [each.event.what for each in found if isinstance(each, Entry)] == ["release", "submit"]
    assert [each.place for each in found if isinstance(each, BrokenLine)] == [f"{_place(volume)}:2"]
    assert the_file(volume, "c").read_text().splitlines()[1] == torn


def test_what_follows_a_torn_line_is_read_where_nobody_saw_its_end(volume: Volume) -> None:
    record(volume, Event("release", "kevin", "api", "c"))
    with the_file(volume, "c").open("a") as file:
        file.write('{"time": "2020-01-01')  # by a process that was killed beside this one
    record(volume, Event("submit", "lawrence", "api", "c"))
    found = read(volume)
    assert [each.event.what for each in found if isinstance(each, Entry)] == ["release", "submit"]
    assert [each.place for each in found if isinstance(each, BrokenLine)] == [f"{_place(volume)}:2"]


def _place(volume: Volume) -> str:
    return str(the_file(volume, "c").relative_to(volume.root))


def _write_many(root: str, name: str) -> None:
    joined = Volume.join(root)
    for number in range(LINES_EACH):
        record(joined, Event("submit", name, "api", "c", detail=str(number)))
    joined.close()


def test_processes_that_write_at_once_lose_no_line(volume: Volume) -> None:
    names = ["one", "two"]
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(volume.root, name)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(waiting.PATIENCE)
        assert process.exitcode == 0
    found = [each.event for each in read(volume) if isinstance(each, Entry)]
    assert len(found) == len(read(volume))
    for name in names:
        assert [event.detail for event in found if event.by == name] == [str(each) for each in range(LINES_EACH)]


def test_the_digits_are_those_of_the_page(volume: Volume) -> None:
    record(volume, Event("release", "kevin", "api", "c"))
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    writer = f"{boot} {os.stat(volume.root).st_dev} {os.geteuid()}"
    digits = hashlib.blake2b(writer.encode(), digest_size=4).hexdigest()
    assert the_file(volume, "c").name[7:] == f".{digits}.jsonl"


def test_a_journal_that_cannot_be_written_is_said_once_and_then_goes_on(
    volume: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    (Path(volume.root) / "journal").write_text("")
    for _ in range(3):
        record(volume, Event("release", "kevin", "api", "c"))
    assert [each.getMessage() for each in caplog.records] == [
        f"the journal cannot be written, lines will be missing in it: journal/courses/c/{now()[:7]}: Not a directory"
    ]
    (Path(volume.root) / "journal").unlink()
    record(volume, Event("withdraw", "kevin", "api", "c"))
    assert caplog.records[-1].getMessage() == "the journal is written again; 3 lines are missing in it"
    assert [each.event.what for each in read(volume) if isinstance(each, Entry)] == ["withdraw"]
    assert [each.levelno for each in caplog.records] == [logging.ERROR, logging.WARNING]


def test_nothing_is_made_where_the_volume_was_unmounted(volume: Volume, tmp_path: Path) -> None:
    Path(volume.root).rename(tmp_path / "elsewhere")
    Path(volume.root).mkdir()
    record(volume, Event("release", "kevin", "api", "c"))
    volume.journal.flush()
    assert list(Path(volume.root).iterdir()) == []


def test_a_journal_that_is_removed_begins_anew(volume: Volume) -> None:
    record(volume, Event("release", "kevin", "api", "c"))
    volume.journal.flush()
    the_file(volume, "c").unlink()
    record(volume, Event("withdraw", "kevin", "api", "c"))
    assert [each.event.what for each in read(volume) if isinstance(each, Entry)] == ["withdraw"]


def test_a_folder_that_is_moved_away_before_it_is_used_is_made_again(
    volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, moved = JournalWriter._make, list[str]()

    def make_and_move(writer: JournalWriter, place: str) -> None:
        make(writer, place)
        if not moved:  # as whoever renames the course at this moment
            moved.append(place)
            os.rename(Path(volume.root, place), Path(volume.root, "journal/courses/moved"))

    monkeypatch.setattr(JournalWriter, "_make", make_and_move)
    record(volume, Event("submit", "ada", "api", "new"))
    assert moved == ["journal/courses/new"]
    assert [line["by"] for line in lines_of(Path(volume.root))] == ["ada"]


def test_a_read_does_not_wait_for_its_line(volume: Volume) -> None:
    record(volume, Event("fetch-feedback", "lawrence", "api", "c"), is_read=True)
    waiting.until(lambda: read(volume), "the line of a read, with the next flush")


def submit(server: Server) -> None:
    fields = urlencode({"user": "lawrence", "files": FILES}).encode()
    assert urlopen(f"{server.url}submission/course1/challenge", fields).status == 200


def test_a_line_outlives_the_server_that_is_killed_after_its_answer(tmp_path: Path) -> None:
    server = start(tmp_path / "data", tmp_path / "log", "--debug", own_group=True)
    try:
        assert urlopen(f"{server.url}initialize-Data6ase?action=init&user=root").status == 200
        waiting.until(lambda: writing_processes(server.process.pid), "the process that writes")
        submit(server)
    finally:
        server.kill()
    assert [line["what"] for line in lines_of(tmp_path / "data")] == ["init-everything", "submit"]


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--debug", "--no-journal") as server:
        assert urlopen(f"{server.url}initialize-Data6ase?action=init&user=root").status == 200
        waiting.until(lambda: writing_processes(server.process.pid), "the process that writes")
        submit(server)
    assert not (tmp_path / "data" / "journal").exists()


def test_threads_that_write_at_once_lose_no_line(volume: Volume) -> None:
    def write_many(name: str) -> None:
        for number in range(LINES_EACH):
            record(volume, Event("submit", name, "api", "c", detail=str(number)), is_read=number % 3 == 0)

    names = [str(number) for number in range(8)]
    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(write_many, names))
    volume.journal.flush()
    found = [each.event for each in read(volume) if isinstance(each, Entry)]
    for name in names:
        assert [event.detail for event in found if event.by == name] == [str(each) for each in range(LINES_EACH)]


def test_who_has_something_to_say_does_not_wait_for_whoever_writes(volume: Volume) -> None:
    with volume.journal._guard:  # as while another thread's write waits for the disk
        record(volume, Event("submit", "lawrence", "api", "c"))
        assert read(volume) == []
    record(volume, Event("submit", "ada", "api", "c"))
    assert [each.event.by for each in read(volume) if isinstance(each, Entry)] == ["lawrence", "ada"]


def test_where_a_file_cannot_even_be_closed_it_goes_on(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a machine was cut off from CephFS."""
    close, failed = os.close, []

    def failing(descriptor: int) -> None:
        is_ours = os.readlink(f"/proc/self/fd/{descriptor}").endswith(".jsonl")
        close(descriptor)
        if is_ours:
            failed.append(descriptor)
            raise BrokenPipeError(errno.ESHUTDOWN, os.strerror(errno.ESHUTDOWN))

    monkeypatch.setattr(os, "close", failing)
    for number in range(2):
        record(volume, Event("submit", "lawrence", "api", "c", detail=str(number)))
        waiting.until(lambda wanted=number + 1: len(failed) == wanted, "the file is closed")  # type: ignore[misc]
    assert [line["detail"] for line in lines_of(Path(volume.root))] == ["0", "1"]
