"""A deadline after hours of quiet: the first submissions to a server that nobody has asked for anything before."""

import time
from collections.abc import Mapping
from pathlib import Path

from bench.figures import Target, ratio
from bench.load import BEGIN_SECONDS, Generator, Measured
from bench.rivals import Rival
from bench.sample import Sample
from bench.works import Options, Work, times
from bench.works.rush import CLIENTS, EARLIER, STUDENTS, Plan, load, sample

PAIRS = 300


class Cold(Work):
    """See above."""

    title = f"cold start: the server idle for two minutes, then the first {PAIRS} pairs of the rush"
    rivals = ("ngshare-as-deployed", "ours-as-deployed", "ngshare", "ours")
    rows = (
        ("per second", "submissions/s"),
        ("POST p50", "POST p50, ms"),
        ("POST p99", "POST p99, ms"),
        ("GET p99", "GET p99, ms"),
        ("cpu ms per pair", "server CPU per pair, ms"),
        ("peak MiB", "peak RSS, MiB"),
        ("idle seconds", "idle before, s"),
        ("generator", "generator, % of a core"),
    )
    targets = (
        Target(
            "as deployed: 6 × ngshare",
            ratio("per second", "ours-as-deployed", "ngshare-as-deployed"),
            6,
            at_least=True,
            unit="×",
        ),
        Target(
            "as deployed: p99 of POST 0.25 × ngshare's",
            ratio("POST p99", "ours-as-deployed", "ngshare-as-deployed"),
            0.25,
            unit="×",
        ),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.students = options.scaled(STUDENTS, CLIENTS)
        self.pairs = options.scaled(PAIRS, CLIENTS)
        self.earlier = options.scaled(EARLIER, 2)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": sample(self.students, self.earlier)}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        figures = {"idle seconds": self.options.idle * self.options.scale}
        with rival.running(folders[""]) as server:
            plan = Plan(self.students, self.pairs, warm_up=0, earlier=self.earlier, together=True, server=server.pid)
            # It makes what it will send while the server is idle.
            generator = Generator(load, server.address, plan)
            try:
                generator.wait_until_ready()
                time.sleep(figures["idle seconds"])
                with server.using(figures):
                    generator.begin(time.perf_counter() + BEGIN_SECONDS)
                    measured = generator.result()
            finally:
                generator.stop()
        return {**figures, **times(measured)}, [measured]


WORK = Cold
