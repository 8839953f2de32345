"""A roster that is replaced all the time while somebody on another machine reads it."""

import contextlib
import subprocess
import sys
from pathlib import Path

from ngshare_fs.store import Volume, course, roster
from ngshare_fs.store.checking.findings import STRAY
from ngshare_fs.store.checking.verify import verify_volume
from tests.waiting import PATIENCE

READINGS = 300
REPLACER = """
import itertools, os, sys
with open(sys.argv[1]) as file:
    content = file.read()
for number in itertools.count():
    new = f"{sys.argv[1]}.{os.getpid()}.{number}"  # GlusterFS may still know a name that was renamed away
    with open(new, "w") as file:
        file.write(content)
    os.rename(new, sys.argv[1])
"""


def check_that_no_reader_hears_that_it_is_stale(here: Path, there: Path) -> None:
    """A name that is looked up leads to a file that is gone when it is opened: GlusterFS said ESTALE, one in fifty.

    Args:
        here, there: the same volume, by way of either mount; is made.
    """
    with contextlib.closing(Volume.open(here)) as volume:
        course.create(volume, "NBG 101", ["kevin"])
        command = [sys.executable, "-c", REPLACER, str(there / "courses/NBG 101/course.yaml")]
        replacers = [subprocess.Popen(command) for _ in range(2)]
        try:
            for reading in range(READINGS):
                if reading % 20 == 0:
                    # What the replacers are writing does not belong there, which is no matter here.
                    assert {finding.code for finding in verify_volume(here)} <= {STRAY.code}
                assert set(roster.of(volume, "NBG 101").instructors) == {"kevin"}
                assert course.all_courses(volume) == ["NBG 101"]
            assert [replacer.poll() for replacer in replacers] == [None, None]
        finally:
            for replacer in replacers:
                replacer.kill()
                replacer.wait(PATIENCE)
