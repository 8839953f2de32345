"""One very large submission, up and down: how long, and how much memory."""

from collections.abc import Mapping
from pathlib import Path

from bench import checks
from bench.bodies import MIB, checksums, make_files
from bench.bodies import Work as HandedIn
from bench.client import Address, Client
from bench.figures import Target, of, ratio
from bench.load import Measured, in_own_process
from bench.rivals import Rival, Running
from bench.sample import INSTRUCTOR, Course, Sample, students
from bench.works import Options, Work

COURSE, ASSIGNMENT = "math", "ps1"
SIZE = 100 * MIB
# ngshare refuses the real one; this shows what it needs for each MiB.
SIZE_FOR_NGSHARE = 25 * MIB
SEED = 1
[STUDENT] = students(1)


async def load_up(address: Address, size: int, multipart: bool, may_be_refused: bool = False) -> Measured:
    """Hand in one file of this size, as the plug-ins do or as ngshare's clients do."""
    measured, client = Measured(), Client(address)
    work, path = HandedIn([size], SEED), f"submission/{COURSE}/{ASSIGNMENT}"
    body = work.multipart(0, {}) if multipart else work.urlencoded(0, {})
    with measured.timed():
        answer = await client.ask("POST", path, body.content, user=STUDENT, encoding=body.encoding)
    measured.note("up", answer)
    measured.facts["status"] = answer.status
    if not may_be_refused:
        with measured.checking(f"POST of {size} bytes"):
            checks.acknowledged(answer, [])
    return measured


async def load_down(address: Address, path: str, size: int) -> Measured:
    """Fetch it again."""
    measured, client = Measured(), Client(address)
    with measured.timed():
        answer = await client.ask("GET", path, user=INSTRUCTOR)
    measured.note("down", answer)
    with measured.checking(f"GET of {size} bytes"):
        checks.has_files(answer, checksums(make_files([size], SEED)))
    return measured


class Large(Work):
    """See above."""

    title = "one submission of 100 MiB: up and down (ngshare refuses it: 25 MiB)"
    rivals = ("ngshare", "ours", "read", "static")
    rows = (
        ("status", "status of the answer to 100 MiB"),
        ("MiB", "MiB handed in"),
        ("up seconds", "up, as the plug-ins send it (multipart), s"),
        ("up memory", "peak memory above idle meanwhile, MiB"),
        ("up cpu", "server CPU, s"),
        ("up urlencoded seconds", "up, as ngshare's clients send it (percent-encoded), s"),
        ("up urlencoded memory", "peak memory above idle meanwhile, MiB"),
        ("up urlencoded cpu", "server CPU, s"),
        ("down seconds", "down, s"),
        ("down memory", "peak memory above idle meanwhile, MiB"),
        ("down cpu", "server CPU, s"),
    )
    targets = (
        Target("up: peak memory + 32 MiB at most", of("ours", "up memory"), 32, unit="MiB"),
        Target("the same percent-encoded", of("ours", "up urlencoded memory"), 32, unit="MiB"),
        Target("down: peak memory + 32 MiB at most", of("ours", "down memory"), 32, unit="MiB"),
        Target("up no slower than 2 × reading the body", ratio("up seconds", "ours", "read"), 2, unit="×"),
        Target("the same percent-encoded", ratio("up urlencoded seconds", "ours", "read"), 2, unit="×"),
        Target("down no slower than 2 × a ready-made file", ratio("down seconds", "ours", "static"), 2, unit="×"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.size = options.scaled(SIZE, MIB)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        files = make_files([self.size if rival.key == "static" else 1], SEED)
        return {"": Sample([Course(COURSE, [STUDENT], [ASSIGNMENT], released=files)])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures: dict[str, float] = {}
        loads: list[Measured] = []
        with rival.running(folders[""], "--max-request", "1GiB") as server:
            # The first request of each kind imports and fills what stays.
            for multipart in (True, False):
                loads.append(in_own_process(load_up, server.address, 1000, multipart, rival.key == "static"))
            size = self.size
            if rival.key == "ngshare":
                size = self.options.scaled(SIZE_FOR_NGSHARE)
            if rival.key != "static":
                for way, multipart in (("up", True), ("up urlencoded", False)):
                    loads.append(_use(server, figures, way, load_up, size, multipart))
                figures["status"] = loads[-1].facts["status"]
            if rival.key != "read":
                path = f"submission/{COURSE}/{ASSIGNMENT}/{STUDENT}"
                loads.append(_use(server, figures, "down", load_down, path, size))
            figures["MiB"] = size / MIB
            if size != self.size:
                # Last, since what it leaves in memory would hide what the smaller one needs.
                figures["status"] = in_own_process(load_up, server.address, self.size, False, True).facts["status"]
        return figures, loads


def _use(server: Running, figures: dict[str, float], way: str, load: object, *arguments: object) -> Measured:
    used: dict[str, float] = {}
    assert callable(load)
    with server.using(used):
        measured = in_own_process(load, server.address, *arguments)
    [milliseconds] = [taken for kind in measured.milliseconds.values() for taken in kind]
    figures[f"{way} seconds"] = milliseconds / 1000
    figures[f"{way} memory"] = used["peak above idle MiB"]
    figures[f"{way} cpu"] = used["cpu seconds"]
    return measured


WORK = Large
