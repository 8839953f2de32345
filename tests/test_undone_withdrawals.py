"""What was taken back is released again: the same files, once, whoever else does so at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ngshare_fs.store import Volume, assignment, release
from ngshare_fs.store.errors import AssignmentNotFound
from tests.stores import upload, volume

__all__ = ["volume"]

FILES = {"p.ipynb": b"{}", "data/x.csv": b"1" * 100_000}


@pytest.fixture
def withdrawn(volume: Volume) -> Volume:
    with upload(volume, **FILES) as files:
        release.release(volume, "c", "w", "kevin", files)
    release.withdraw(volume, "c", "w", "kevin")
    return volume


def test_the_files_are_the_same(withdrawn: Volume) -> None:
    moment = release.undo_withdrawal(withdrawn, "c", "w", "tina")
    assert release.is_open(withdrawn, "c", "w")
    (newest, again), (_, taken_back), (_, first) = release.history(withdrawn, "c", "w")
    assert again is not None
    assert first is not None
    assert taken_back is not None
    assert (newest, again.by, again.files) == (moment, "tina", first.files)
    assert taken_back.files == ()
    assert release.undo_withdrawal(withdrawn, "c", "w", "tina") is None
    assert len(release.history(withdrawn, "c", "w")) == 3


def test_many_at_once_release_it(withdrawn: Volume) -> None:
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(release.undo_withdrawal, withdrawn, "c", "w", "kevin") for _ in range(8)]
        moments = [moment for call in calls if (moment := call.result()) is not None]
    assert release.is_open(withdrawn, "c", "w")
    assert 1 <= len(moments) == len(release.history(withdrawn, "c", "w")) - 2


def test_what_is_deleted_meanwhile_is_not_there_again(withdrawn: Volume) -> None:
    def delete() -> None:
        if assignment.exists(withdrawn, "c", "w"):
            assignment.delete(withdrawn, "c", "w", "kevin")

    with pytest.raises(AssignmentNotFound):
        release.undo_withdrawal(withdrawn, "c", "w", "kevin", delete)
    assert not assignment.exists(withdrawn, "c", "w")
    with pytest.raises(AssignmentNotFound):
        release.history(withdrawn, "c", "w")
