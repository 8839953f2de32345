"""Nothing acknowledged is lost in a power cut: the real server on disks whose past can be had back.

What a power cut leaves is said in `disks.py`. A cut at the very moment of an acknowledgement is the hardest one, since
nothing that happens later can make up for a flush that is missing; so those moments are taken, too.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ngshare_fs.store.verify import verify_volume
from tests.durability.disks import (
    EXT4,
    PATIENCE,
    XFS,
    FileSystem,
    RecordedDisk,
    mount,
    mounted,
    recorded_disk,
    shut_down,
    skip_unless_possible,
    sync_file_system,
    unmount,
)
from tests.durability.history import History
from tests.durability.load import load, one_of_each, prepare
from tests.durability.servers import probe, serving

pytestmark = pytest.mark.durability
on_each_file_system = pytest.mark.parametrize("file_system", [EXT4, XFS], ids=str)
LOAD_SECONDS = 3.0
CUTS_UNDER_LOAD = 4

NO_FLUSH = """
int fsync(int descriptor) { return 0; }
int fdatasync(int descriptor) { return 0; }
int syncfs(int descriptor) { return 0; }
int sync_file_range(int descriptor, long offset, long count, unsigned flags) { return 0; }
void sync(void) { }
"""


def lost_in_a_cut(disk: RecordedDisk, history: History, moment: int, kept: float, folder: Path) -> list[str]:
    """Cut the power, mount what is left, serve it, and see what is lost or damaged.

    Args:
        kept: how much of what was not flushed is there, see `RecordedDisk.after_power_cut`.
    """
    image = folder / "image after the cut"
    disk.after_power_cut(moment, kept, random.Random(moment), image)
    with mounted(image, folder / "after the cut", disk.file_system.mount_options) as place:
        problems = [str(finding) for finding in verify_volume(place / "data")]
        with serving(place / "data", folder / "log after the cut") as server:
            problems += history.lost(server.url, moment)
        problems += [f"afterwards {finding}" for finding in verify_volume(place / "data")]
    return [f"moment {moment}, kept {kept}: {problem}" for problem in problems]


@on_each_file_system
def test_each_kind_of_write_is_on_the_disk_when_it_is_acknowledged(file_system: FileSystem, tmp_path: Path) -> None:
    with recorded_disk(file_system, tmp_path / "disk") as disk:
        history = History(disk.now)
        with serving(disk.place / "data", tmp_path / "log") as server:
            prepare(server.url, history)
            prepared = disk.now()
            one_of_each(server.url, history)
        lost = []
        for write in history.acknowledged:
            assert write.acknowledged
            if write.acknowledged > prepared:
                found = lost_in_a_cut(disk, history, write.acknowledged, 0, tmp_path)
                lost += [f"after {write.kind}: {problem}" for problem in found]
        assert lost == []
