"""A read between any two system calls of a write, and a deletion between any two of a read: what is answered was true.

The moments are enumerated, not drawn. While something is published, everything is read before each call of the system:
it is the old state or the new one. And before each call of a read in turn the assignment is deleted, and at it or
before any later one it is released again and handed in to.
"""

import builtins
import itertools
import os
import threading
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ngshare_fs.store import StoreError, Volume, assignment, dates, feedback, release, submission
from ngshare_fs.store.format import manifest
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.reading.cached_yaml import CachedYaml
from ngshare_fs.store.reading.tree import Tree
from ngshare_fs.store.writing.upload import Upload
from tests.stores import upload
from tests.volumes import write_course, write_feedback, write_release, write_submission, write_volume, write_withdrawal

pytestmark = pytest.mark.durability

LONG = "ö" * 200  # a name that only the manifest knows in full
FIRST, WITHDRAWN, SECOND, THIRD = (Timestamp(f"2020-01-0{day} 00:00:00.000000 UTC") for day in (1, 2, 3, 4))
Read = Callable[[Volume, str], Hashable]


def _content(tree: Tree | None) -> Hashable:
    if tree is None:
        return "no files"
    with tree:
        found = []
        for file in tree.manifest.files:
            descriptor = tree.open_file(file)
            found.append(os.read(descriptor, 100))
            os.close(descriptor)
        return tree.timestamp, tuple(found)


READS: dict[str, Read] = {
    "fetch": lambda volume, name: _content(release.newest(volume, "c", name)),
    "list all": lambda volume, name: tuple(submission.submissions_to(volume, "c", name)),
    "list own": lambda volume, name: tuple(submission.submissions_by(volume, "c", name, "ada")),
    "collect": lambda volume, name: _content(submission.collect(volume, "c", name, "ada", FIRST)),
    "collect the latest": lambda volume, name: _content(submission.collect(volume, "c", name, "ada", None)),
    "get feedback": lambda volume, name: _content(feedback.newest(volume, "c", name, "ada", FIRST)),
    "is open": lambda volume, name: release.is_open(volume, "c", name),
    "list open assignments": lambda volume, name: tuple(release.visible_assignments(volume, "c", dates.now())),
    "list assignments": lambda volume, name: tuple(assignment.assignments_of(volume, "c")),
}


class Scene:
    """An assignment that can be deleted and made again by one rename each, so that nothing else happens.

    Args:
        folder: of the test.
        name: of the assignment.
        withdrawn: which of the two is withdrawn, if any.
    """

    def __init__(self, folder: Path, name: str, withdrawn: str) -> None:
        root = write_volume(folder / "volume")
        course = write_course(root, "c", ["kevin"], ["ada", LONG])
        first = write_release(course, ("c", name), "kevin", FIRST, {"p": b"first"}).parent.parent
        for student in ("ada", LONG):
            tree = write_submission(course, ("c", name), student, FIRST, {"p": b"work"})
            write_feedback(tree, ("c", name), student, FIRST, "kevin", SECOND, {"p": b"well done"})
        if withdrawn == "first":
            write_withdrawal(course, ("c", name), "kevin", WITHDRAWN)
        self.name, self.withdrawn = name, withdrawn
        self.place, self.bin, self.next = first, root / "trash" / "bin", root / "next"
        (root / "trash").mkdir()
        first.rename(self.bin)
        made_anew = write_release(course, ("c", name), "kevin", SECOND, {"p": b"second"}).parent.parent
        write_submission(course, ("c", name), LONG, THIRD, {"p": b"later work"})
        if withdrawn == "second":
            write_withdrawal(course, ("c", name), "kevin", THIRD)
        made_anew.rename(self.next)
        self.volume = Volume.open(root)
        self.restore()

    def restore(self) -> None:
        """The first assignment is there, the second is not yet."""
        if not self.next.exists():
            self.place.rename(self.next)
        if self.bin.exists():
            self.bin.rename(self.place)
        self.volume.manifests = CachedYaml(manifest.understand)  # as many calls as the first time

    def delete(self) -> None:
        self.place.rename(self.bin)

    def make_again(self) -> None:
        self.next.rename(self.place)

    def replace(self) -> None:
        self.delete()
        self.make_again()

    def close(self) -> None:
        self.volume.close()


@pytest.fixture(
    params=[("a", ""), (LONG, ""), ("a", "first"), ("a", "second"), (LONG, "second")],
    ids=["short", "long", "first withdrawn", "second withdrawn", "long, second withdrawn"],
)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, *request.param)
    yield made
    made.close()


