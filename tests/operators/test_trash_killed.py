"""A command that is killed before any call of the system that changes something: nothing is lost, and it is run again.

Between any two steps `verify` finds nothing, and what was in the trash is wholly there or wholly at its place.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, assignment, course, submission
from ngshare_fs.store.checking.verify import verify_volume
from ngshare_fs.store.format.timestamp import Timestamp
from ngshare_fs.store.upkeep import restoring
from ngshare_fs.store.upkeep.emptying import empty
from ngshare_fs.store.upkeep.pruning import prune, surplus_in
from ngshare_fs.store.upkeep.trash_entries import entries_in
from tests.durability.system_calls import Attempt, Watch
from tests.durability.which_calls import changes
from tests.volumes import ASSIGNMENT, COURSE, STUDENT, SUBMITTED, Plain, write_submission

LATER = "2020-02-01 00:00:00.000000 UTC"
STRIDE = 3  # in the short check
NEW = "another name"

Act = Callable[[Volume], object]


def restore(kind: str, new_name: str | None = None) -> Act:
    def act(volume: Volume) -> None:
        for entry in entries_in(volume):
            if entry.contents and entry.deletion and entry.deletion.kind == kind and entry.deletion.by == "root":
                restoring.restore(volume, restoring.plan(volume, entry, new_name))

    return act


def prune_all(volume: Volume) -> None:
    for surplus in list(surplus_in(volume, COURSE, 1)):
        prune(volume, surplus, "root")


# What is deleted beforehand, and what is done then.
ACTS: dict[str, tuple[Act, Act]] = {
    "restore a course": (lambda volume: course.delete(volume, COURSE, "root"), restore("course")),
    "rename a course": (lambda volume: course.delete(volume, COURSE, "root"), restore("course", NEW)),
    "restore an assignment": (
        lambda volume: assignment.delete(volume, COURSE, ASSIGNMENT, "root"),
        restore("assignment"),
    ),
    "restore a submission": (
        lambda volume: submission.delete(volume, COURSE, ASSIGNMENT, STUDENT, Timestamp(SUBMITTED), "root"),
        restore("submission"),
    ),
    "empty": (
        lambda volume: assignment.delete(volume, COURSE, ASSIGNMENT, "root"),
        lambda volume: empty(volume, timedelta(0), lambda entry: None),
    ),
    "prune": (lambda volume: None, prune_all),
}


def files_in(root: Path) -> list[bytes]:
    """The content of all files of all trees, wherever they lie; none is left out."""
    found = [path for path in root.rglob("files/**/*") if path.is_file() and ".ngshare" not in path.parts]
    return sorted(path.read_bytes() for path in found)


@pytest.fixture
def folder() -> Iterator[Path]:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def killed(watch: Watch, root: Path, act: Act, step: int) -> bool:
    """Do it in a process that ends before such a step; False where it came to its end before that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the other threads of this process are pytest's
        child = os.fork()
    if not child:
        try:
            volume = Volume.open(root)

            def end(_: Attempt) -> None:
                os._exit(9)

            watch.count(step, end, changes)
            act(volume)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), code
    return code == 9


@pytest.mark.durability
@pytest.mark.parametrize("what", list(ACTS))
def test_a_kill_before_any_step_loses_nothing(what: str, folder: Path, pytestconfig: pytest.Config) -> None:
    before, act = ACTS[what]
    template, root = folder / "template", folder / "data"
    plain = Plain(template)
    shutil.rmtree(plain.deletion)
    write_submission(plain.course, (COURSE, ASSIGNMENT), "ada", SUBMITTED, {"f": b"1"})
    write_submission(plain.course, (COURSE, ASSIGNMENT), "ada", LATER, {"f": b"2"})
    whole = files_in(template)
    volume = Volume.open(template)
    before(volume)
    volume.close()
    step, ended = 1, False
    with Watch(root) as watch:
        while not ended:
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(template, root)
            ended = not killed(watch, root, act, step)
            assert list(verify_volume(root)) == [], step
            volume = Volume.open(root)
            if what == "empty":
                # An entry is there whole, or not at all.
                is_there = any(entry.contents for entry in entries_in(volume))
                assert files_in(root) == (whole if is_there else []), step
            else:
                assert files_in(root) == whole, step
            act(volume)
            volume.close()
            assert list(verify_volume(root)) == [], step
            if what == "empty":
                assert os.listdir(root / "trash") == [], step
            elif what != "prune":
                place = root / "courses" / (NEW if what == "rename a course" else COURSE)
                assert files_in(place) == whole, step
                assert all(not entry.contents for entry in entries_in(volume)), step
            step += 1 if pytestconfig.getoption("--long") else STRIDE
    assert step > 5
