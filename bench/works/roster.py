"""A whole roster in one call, then listed."""

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from bench.client import Address, Client, Wrong
from bench.figures import Target, of
from bench.load import Measured, in_own_process, repeat
from bench.rivals import Rival
from bench.sample import INSTRUCTOR, Course, Sample, students
from bench.works import Work, times

COURSE = "math"
STUDENTS = 2000
# ngshare takes minutes for 2,000, quadratically more for more.
STUDENTS_FOR_NGSHARE = 250
REQUESTS = 30
SECONDS = 5


async def load(address: Address, how_many: int, requests: int) -> Measured:
    """Add students, list them."""
    measured, client = Measured(), Client(address)
    names = students(how_many)
    entries = [
        {"username": name, "first_name": "Ada", "last_name": f"Lovelace {name}", "email": f"{name}@uni.example"}
        for name in names
    ]
    form = urlencode({"user": INSTRUCTOR, "students": json.dumps(entries)}).encode()

    async def listed() -> None:
        answer = await client.ask("GET", f"students/{COURSE}", user=INSTRUCTOR)
        measured.note("list", answer)
        with measured.checking("GET students"):
            found = {entry["username"]: entry for entry in answer.json()["students"]}
            if found != {entry["username"]: entry for entry in entries}:
                raise Wrong(f"{len(found)} students, others than were added")

    with measured.timed():
        answer = await client.ask("POST", f"students/{COURSE}", form)
        measured.note("post", answer)
        with measured.checking("POST students"):
            status = answer.json().get("status")
            if not isinstance(status, list) or sum(bool(entry.get("success")) for entry in status) != how_many:
                raise Wrong(f"not all were added: {bytes(answer.body[:200])!r}")
        await repeat(listed, requests, SECONDS)
    return measured


class RosterInOneCall(Work):
    """See above."""

    title = "roster of 2,000: POST in one call, then list (ngshare: 250, unless --patient)"
    rivals = ("ngshare", "ours")
    rows = (
        ("students", "students"),
        ("post seconds", "POST, s"),
        ("first list", "first list, ms"),
        ("list p50", "list: p50, ms"),
        ("list p99", "list: p99, ms"),
    )
    targets = (
        Target("POST within 0.3 s", of("ours", "post seconds"), 0.3, unit="s"),
        Target("list within 10 ms", of("ours", "list p50"), 10, unit="ms"),
    )

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": Sample([Course(COURSE, [], ["ps1"])])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        impatient = rival.key == "ngshare" and not self.options.patient
        how_many = self.options.scaled(STUDENTS_FOR_NGSHARE if impatient else STUDENTS, 5)
        with rival.running(folders[""]) as server:
            measured = in_own_process(load, server.address, how_many, self.options.scaled(REQUESTS, 2))
        figures = times(measured)
        figures |= {"students": how_many, "post seconds": figures["post p50"] / 1000}
        figures["first list"] = measured.milliseconds["list"][0]
        return figures, [measured]


WORK = RosterInOneCall
