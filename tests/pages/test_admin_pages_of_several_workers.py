"""What one process has counted is shown by all of them, and after they are gone."""

import urllib.request
from pathlib import Path

import pytest

from ngshare_fs.store import Volume, course
from tests import waiting
from tests.servers import running

pytestmark = pytest.mark.long


def page(url: str, path: str) -> str:
    with urllib.request.urlopen(f"{url.rstrip('/')}/{path}?user=root", timeout=30) as answer:
        return str(answer.read().decode("utf-8"))


def test_each_worker_shows_what_one_has_counted(tmp_path: Path) -> None:
    data = tmp_path / "data"
    volume = Volume.open(data)
    for number in range(3):
        course.create(volume, f"c{number}")
    volume.close()
    with running(data, "--metrics", "--workers", "3") as server:
        waiting.until(lambda: "Counted" in page(server.url, "pages/admin"), "the first count")
        # Each request is a new connection, which any of them may take.
        for _ in range(12):
            assert "3 courses take 0 B" in page(server.url, "pages/admin")
        for processes in ("3 × server", "1 × supervisor"):
            waiting.until(
                lambda processes=processes: processes in page(server.url, "pages/admin-health"),  # type: ignore[misc]
                f"{processes} on the page",
            )
    assert len((data / ".ngshare/history.jsonl").read_bytes().splitlines()) == 1
    with running(data) as server:
        assert "3 courses take 0 B" in page(server.url, "pages/admin")
