"""The tests of shared volumes by what this machine's kernel may have no modules for: NFSv4.2, and its CephFS.

Servers and clients are real ones, in guests.
"""

from pathlib import Path

import pytest

from tests.durability import ceph
from tests.durability.guest import nfs
from tests.durability.guest.machine import python, run_in_guest, why_not_here

pytestmark = [pytest.mark.durability, pytest.mark.long]

PATIENCE = 600
FOLDER = Path(__file__).parent
SHARED, OF_NFS, OF_CEPH = FOLDER / "test_shared_volumes.py", FOLDER / "guest/nfs_alone.py", FOLDER / "test_ceph.py"


@pytest.mark.parametrize(
    ("kind", "programs", "memory", "tests", "chosen"),
    [
        ("nfs", nfs.PROGRAMS, "768M", (SHARED, OF_NFS), ""),
        # The rest is a matter of the servers, which are the same as with `ceph-fuse`, or takes minutes here.
        ("ceph-kernel", ceph.PROGRAMS, "1400M", (SHARED, OF_CEPH), "comes_back or reconnects"),
    ],
    ids=["nfs", "ceph-kernel"],
)
def test_all_of_it_in_a_guest(
    kind: str, programs: tuple[str, ...], memory: str, tests: tuple[Path, ...], chosen: str, tmp_path: Path
) -> None:
    reason = why_not_here(*programs)
    if reason is not None:
        pytest.skip(reason)
    # What is said of each test tells which of them failed.
    options = ("--long", "-n", "0", "-v", "-s", "-p", "no:cacheprovider", "--durations=0", "-k", chosen)
    command = ["env", f"SHARED_VOLUME={kind}", *python("pytest", *options, *map(str, tests))]
    output = run_in_guest(command, tmp_path / "guest", PATIENCE, memory)
    print(output)
    assert " passed" in output.splitlines()[-1]
    assert " skipped" not in output.splitlines()[-1]