class Interruptions:
    """Lets things happen before certain calls of the system; `count` is how many the last read made."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls = -1  # not counting
        self.count = 0
        self.events: dict[int, Callable[[], None]] = {}
        for module, name in ((os, "stat"), (os, "open"), (os, "listdir"), (os, "scandir"), (builtins, "open")):
            patch.setattr(module, name, self._counting(getattr(module, name)))

    def _counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if self.calls >= 0:
                event = self.events.get(self.calls)
                calls, self.calls = self.calls, -1
                if event:
                    event()
                self.calls = calls + 1
            return function(*args, **kwargs)

        return counted

    def during(self, read: Read, volume: Volume, name: str, events: dict[int, Callable[[], None]]) -> Hashable:
        """What a read answers while these things happen, each before the call of its number."""
        self.calls, self.events = 0, events
        try:
            return read(volume, name)
        except StoreError as refusal:
            return type(refusal).__name__
        finally:
            self.count, self.calls = self.calls, -1


@pytest.mark.parametrize("kind", READS)
def test_what_is_read_was_true_at_some_moment(scene: Scene, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    interruptions = Interruptions(monkeypatch)

    def answer(events: dict[int, Callable[[], None]]) -> Hashable:
        return interruptions.during(READS[kind], scene.volume, scene.name, events)

    whole = answer({})
    calls = interruptions.count
    assert calls > 0
    scene.delete()
    gone = answer({})
    scene.make_again()
    again = answer({})
    for first in range(calls):
        scene.restore()
        assert answer({first: scene.delete}) in (whole, gone), f"deleted before call {first}"
        for second in range(first, calls):
            scene.restore()
            both = {second: scene.make_again, first: scene.replace if first == second else scene.delete}
            assert answer(both) in (whole, gone, again), f"deleted before call {first}, made again before {second}"
            if not scene.place.exists():
                scene.make_again()  # the read had ended before


WRITES: dict[str, Callable[[Volume, str], object]] = {
    "hand in": lambda volume, name: _with_upload(
        volume, lambda made: submission.submit(volume, "c", name, "ada", made)
    ),
    "hand in first": lambda volume, name: _with_upload(
        volume, lambda made: submission.submit(volume, "c", name, "new", made)
    ),
    "release again": lambda volume, name: _with_upload(
        volume, lambda made: release.release_again(volume, "c", name, "kevin", made)
    ),
    "release": lambda volume, name: _with_upload(volume, lambda made: release.release(volume, "c", "z", "kevin", made)),
    "withdraw": lambda volume, name: release.withdraw(volume, "c", name, "kevin"),
    "give feedback": lambda volume, name: _with_upload(
        volume, lambda made: feedback.give(volume, "c", name, "ada", FIRST, "kevin", made)
    ),
    "delete": lambda volume, name: assignment.delete(volume, "c", name, "kevin"),
}


def _with_upload(volume: Volume, write: Callable[[Upload], object]) -> None:
    with upload(volume, p=b"new", **{"data/x": b"1", "data/y": b"2"}) as made:
        write(made)


class Watcher:
    """Reads everything before each call of the system, as another process would; `seen` is what, a row at a time."""

    CALLS = ("open", "mkdir", "rename", "replace", "link", "unlink", "rmdir", "fsync", "fdatasync", "write", "close")

    def __init__(self, patch: pytest.MonkeyPatch, root: Path, name: str) -> None:
        self._volume = Volume.open(root)
        self._name = name
        self._looking = threading.local()
        self._one_at_a_time = threading.Lock()
        self.seen: list[tuple[Hashable, ...]] = []
        for call in self.CALLS:
            patch.setattr(os, call, self._watched(getattr(os, call)))

    def close(self) -> None:
        self._looking.now = True
        self._volume.close()

    def look(self) -> None:
        """Read everything once; no read may fail, and none waits for the writer's locks."""
        self._looking.now = True
        with self._one_at_a_time:
            self.seen.append(tuple(self._answer(read, name) for read in READS.values() for name in (self._name, "z")))
        self._looking.now = False

    def _answer(self, read: Read, name: str) -> Hashable:
        try:
            return read(self._volume, name)
        except StoreError as refusal:
            return type(refusal).__name__

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            if not getattr(self._looking, "now", False):
                self.look()
            return function(*args, **kwargs)

        return watched


@pytest.mark.parametrize("kind", WRITES)
def test_readers_see_the_old_or_the_new(scene: Scene, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = Watcher(monkeypatch, Path(scene.volume.root), scene.name)
    try:
        watcher.look()
        WRITES[kind](scene.volume, scene.name)
        watcher.look()
    finally:
        watcher.close()
        monkeypatch.undo()
    assert len(watcher.seen) > 5
    for answers in zip(*watcher.seen, strict=True):
        changes = [now for before, now in itertools.pairwise(answers) if now != before]
        assert len(changes) <= 1, f"{answers[0]}, then {changes}"
    is_needless = kind == "withdraw" and scene.withdrawn == "first"
    assert (watcher.seen[0] == watcher.seen[-1]) == is_needless
