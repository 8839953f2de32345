"""All that a course does, within the memory that ngshare's documentation gives a container: 128 MiB for all processes.

What is looked at is what the kernel counts, the page cache with it: that much it takes, and gives back when it has to.
"""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.bodies import MIB, SUBMISSION, make_files
from bench.cgroup import Cgroup, limited, on_a_disk
from bench.figures import Target, of
from bench.load import Measured, in_own_process
from bench.rivals import Rival, Running
from bench.sample import Course, Sample, students
from bench.works import Options, Work, collect, fetch, large, rush
from tests.servers import runs

LIMIT_MIB = 128
IDLE_SECONDS = 2
PAIRS = 2000
COLLECTED, TIMES = 200, 3
SEED = 1
STEPS = {
    "rush": "the rush",
    "up": "100 MiB up",
    "down": "100 MiB down",
    "fetch": "50 students at once fetch 1 MiB",
    "collect": "collecting the latest of 600",
}


class Memory(Work):
    """See above."""

    title = f"memory: all processes in a container of {LIMIT_MIB} MiB, as deployed (ngshare gets 25 MiB instead of 100)"
    rivals = ("ngshare-as-deployed", "ours-as-deployed")
    rows = (
        ("idle MiB", "idle: working set, MiB"),
        ("idle kept MiB", "idle: anonymous and shared, MiB"),
        *((f"{step} kept MiB", f"{label}: peak of anonymous and shared, MiB") for step, label in STEPS.items()),
        *((f"{step} used MiB", f"{label}: peak of all, page cache too, MiB") for step, label in STEPS.items()),
        ("peak MiB", "peak of all over all, MiB"),
        ("kept MiB", "peak of anonymous and shared over all, MiB"),
        ("full", "how often the limit was reached"),
        ("killed", "processes killed for want of memory"),
        ("refused", "answers of 503, after which the client asked again"),
        ("failed", "other failures"),
        ("per second", "submissions/s of the rush"),
    )
    targets = (
        Target(
            f"peak within {LIMIT_MIB} MiB (anonymous and shared)",
            of("ours-as-deployed", "kept MiB"),
            LIMIT_MIB,
            unit="MiB",
        ),
        Target("nothing killed", of("ours-as-deployed", "killed"), 0),
        Target("nothing refused but by a 503", of("ours-as-deployed", "failed"), 0),
        Target("idle within 64 MiB (working set)", of("ours-as-deployed", "idle MiB"), 64, unit="MiB"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = students(options.scaled(rush.STUDENTS, rush.CLIENTS))
        self.pairs = options.scaled(PAIRS, 2 * rush.CLIENTS)
        self.size = options.scaled(large.SIZE, MIB)
        self.earlier = options.scaled(rush.EARLIER, 2)
        collected = students(options.scaled(COLLECTED, 5))
        files = make_files(SUBMISSION, SEED)
        self.collected = Course(
            "collected", collected, ["ps1"], submitting=len(collected), times=TIMES, submitted=files
        )

    def samples(self, rival: Rival) -> dict[str, Sample]:
        released = make_files(fetch.SIZES, SEED)
        rushing = dataclasses.replace(rush.course(len(self.students), self.earlier), released=released)
        return {"": Sample([rushing, self.collected])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        on_a_disk(folders[""])
        loads: list[Measured] = []
        figures: dict[str, float] = {}
        with limited(LIMIT_MIB) as cgroup, rival.running(folders[""], inside=cgroup) as server:
            time.sleep(IDLE_SECONDS)
            idle = cgroup.memory()
            figures = {"idle MiB": idle.working_set, "idle kept MiB": idle.kept}
            for step in STEPS:
                if runs(server.pid):  # who has been killed does nothing more
                    loads.append(self._step(step, server, cgroup, figures))
            figures["full"], figures["killed"] = cgroup.full(), cgroup.killed()
            peak = cgroup.peak()
        figures["peak MiB"] = peak or max(value for name, value in figures.items() if name.endswith("used MiB"))
        figures["kept MiB"] = max(value for name, value in figures.items() if name.endswith("kept MiB"))
        figures["refused"] = sum(measured.facts.get("refused", 0) for measured in loads)
        figures["failed"] = sum(measured.wrong_count for measured in loads)
        # Whoever is killed cannot answer: that is counted, and is no wrong answer.
        return figures, [] if figures["killed"] else loads

    def _step(self, step: str, server: Running, cgroup: Cgroup, figures: dict[str, float]) -> Measured:
        load, *arguments = self._loads(server.rival)[step]
        address = dataclasses.replace(server.address, patient=True)
        with cgroup.watching() as peaks:
            measured = in_own_process(load, address, *arguments)
        figures[f"{step} kept MiB"] = peaks.memory.kept
        figures[f"{step} used MiB"] = peaks.memory.used
        if step == "rush":
            figures["per second"] = measured.facts["per second"]
        return measured

    def _loads(self, rival: str) -> dict[str, tuple[Any, ...]]:
        size = self.options.scaled(large.SIZE_FOR_NGSHARE) if rival.startswith("ngshare") else self.size
        [student] = students(1)
        return {
            "rush": (rush.load, rush.Plan(len(self.students), self.pairs, earlier=self.earlier)),
            "up": (large.load_up, size, True),
            "down": (large.load_down, f"submission/{large.COURSE}/{large.ASSIGNMENT}/{student}", size),
            "fetch": (fetch.load, self.students, 1),
            "collect": (collect.load, self.collected),
        }


WORK = Memory
