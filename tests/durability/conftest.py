"""Volumes that several machines share, each made once for all tests."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.durability.guest.machine import in_guest
from tests.durability.shared.on_ceph import by_fuse, by_kernel
from tests.durability.shared.on_glusterfs import on_glusterfs
from tests.durability.shared.on_nfs import on_nfs
from tests.durability.shared.volume import SharedVolume

KINDS: dict[str, Callable[[Path], AbstractContextManager[SharedVolume]]] = {
    "glusterfs": on_glusterfs,
    "ceph-fuse": by_fuse,
    "nfs": on_nfs,
    "ceph-kernel": by_kernel,
}
# `test_in_guests.py` runs guests, and the same tests in them.
HERE = (os.environ.get("SHARED_VOLUME", "nfs"),) if in_guest() else ("glusterfs", "ceph-fuse")


@pytest.fixture(scope="session", params=HERE)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedVolume]:
    with KINDS[request.param](tmp_path_factory.mktemp(request.param)) as made:
        yield made
