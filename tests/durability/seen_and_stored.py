"""What many clients saw can be explained, nothing of it is lost, and it lies on the volume, whole."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.reading.fingerprint import RACY_NANOSECONDS
from tests.durability.calls import PATIENCE, call, files_of, moments_in, people_in
from tests.durability.exchange import stored
from tests.durability.linearizability import NO_ANSWER, Operation, why_not_linearizable
from tests.durability.models import DONE, NO_ASSIGNMENT, NO_SUBMISSION, model_of
from tests.durability.random_clients import CLIENTS, History, Key
from tests.servers import Server
from tests.trees import tree


def check_that_old_readings_notice(servers: Sequence[Server]) -> None:
    """A roster that each server has read long ago, and trusts by the marks of its file, is changed by another one."""
    courses = [f"old {number}" for number in range(6)]
    for course in courses:
        call(servers[0], "POST", "course", course)
    written = time.monotonic()
    while time.monotonic() < written + RACY_NANOSECONDS / 1e9 + 0.2:
        time.sleep(0.1)  # until marks are trusted
    for server in servers:
        for course in courses * 2:
            assert call(server, "GET", "students", course)["students"] == []
    for number, course in enumerate(courses):
        call(servers[number % len(servers)], "POST", "student", course, "late", first_name="", last_name="", email="")
        for server in servers:
            assert [entry["username"] for entry in call(server, "GET", "students", course)["students"]] == ["late"]


def check_that_no_change_is_lost(servers: Sequence[Server], times: int = 4) -> None:
    """All clients change one roster at once, and hand in the same student's work: each change is there afterwards.

    Args:
        times: how often.
    """
    course = "all at once"
    together = threading.Barrier(CLIENTS)
    person = {"first_name": "", "last_name": "", "email": ""}
    call(servers[0], "POST", "course", course)
    call(servers[0], "POST", "student", course, "ada", **person)
    call(servers[0], "POST", "assignment", course, "a", files=tree(files_of("at once")))

    def change(number: int) -> list[str]:
        moments = []
        for count in range(times):
            server = servers[(number + count) % len(servers)]
            together.wait(PATIENCE)
            call(server, "POST", "student", course, f"{number} {count}", **person)
            together.wait(PATIENCE)
            work = tree(files_of(f"at once {number} {count}"))
            moments.append(call(server, "POST", "submission", course, "a", user="ada", files=work)["timestamp"])
        return moments

    with ThreadPoolExecutor(CLIENTS) as pool:
        moments = [moment for found in pool.map(change, range(CLIENTS)) for moment in found]
    expected = {"ada", *(f"{number} {count}" for number in range(CLIENTS) for count in range(times))}
    for server in servers:
        assert {name for name, _ in people_in(call(server, "GET", "students", course))} == expected
        assert moments_in(call(server, "GET", "submissions", course, "a", "ada")) == tuple(sorted(moments))
    assert len(set(moments)) == len(moments)


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a history, or with what is stored of it.

    Args:
        wrong: answers that must never come.
        differing: whether the mounts show different files.
        findings: of `verify`, by way of the first mount.
        unexplained: of each thing that no order of events explains, how far it could be followed.
        lost: what was acknowledged and is not stored, or not as of the moment that was said.
    """

    wrong: list[str]
    differing: bool
    findings: list[str]
    unexplained: dict[Key, str]
    lost: list[str]


def judge(history: History, *mounts: Path) -> Verdict:
    """Whether what the clients saw can be explained, and what was acknowledged lies on the volume, whole.

    Args:
        mounts: the volume, each time that it is mounted; all of them have to say the same.
    """
    first, *others = mounts
    found = stored(first)
    moments = _moments(found)
    differing = any(stored(other) != found for other in others)
    findings = [str(finding) for finding in verify_volume(first)]
    unexplained = {}
    lost = []
    for key, operations in history.by_key.items():
        reason = why_not_linearizable(list(_settled(operations, moments)), model_of(key[0], history.start[key]))
        if reason is not None:
            unexplained[key] = reason
        for operation in operations:
            handed_in = operation.name == "submit" and isinstance(operation.answer, str)
            if handed_in and moments.get(str(operation.argument)) != operation.answer:
                lost.append(f"{key}: {operation}")
    return Verdict(history.wrong, differing, findings, unexplained, lost)


def check(history: History, *mounts: Path) -> None:
    """That `judge` finds nothing wrong."""
    assert not history.wrong, "\n".join(history.wrong[:20])
    verdict = judge(history, *mounts)
    assert not verdict.differing
    assert verdict.findings == []
    assert not verdict.unexplained, "\n\n".join(f"{key}: {reason}" for key, reason in verdict.unexplained.items())
    assert verdict.lost == []


def _settled(operations: Iterable[Operation], moments: dict[str, str]) -> Iterator[Operation]:
    """What is known by now of writes that were not acknowledged: nothing is ever deleted for good, so the volume tells.

    A deletion may overtake what was just published: that lies in the trash, whole, was perhaps seen, and is told 404.
    """
    for operation in operations:
        if operation.name not in ("submit", "give feedback", "release again"):
            yield operation
            continue
        argument = operation.argument
        moment = moments.get(str(argument[1] if isinstance(argument, tuple) else argument))
        if moment is not None and operation.answer in (NO_ANSWER, NO_ASSIGNMENT, NO_SUBMISSION):
            yield replace(operation, answer=moment if operation.name == "submit" else DONE, changes=True)
        elif moment is not None or operation.answer is not NO_ANSWER:
            yield operation


def _moments(found: dict[str, bytes | None]) -> dict[str, str]:
    """The timestamps of all trees, by what their content says; deleted ones, too, and each looked at in full.

    Nobody hands in the same content twice, so what lies there twice was published twice.

    Args:
        found: on the volume.
    """
    files = {path: content for path, content in found.items() if content is not None}
    trees: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        folder, inside, name = path.partition("/files/")
        if inside:
            trees.setdefault(folder, {})[name] = content
    moments: dict[str, str] = {}
    for path, manifest in files.items():
        folder, _, name = path.rpartition("/")
        if name != "manifest.yaml" or manifest.startswith(b"kind: withdrawal\n"):  # which holds nothing
            continue
        tree = trees.get(folder, {})
        says = tree.get("p.ipynb", b"").decode()
        assert tree == files_of(says), f"{folder} is not whole"
        at = folder.rpartition("/")[2]
        moment = f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[9:11]}:{at[11:13]}:{at[13:22]} UTC"
        assert says not in moments, f"{says!r} lies there twice, as of {moments[says]} and of {moment}"
        moments[says] = moment
    return moments
