"""What somebody waits who only wants the list of assignments, or the start page, while others hand in.

The reader comes at fixed intervals, whether or not the answer before has arrived: a server that stands still for a
second makes all wait who come in that second, not one.
"""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import checks
from bench.bodies import MIB
from bench.bodies import Work as HandedIn
from bench.client import Address, Answer, Client, Wrong
from bench.figures import Target, of
from bench.load import Measured, begin_together, in_own_processes
from bench.rivals import Rival, Running
from bench.sample import Course, Sample, students
from bench.works import Options, Work, rush, times

COURSE, ASSIGNMENT = rush.COURSE, rush.ASSIGNMENT
UPLOAD = 25 * MIB
INTERVAL = 0.02
SECONDS = 12
READER, UPLOADER = "student-0000", "student-0001"


async def read_steadily(address: Address, seconds: float) -> Measured:
    """Come again and again. What is late on our side, on a machine that is busy serving, is told apart."""
    measured, client = Measured(), Client(address)
    coming: list[asyncio.Task[None]] = []

    async def read(planned: float, page: bool) -> None:
        measured.note("own delay", Answer(0, bytearray(), 1000 * (time.perf_counter() - planned)))
        if page:
            await read_page()
            return
        answer = await client.ask("GET", f"assignments/{COURSE}", user=READER)
        measured.note("read", answer)
        with measured.checking("GET assignments"):
            if checks.names_in(answer, "assignments") != [ASSIGNMENT]:
                raise Wrong(f"other assignments: {bytes(answer.body[:200])!r}")

    async def read_page() -> None:
        answer = await client.ask("GET", "", user=READER)
        measured.note("page", answer)
        with measured.checking("GET the start page"):
            if answer.status != 200 or not answer.body.lower().startswith(b"<!doctype html>"):
                raise Wrong(f"status {answer.status}, no page: {bytes(answer.body[:200])!r}")

    begin = await begin_together()
    with measured.timed():
        for number in range(int(seconds / INTERVAL)):
            moment = begin + number * INTERVAL
            await asyncio.sleep(max(moment - time.perf_counter(), 0))
            coming.append(asyncio.create_task(read(moment, page=number % 2 == 1)))
        await asyncio.gather(*coming)
    return measured


async def upload_without_end(address: Address, size: int, seconds: float) -> Measured:
    """Hand in one large file after the other."""
    measured, client = Measured(), Client(address)
    body = HandedIn([size], 1).urlencoded(0, {"user": UPLOADER})
    earlier: list[str] = []
    end = await begin_together() + seconds
    with measured.timed():
        while time.perf_counter() < end:
            answer = await client.ask("POST", f"submission/{COURSE}/{ASSIGNMENT}", body.content)
            measured.note("upload", answer)
            with measured.checking("POST of a large file"):
                earlier.append(checks.acknowledged(answer, earlier))
    return measured


class ReaderMeanwhile(Work):
    """See above."""

    title = "a reader meanwhile: the list of assignments and the start page in turns, one every 20 ms"
    rivals = ("ngshare", "ours", "ours-2")
    rows = (
        ("idle p50", "alone: the list, p50, ms"),
        ("idle p99", "alone: the list, p99, ms"),
        ("idle page p99", "alone: the page, p99, ms"),
        ("upload p50", "during 25 MiB uploads: the list, p50, ms"),
        ("upload p99", "during 25 MiB uploads: the list, p99, ms"),
        ("upload page p99", "during 25 MiB uploads: the page, p99, ms"),
        ("one upload", "one such upload, ms"),
        ("rush p50", "during the rush: the list, p50, ms"),
        ("rush p99", "during the rush: the list, p99, ms"),
        ("rush page p99", "during the rush: the page, p99, ms"),
        ("rush per second", "submissions/s of that rush"),
        ("own delay", "the reader's own delay in sending, p99, ms"),
    )
    targets = (
        Target("the list during an upload: p99 within 20 ms", of("ours", "upload p99"), 20, unit="ms"),
        Target("the page during an upload: p99 within 20 ms", of("ours", "upload page p99"), 20, unit="ms"),
        Target("the list during the rush: p99 within 30 ms", of("ours", "rush p99"), 30, unit="ms"),
        Target("the page during the rush: p99 within 30 ms", of("ours", "rush page p99"), 30, unit="ms"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = options.scaled(rush.STUDENTS, 20)
        self.seconds = max(SECONDS * options.scale, 0.5)
        self.size = options.scaled(UPLOAD, MIB)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        sample = Sample([Course(COURSE, students(self.students), [ASSIGNMENT])])
        return {"upload": sample, "rush": sample}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures: dict[str, float] = {}
        with rival.running(folders["upload"]) as server:
            loads = self._read_during(server, "idle", figures)
            loads += self._read_during(server, "upload", figures)
        with rival.running(folders["rush"]) as server:
            loads += self._read_during(server, "rush", figures)
        return figures, loads

    def _read_during(self, server: Running, what: str, figures: dict[str, float]) -> list[Measured]:
        others: dict[str, list[tuple[Any, ...]]] = {
            "idle": [],
            "upload": [(upload_without_end, server.address, self.size, self.seconds)],
            "rush": [(rush.load, server.address, rush.Plan(self.students, 10**9, together=True, seconds=self.seconds))],
        }
        loads = in_own_processes((read_steadily, server.address, self.seconds), *others[what])
        reader = times(loads[0])
        figures[f"{what} p50"], figures[f"{what} p99"] = reader["read p50"], reader["read p99"]
        figures[f"{what} page p99"] = reader["page p99"]
        figures["own delay"] = max(figures.get("own delay", 0), reader["own delay p99"])
        if what == "upload":
            figures["one upload"] = times(loads[1])["upload p50"]
        if what == "rush":
            figures["rush per second"] = loads[1].facts["per second"]
        return loads


WORK = ReaderMeanwhile
