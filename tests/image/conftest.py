"""The image, built once for all tests, however many processes run them."""

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.image import containers


@pytest.fixture(scope="session")
def image() -> str:
    """The image's name."""
    if lacking := containers.missing():
        pytest.skip(f"missing: {lacking}")
    cache = Path(__file__).parents[2] / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        containers.remove_left_over()
        built = subprocess.run([containers.TOOLS / "build"], capture_output=True, text=True, timeout=1200, check=False)
        assert built.returncode == 0, built.stderr
    return built.stdout.strip()
