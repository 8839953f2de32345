"""A course's deadline fits into little memory."""

from pathlib import Path

import pytest

from tests.image.containers import container, serve, volume_for
from tests.image.requests import enrol, make_course, one_file, rush

pytestmark = pytest.mark.long
# Half of what image/compose.yaml gives.
LIMIT = "128m"
STUDENTS = 50
MIB = 2**20


def test_a_deadline_fits_into_the_limit(tmp_path: Path, image: str) -> None:
    """Fifty students hand in 1 MiB each at the same moment, then fetch 1 MiB each at the same moment."""
    options = [volume_for(tmp_path / "data", 65532, 65532), f"--memory={LIMIT}", f"--memory-swap={LIMIT}"]
    with container(image, options, serve()) as server:
        make_course(server.url, one_file(MIB))
        enrol(server.url, STUDENTS)
        for _ in range(2):
            assert rush(server.url, STUDENTS, MIB) == [200] * (2 * STUDENTS)
        assert server.killed_for_memory == 0
