"""Where memory ends, the process that writes is killed, and not the server."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.servers import running, writing_processes
from tests.trees import tree

PATIENCE = 60


def test_the_writing_process_is_the_first_that_the_kernel_kills(tmp_path: Path) -> None:
    body = urlencode({"user": "lawrence", "files": tree({"a": b"1"})}).encode()
    with running(tmp_path / "volume", "--debug") as server, ThreadPoolExecutor(8) as threads:
        urlopen(server.url + "initialize-Data6ase?action=init&user=root").close()
        writers: list[int] = []

        def submit(_: int) -> None:
            try:
                urlopen(server.url + "submission/course1/challenge", body, timeout=60).close()
            except URLError as error:
                raise AssertionError(server.log) from error

        while not writers:
            list(threads.map(submit, range(32)))
            writers = writing_processes(server.process.pid)
        deadline = time.monotonic() + PATIENCE
        while True:  # it has just been started
            scores = [_score(process) for process in (server.process.pid, *writers)]
            if scores[1:] == [min(1000, scores[0] + 500)] * len(writers):
                break
            assert time.monotonic() < deadline, scores
            time.sleep(0.01)


def _score(process: int) -> int:
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())
