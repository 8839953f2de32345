"""NFS alone; `test_in_guests.py` runs this in a guest."""

import contextlib
import multiprocessing
import os
from pathlib import Path

import pytest

from ngshare_fs.store import Person, Volume, course, roster
from tests.durability.exchange import Exchange
from tests.durability.guest.nfs import EXPORT
from tests.durability.guest.two_servers import WRONG, Round, judged, seconds_until_seen
from tests.durability.servers import serving
from tests.durability.shared.on_nfs import OnNfs
from tests.durability.shared.replaced import check_that_no_reader_hears_that_it_is_stale
from tests.waiting import PATIENCE

SQUASHED = EXPORT.replace("no_root_squash", "root_squash")
NOBODY, ANOTHER = 65534, 65532
EXPORTED = Path("/srv/export")
pytestmark = pytest.mark.long


def test_who_reads_a_roster_never_hears_that_it_is_stale(shared: OnNfs) -> None:
    check_that_no_reader_hears_that_it_is_stale(shared.here / "stale", shared.there / "stale")


def test_what_one_machine_has_acknowledged_the_other_one_tells_at_once(shared: OnNfs, tmp_path: Path) -> None:
    """Beside `test_two_mounts_behave_like_one`; with NFS's defaults they do not: see `test_mount_options.py`."""
    with Round(shared.here, shared.there, tmp_path / "agree") as both:
        seen = seconds_until_seen(both)
        found = judged(iter([both]), 1)
    print(found)
    assert seen == dict.fromkeys(seen, 0.0)
    assert not WRONG & found.keys(), found


def test_where_root_is_squashed_a_folder_of_nobody_serves(shared: OnNfs, tmp_path: Path) -> None:
    (EXPORTED / "squashed").mkdir()
    os.chown(EXPORTED / "squashed", NOBODY, NOBODY)
    with shared.nfs.exported(SQUASHED), serving(shared.here / "squashed/data", tmp_path / "log") as server:
        Exchange(server, shared.here / "squashed/data").check_that_all_is_well()


def test_where_root_is_squashed_another_user_has_it_all(shared: OnNfs) -> None:
    """As in the image and the chart; its files are that user's."""
    folder = EXPORTED / "of another"
    folder.mkdir()
    os.chown(folder, ANOTHER, ANOTHER)
    data = shared.here / folder.name / "data"

    def change() -> None:
        os.setgroups([])
        os.setgid(ANOTHER)
        os.setuid(ANOTHER)
        with contextlib.closing(Volume.open(data)) as volume:
            course.create(volume, "c", ["kevin"])
            roster.set_student(volume, "c", "lawrence", Person())

    with shared.nfs.exported(SQUASHED):
        process = multiprocessing.get_context("fork").Process(target=change)  # it could not read the modules any more
        process.start()
        process.join(PATIENCE)
        assert process.exitcode == 0
    assert (folder / "data/courses/c/course.yaml").stat().st_uid == ANOTHER


def test_where_root_is_squashed_a_folder_of_root_is_refused_with_what_to_do(shared: OnNfs, tmp_path: Path) -> None:
    (EXPORTED / "of root").mkdir()
    with (
        shared.nfs.exported(SQUASHED),
        pytest.raises(AssertionError, match="did not start") as refused,
        serving(shared.here / "of root/data", tmp_path / "log"),
    ):
        pass
    assert "root_squash): run this as another user, who owns the folder" in str(refused.value)
