"""GlusterFS alone; what it has in common with others is in `test_shared_volumes.py`."""

import contextlib

import pytest

from ngshare_fs.store import Person, Volume, course, roster
from tests.durability.shared.on_glusterfs import VOLUME, OnGlusterFS
from tests.durability.shared.replaced import check_that_no_reader_hears_that_it_is_stale
from tests.durability.test_shared_volumes import holding, is_free
from tests.waiting import until

pytestmark = [
    pytest.mark.durability, pytest.mark.long, pytest.mark.parametrize("shared", ["glusterfs"], indirect=True),
]  # fmt: skip


def test_who_reads_a_roster_never_hears_that_it_is_stale(shared: OnGlusterFS) -> None:
    check_that_no_reader_hears_that_it_is_stale(shared.here / "stale", shared.there / "stale")


def test_the_locks_of_a_machine_end_with_it(shared: OnGlusterFS) -> None:
    place = shared.gluster.mount(VOLUME, "that dies")
    file = "a file that a machine has locked"
    (shared.here / file).touch()
    with holding(place / file):
        assert not is_free(shared.here / file)
        shared.gluster.kill_mount(place)
        until(lambda: is_free(shared.here / file), "the lock is let go of")


def test_without_strict_locks_nothing_tells_that_a_lock_was_lost(shared: OnGlusterFS) -> None:
    """As `test_a_machine_that_comes_back_overwrites_nothing`, whose volume has them on."""
    name = "forgetful"
    shared.gluster.make_volume(name, 1, **{"client.strict-locks": "off"})
    data = shared.gluster.mount(name, name) / "data"
    with contextlib.closing(Volume.open(data)) as volume:
        course.create(volume, "NBG 101", ["kevin"])
        with volume.locks.hold("course", "NBG 101"):
            shared.gluster.command("volume", "stop", name, "force")
            shared.gluster.command("volume", "start", name)
            until(lambda: volume.ready() is None, "the mount's return")
            volume.locks.check_held()
        roster.set_student(volume, "NBG 101", "lawrence", Person())
