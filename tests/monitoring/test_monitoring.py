"""The examples of monitoring: each query is of what the server counts, each alert is raised when it should be."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from ngshare_fs.command.main import main
from ngshare_fs.metrics.process_figures import OPEN_FILES, RESIDENT, STARTED
from ngshare_fs.metrics.table import METRICS, PREFIX, Kind, full_name
from tests import waiting
from tests.monitoring.prometheus import EXAMPLE, Prometheus, looking_at
from tests.servers import Server, running, writing_processes
from tests.serving import get

PROMTOOL = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing: apt-get install prometheus"
)
# What is known without having been counted.
LOOKED_AT = {
    *("hub_up", "volume_writable", "volume_bytes", "volume_inodes", "build_info"),
    *("verify_last_run_timestamp_seconds", "verify_findings", "backup_last_success_timestamp_seconds"),
    *(RESIDENT, OPEN_FILES, STARTED),
}
# Of a server without a hub, whose workers live, and whose volume may lie on a file system without `syncfs` of ours.
MAY_BE_EMPTY = re.compile("ngshare_fs_(hub_|group_sync_|auth_cached_tokens|worker_restarts|flush_batch_size)")


def queries() -> list[str]:
    """Those of the dashboard, as Grafana would send them."""
    document = json.loads((EXAMPLE / "dashboard.json").read_text())
    found = [target["expr"] for panel in document["panels"] for target in panel.get("targets", [])]
    return [text.replace("$__rate_interval", "1m").replace("$instance", ".*") for text in found]


def expressions() -> list[str]:
    """Those of the alerts."""
    return re.findall(r"expr: (?:\|\n)?((?:.|\n)+?)\n +(?:for|labels):", (EXAMPLE / "alerts.yml").read_text())


def test_every_query_is_of_what_is_counted() -> None:
    samples = set()
    for name, metric in METRICS.items():
        parts = ("_bucket", "_count", "_sum") if metric.kind is Kind.HISTOGRAM else ("",)
        samples |= {f"{full_name(name)}{part}" for part in parts}
    samples |= {full_name(name) for name in LOOKED_AT}
    found = [*queries(), *expressions()]
    assert len(found) > 40
    for text in found:
        names = set(re.findall(r"\b(?:ngshare_fs|process)_\w+", text))
        assert names <= samples, text
        assert names or "up{" in text, text


def test_every_alert_is_tested() -> None:
    alerts = re.findall(r"alert: (\w+)", (EXAMPLE / "alerts.yml").read_text())
    tested = re.findall(r"alertname: (\w+)\n +exp_alerts", (EXAMPLE / "alerts_test.yml").read_text())
    assert sorted(alerts) == sorted(tested)
    assert len(alerts) == len(expressions())


@PROMTOOL
@pytest.mark.parametrize(
    "words",
    [["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]],
)
def test_promtool_finds_nothing(words: list[str]) -> None:
    done = subprocess.run(["promtool", *words], cwd=EXAMPLE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@PROMTOOL
@pytest.mark.long
def test_promtool_finds_nothing_in_a_scrape(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--metrics", "--debug") as server:
        work(server)
        watch_over(tmp_path / "data")
        text = urlopen(server.url.replace("/api/", "/metrics")).read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def work(server: Server) -> None:
    """Let there be something of everything."""
    waiting.until(lambda: writing_processes(server.process.pid), "the process that writes", lambda: server.log)
    for _ in range(2):  # the second one deletes what the first has made
        assert get(server, "initialize-Data6ase?action=init&user=root") == 200
    fields = urlencode({"user": "lawrence", "files": '[{"path": "p.ipynb", "content": "e30K"}]'}).encode()
    assert urlopen(f"{server.url}submission/course1/challenge", fields).status == 200
    assert get(server, "courses?user=") == 403
    assert get(server, "assignments/course1?user=eve") == 403


def watch_over(data: Path) -> None:
    """Verify, when there is something to be found, and make a backup."""
    (data / "a stray").touch()
    assert main(["verify", "--data", str(data)]) == 1
    (data / ".ngshare/last-backup").touch()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("monitoring") / "data", "--metrics", "--debug") as server:
        yield server


@PROMTOOL
@pytest.mark.long
def test_every_query_of_the_dashboard_finds_something(served: Server, tmp_path: Path) -> None:
    with looking_at(served, tmp_path) as prometheus:
        waiting.until(lambda: prometheus.query(f"{PREFIX}collected_timestamp_seconds"), "the first scrapes")
        watch_over(served.log_file.with_suffix(""))

        def without_an_answer() -> list[str]:
            work(served)
            return [text for text in queries() if not MAY_BE_EMPTY.search(text) and not prometheus.query(text)]

        waiting.until(lambda: not without_an_answer(), "an answer to each query", lambda: str(without_an_answer()))
        for text in [*queries(), *expressions()]:
            prometheus.query(text)
        # The disk is shared with whoever else writes to it, and was watched for seconds only.
        assert prometheus.firing() - {"NgshareFsVolumeFullInADay"} == {"NgshareFsFindings"}


@PROMTOOL
@pytest.mark.long
def test_alerts_are_raised_by_the_real_thing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--metrics", "--debug") as server, looking_at(server, tmp_path) as prometheus:
        work(server)
        waiting.until(lambda: prometheus.query("ngshare_fs_volume_writable == 1"), "a scrape")
        data.rename(tmp_path / "elsewhere")
        _wait_for(prometheus, "NgshareFsVolumeNotWritable")

        def is_raised() -> bool:
            get(server, "courses?user=root")
            return "NgshareFsErrors" in prometheus.firing()

        waiting.until(is_raised, "the alert on requests that fail")
        (tmp_path / "elsewhere").rename(data)
        waiting.until(lambda: "NgshareFsVolumeNotWritable" not in prometheus.firing(), "the end of the alert")
        server.stop()
        _wait_for(prometheus, "NgshareFsDown")


def _wait_for(prometheus: Prometheus, alert: str) -> None:
    waiting.until(lambda: alert in prometheus.firing(), f"the alert {alert}")
