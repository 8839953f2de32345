"""A course's deadline fits into the memory that the chart and the compose file give the server."""

import re
from pathlib import Path

import pytest

from tests.image.containers import container, serve, volume_for
from tests.image.requests import call, enrol, make_course, one_file, rush

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
STUDENTS = 50
MIB = 2**20


def limit_in(file: Path, pattern: str) -> str:
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    assert found, file
    return found[1]


def test_a_deadline_fits_into_the_limit(tmp_path: Path, image: str) -> None:
    """Fifty students hand in 1 MiB each at the same moment, then fetch 1 MiB each at the same moment."""
    limit = limit_in(ROOT / "image" / "compose.yaml", r"^ +mem_limit: (\d+m)$")
    options = [volume_for(tmp_path / "data", 65532, 65532), f"--memory={limit}", f"--memory-swap={limit}"]
    with container(image, options, serve()) as server:
        make_course(server.url, one_file(MIB))
        enrol(server.url, STUDENTS)
        for _ in range(2):
            assert rush(server.url, STUDENTS, MIB) == [200] * (2 * STUDENTS)
        assert server.killed_for_memory == 0
        assert call(server.url, "courses", "root")[0] == 200
