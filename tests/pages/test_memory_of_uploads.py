"""What handing in by browser takes of the server's memory: many at once, and what is large."""

import contextlib
import http.client
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import pytest

from ngshare_fs.store import Person, Volume, course, release, roster, submission
from tests.pages.file_forms import BOUNDARY, Sent, form_body
from tests.servers import Server, running, writing_processes
from tests.stores import upload

MIB = 2**20
LARGE = 50 * MIB
AT_ONCE = 8
# Bodies share 64 MiB at most; what Python and the C library keep of them comes on top.
MOST_GROWN = 96 * MIB


def _peak(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def _send(server: Server, user: str, body: bytes | IO[bytes]) -> int:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    try:
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        if not isinstance(body, bytes):
            headers["Content-Length"] = str(Path(body.name).stat().st_size)
        connection.request("POST", f"{parts.path}pages/hand-in/c/a?user={user}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _texts(key: str) -> dict[str, str]:
    return {"key": key, "although": json.dumps(["p.ipynb"])}


@pytest.mark.long
@pytest.mark.parametrize("is_zip", [False, True])
def test_large_files_and_many_small_ones(tmp_path: Path, is_zip: bool) -> None:
    students = [f"s{number}" for number in range(500)]
    volume = Volume.open(tmp_path / "volume")
    course.create(volume, "c", ["kevin"])
    roster.set_students(volume, "c", [(student, Person()) for student in students])
    with upload(volume, **{"p.ipynb": b"{}"}) as files:
        release.release(volume, "c", "a", "kevin", files)
    volume.close()
    large: list[Sent] = [("files", "large", bytes(LARGE))]
    if is_zip:
        with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("large", bytes(4 * LARGE))
            for number in range(4000):
                archive.writestr(str(number), bytes(number))
        large = [("zip", "work.zip", (tmp_path / "zip").read_bytes())]
    (tmp_path / "body").write_bytes(form_body(_texts("large"), large))
    with running(tmp_path / "volume", "--debug") as server:
        assert _send(server, "kevin", form_body(_texts("first"), [("files", "p", b"")])) == 303
        before = _peak(server.process.pid) + sum(map(_peak, writing_processes(server.process.pid)))

        def send(student: str) -> int:
            if student in students[:AT_ONCE]:
                with (tmp_path / "body").open("rb") as body:
                    return _send(server, student, body)
            return _send(server, student, form_body(_texts("small"), [("files", "p.ipynb", bytes(20_000))]))

        with ThreadPoolExecutor(AT_ONCE * 2) as threads:
            statuses = list(threads.map(send, students))
        grown = _peak(server.process.pid) + sum(map(_peak, writing_processes(server.process.pid))) - before
    # Of the large ones at once, some are asked to come again; nobody is refused for good.
    assert set(statuses) <= {303, 503}
    assert set(statuses[AT_ONCE:]) == {303}
    print(f"grown by {grown // MIB} MiB, {statuses[:AT_ONCE]}")
    assert grown < MOST_GROWN
    with contextlib.closing(Volume.read_only(tmp_path / "volume")) as volume:
        assert len(submission.submissions_to(volume, "c", "a")) == statuses.count(303) + 1
