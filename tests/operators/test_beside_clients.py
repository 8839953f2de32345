"""Restoring, pruning and verifying while clients of a running server hand in and look: one order of all that happened
explains it.

An assignment that is restored is wholly there or not at all; what is pruned is gone at one moment; nothing that was
acknowledged is lost; and no check finds anything, at whatever moment it comes by.
"""

import random
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import Volume
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format.timestamp import from_folder
from ngshare_fs.store.upkeep import pruning, restoring
from ngshare_fs.store.upkeep.trash_entries import entries_in
from tests.durability.calls import ask, call, files_of, handed_in, moments_in
from tests.durability.linearizability import NO_ANSWER, Model, Operation, why_not_linearizable
from tests.rounds import rounds
from tests.servers import Server, running
from tests.trees import tree
from tests.verifying import Verifying
from tests.waiting import until

COURSE, NAME = "c", "a"
STUDENTS = ("ada", "max", "zoë")
GONE = "Assignment not found"
NOTHING = "Submission not found"

# Whether the assignment is there, and what the student has handed in to it, wherever that is.
State = tuple[bool, tuple[tuple[str, str], ...]]


def follows(state: State, operation: Operation) -> Sequence[State]:
    """What one student's work may be after an operation."""
    is_there, handed = state
    name, answer = operation.name, operation.answer
    if name == "prune":
        rest = tuple(each for each in handed if each[0] != operation.argument)
        return [(True, rest)] if is_there and rest != handed else []
    if name in ("delete", "restore"):
        return [(name == "restore", handed)] if is_there == (name == "delete") else []
    if not is_there:
        return [state] if answer in (GONE, NOTHING) else []
    if name == "submit":
        new = (str(answer), str(operation.argument))
        return [] if answer == GONE or (handed and new <= handed[-1]) else [(True, (*handed, new))]
    if name == "list":
        return [state] if answer == tuple(moment for moment, _ in handed) else []
    return [state] if answer == (handed[-1] if handed else NOTHING) else []


class Clients:
    """Threads that hand in and look, each on any server.

    Args:
        servers: of one volume.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self.began = time.monotonic()
        self.histories: dict[str, list[Operation]] = {student: [] for student in STUDENTS}
        self.wrong: list[str] = []

    def now(self) -> float:
        return time.monotonic() - self.began

    def work(self, number: int, over: threading.Event) -> None:
        dice = random.Random(number)
        count = 0
        while not over.is_set():
            count += 1
            student, what = dice.choice(STUDENTS), dice.choice(("submit", "list", "collect", "list"))
            self._do(dice.choice(self.servers), student, what, f"{number}.{count}")

    def hand_in(self, student: str, content: str) -> None:
        self._do(self.servers[0], student, "submit", content)

    def _do(self, server: Server, student: str, what: str, content: str) -> None:
        started = self.now()
        path = (COURSE, NAME) if what == "submit" else (COURSE, NAME, student)
        method, word = {
            "submit": ("POST", "submission"),
            "list": ("GET", "submissions"),
            "collect": ("GET", "submission"),
        }[what]
        fields = {"files": tree(files_of(content))} if what == "submit" else {}
        answer = ask(server.url, method, (word, *path), student if what == "submit" else "root", fields)
        ended = self.now()
        if answer is None or answer[0] == 503:
            # Interrupted: stored in the instant in which the assignment went, it may be with it in the trash.
            self.histories[student].append(Operation(what, content, NO_ANSWER, started, changes=what == "submit"))
            return
        status, body = answer
        understand: dict[str, Callable[[dict[str, Any]], Hashable]] = {
            "submit": lambda body: str(body["timestamp"]),
            "list": moments_in,
            "collect": handed_in,
        }
        if status not in (200, 404):
            self.wrong.append(f"{what}: {answer}")
            return
        found = understand[what](body) if status == 200 else body["message"]
        is_change = what == "submit" and status == 200
        self.histories[student].append(Operation(what, content, found, started, ended, changes=is_change))

    def note(self, what: str, started: float, students: Sequence[str] = STUDENTS, argument: str = "") -> None:
        """Something that was done, at some moment between `started` and now."""
        for student in students:
            self.histories[student].append(Operation(what, argument, "done", started, self.now()))

    @contextmanager
    def busy(self) -> Iterator[None]:
        over = threading.Event()
        threads = [threading.Thread(target=self.work, args=(number, over)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(60)


def restore(volume: Volume) -> None:
    for entry in entries_in(volume, COURSE):
        if entry.contents and entry.deletion and entry.deletion.kind == "assignment":
            restoring.restore(volume, restoring.plan(volume, entry))


def stored_in(root: Path) -> dict[str, str]:
    """When each piece of work was handed in that lies on the volume, the trash too, by its content."""
    found: dict[str, str] = {}
    for file in root.rglob("*/files/p.ipynb"):  # what was pruned lies in the trash by itself
        moment = from_folder(file.parent.parent.name)
        assert moment is not None
        found[file.read_text()] = moment
    return found


def known_by_now(history: Sequence[Operation], stored: dict[str, str]) -> list[Operation]:
    """The history, with what became of work that nobody had an answer about."""
    return [
        replace(operation, answer=stored[str(operation.argument)]) if operation.answer is NO_ANSWER else operation
        for operation in history
        if operation.answer is not NO_ANSWER or operation.argument in stored
    ]


@pytest.mark.durability
def test_what_is_restored_and_pruned_beside_clients_is_one_step_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "YOUNG", timedelta(0))
    with running(tmp_path / "data") as one, running(tmp_path / "data") as two:
        call(one, "POST", "course", COURSE, instructors='["kevin"]')
        for student in STUDENTS:
            call(one, "POST", "student", COURSE, student, first_name="", last_name="", email="")
        call(one, "POST", "assignment", COURSE, NAME, user="kevin", files=tree(files_of("released")))
        volume = Volume.open(tmp_path / "data")
        clients = Clients([one, two])
        for student in STUDENTS:
            for number in range(3):  # of which one is to be pruned
                clients.hand_in(student, f"{student}, {number}")
        with clients.busy(), Verifying(tmp_path / "data") as verifying:
            for _ in range(rounds(16)):
                seen = sum(map(len, clients.histories.values()))
                until(lambda: sum(map(len, clients.histories.values())) > seen + 20, "clients work")  # noqa: B023
                for surplus in list(pruning.surplus_in(volume, COURSE, 2)):
                    started = clients.now()
                    if pruning.prune(volume, surplus, "root"):
                        clients.note("prune", started, [surplus.student], surplus.timestamp)
                started = clients.now()
                call(one, "DELETE", "assignment", COURSE, NAME, user="kevin")
                clients.note("delete", started)
                seen = sum(map(len, clients.histories.values()))
                until(lambda: sum(map(len, clients.histories.values())) > seen + 6, "clients look")  # noqa: B023
                started = clients.now()
                restore(volume)
                clients.note("restore", started)
            checked = verifying.rounds
            until(lambda: verifying.rounds > checked + 1, "one more check")
        volume.close()
    assert clients.wrong == []
    assert verifying.findings == []
    start: State = (True, ())
    stored = stored_in(tmp_path / "data")
    for history in clients.histories.values():
        history[:] = known_by_now(history, stored)
        assert any(operation.name == "prune" for operation in history)
        assert why_not_linearizable(history, Model(start, follows)) is None
    assert list(verify_volume(tmp_path / "data")) == []
