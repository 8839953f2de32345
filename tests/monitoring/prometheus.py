"""Starts a real Prometheus, and asks it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from tests import waiting
from tests.servers import REPOSITORY, Server
from tests.started_on_a_port import started

EXAMPLE = REPOSITORY / "examples" / "monitoring"


@dataclass
class Prometheus:
    """A running one."""

    url: str

    def query(self, text: str) -> list[dict[str, Any]]:
        """What a query finds.

        Raises:
            urllib.error.HTTPError: it is none.
        """
        with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': text})}", timeout=waiting.PATIENCE) as answer:
            found = json.load(answer)
        assert found["status"] == "success"
        result: list[dict[str, Any]] = found["data"]["result"]
        return result

    def firing(self) -> set[str]:
        """The names of the alerts that are raised."""
        with urlopen(f"{self.url}/api/v1/alerts", timeout=waiting.PATIENCE) as answer:
            alerts = json.load(answer)["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            with urlopen(f"{self.url}/-/ready", timeout=waiting.PATIENCE) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError):
            return False


@contextmanager
def looking_at(server: Server, folder: Path) -> Iterator[Prometheus]:
    """Start one with the example's configuration, but in seconds where that says minutes.

    Args:
        server: what it looks at.
        folder: for its files.
    """
    target = urlsplit(server.url).netloc
    configuration = (EXAMPLE / "prometheus.yml").read_text()
    configuration = configuration.replace("127.0.0.1:12121", target).replace("15s", "250ms")
    (folder / "prometheus.yml").write_text(configuration)
    alerts = re.sub(r"for: \d+m", "for: 0s", (EXAMPLE / "alerts.yml").read_text())
    (folder / "alerts.yml").write_text(alerts)

    def command(port: int) -> list[str]:
        words = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        return [*words, f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]

    def is_ready(_: object, port: int) -> bool:
        return Prometheus(f"http://127.0.0.1:{port}").is_ready()

    with started(command, is_ready, folder / "prometheus.log") as (_, port):
        yield Prometheus(f"http://127.0.0.1:{port}")
