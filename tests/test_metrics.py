"""`/metrics`: what is counted is true, over all processes and over their deaths, and names nobody."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ngshare_fs import metrics
from ngshare_fs.api.endpoints import metrics as exposition
from ngshare_fs.hub import HubClient, HubDown, Tokens
from ngshare_fs.metrics import board, counting
from ngshare_fs.metrics.table import METRICS, OF_PROCESSES, PREFIX, full_name
from ngshare_fs.store import Volume
from ngshare_fs.store.errors import LockTimeout
from ngshare_fs.store.upkeep import figures
from ngshare_fs.store.writing.flushers import AllTogether, EachByItself
from ngshare_fs.store.writing.locks import Locks
from tests import waiting
from tests.conftest import MakeExchange
from tests.fallible_hub import FallibleHub, user
from tests.servers import REPOSITORY, Server, children_of, running, writing_processes
from tests.serving import address, get, serving
from tests.volumes import HOSTILE_NAMES, write_rich_volume

OPERATORS = (REPOSITORY / "docs" / "operators.md").read_text(encoding="utf-8")
FILES = '[{"path": "p.ipynb", "content": "e30K"}]'
Samples = Mapping[str, float]
# Somebody who has not looked at a volume.
LOOK = exposition.VolumeState()


def scrape(server: Server) -> Samples:
    """The samples, by name and labels as Prometheus writes them, without the prefix of the names."""
    connection = HTTPConnection(*address(server), timeout=30)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    text = answer.read().decode()
    connection.close()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert sample.name.startswith((PREFIX, OF_PROCESSES))
            labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
            found[sample.name.removeprefix(PREFIX) + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def submit(server: Server, user: str = "lawrence", times: int = 1, **more: str) -> None:
    for _ in range(times):
        fields = urlencode({"user": user, "files": FILES, **more}).encode()
        assert urlopen(f"{server.url}submission/course1/challenge", fields).status == 200


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of several processes with known data."""
    data = tmp_path_factory.mktemp("metrics") / "data"
    with running(data, "--debug", "--metrics", "--workers", "2") as server:
        waiting.until(lambda: len(serving(server)) == 2, "the start of all workers", lambda: server.log)
        assert get(server, "initialize-Data6ase?action=init&user=root") == 200
        waiting.until(lambda: scrape(server).get('processes{role="writer"}') == 2, "the start of all writers")
        yield server


def test_what_was_done_is_counted_by_all_processes_together(served: Server) -> None:
    before = scrape(served)
    submit(served, times=20)
    assert get(served, "assignment/course1/challenge?user=lawrence") == 200
    assert get(served, "assignment/course1/challenge?user=nobody") == 403
    assert get(served, "assignment/course1/nothing?user=lawrence") == 404
    assert get(served, "no-such-thing") == 404
    after = scrape(served)

    def rise(sample: str) -> float:
        return after[sample] - before.get(sample, 0.0)

    work = 'route="submission/{course}/{assignment}"'
    fetch = 'route="assignment/{course}/{assignment}"'
    assert rise(f'http_requests_total{{code="200",method="POST",{work}}}') == 20
    assert rise(f'http_request_duration_seconds_count{{method="POST",{work}}}') == 20
    assert rise(f'http_request_duration_seconds_bucket{{le="+Inf",method="POST",{work}}}') == 20
    assert [rise(f'http_requests_total{{code="{code}",method="GET",{fetch}}}') for code in (200, 403, 404)] == [1, 1, 1]
    assert rise('http_requests_total{code="404",method="GET",route="other"}') == 1
    assert rise('submissions_total{result="stored"}') == 20
    assert rise('publish_duration_seconds_count{kind="submission"}') == 20
    assert rise("lock_wait_seconds_count") == 20
    assert rise('auth_refusals_total{reason="Permission denied"}') == 1
    assert rise("received_bytes_total") == 20 * len(urlencode({"user": "lawrence", "files": FILES}))
    assert rise("sent_bytes_total") > 20 * 100
    assert after["http_requests_in_flight"] == 1  # the scrape
    assert after['processes{role="server"}'] == 2
    assert after["lock_timeouts_total"] == 0
    assert after["volume_writable"] == 1
    assert 0 < after['volume_bytes{state="used"}'] < after['volume_bytes{state="total"}']
    waiting.until(lambda: "courses" in scrape(served), "the end of the walk through the volume")


def test_each_submission_is_counted_as_what_became_of_it(served: Server) -> None:
    before = scrape(served)
    submit(served)
    set_dates(served, due="2020-01-01")
    submit(served, key="k", times=2)
    set_dates(served, close="2020-01-02")
    submit(served, key="k")
    with pytest.raises(HTTPError, match="403") as refused:
        submit(served)
    refused.value.close()
    set_dates(served, due="", close="")
    after = scrape(served)
    results = ("stored", "late", "repeated", "closed")
    samples = [f'submissions_total{{result="{result}"}}' for result in results]
    assert [after[sample] - before.get(sample, 0.0) for sample in samples] == [1, 1, 2, 1]
    assert not [sample for sample in after if "Assignment is closed" in sample]


def set_dates(server: Server, **dates: str) -> None:
    form = urlencode({"user": "kevin", **dates}).encode()
    urlopen(Request(f"{server.url}assignment/course1/challenge", form, method="PATCH")).close()


def test_what_the_processes_use_is_summed_over_them(served: Server) -> None:
    before = scrape(served)
    submit(served, times=20)
    after = scrape(served)
    for role in ("server", "writer", "supervisor"):
        of_role = f'{{role="{role}"}}'
        assert after[f"process_cpu_seconds_total{of_role}"] >= before[f"process_cpu_seconds_total{of_role}"] > 0
        age = after["scrape_timestamp_seconds"] - after[f"process_start_time_seconds{of_role}"]
        assert -60 < age < 3600
    assert after['process_cpu_seconds_total{role="server"}'] > before['process_cpu_seconds_total{role="server"}']
    workers = serving(served)
    files = [len(list(Path(f"/proc/{worker}/fd").iterdir())) for worker in workers]
    assert sum(files) - 20 < after['process_open_fds{role="server"}'] < sum(files) + 20
    memory = sum(_resident(worker) for worker in workers)
    assert 0.8 * memory < after['process_resident_memory_bytes{role="server"}'] < 1.25 * memory


def _resident(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_buckets_hold_what_is_below_their_limit(served: Server) -> None:
    submit(served)
    found = scrape(served)
    buckets = [
        value for name, value in found.items() if name.startswith('publish_duration_seconds_bucket{kind="submission"')
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found['publish_duration_seconds_count{kind="submission"}']
    assert found['publish_duration_seconds_sum{kind="submission"}'] > 0


def test_nobody_and_nothing_is_named(served: Server) -> None:
    for name in HOSTILE_NAMES:
        get(served, f"assignment/{quote(name, safe='')}/secret-assignment?user=secret-user")
        get(served, f"{quote(name, safe='')}?user=secret-user")
    with socket.create_connection(address(served)) as connection:
        connection.sendall(b"SECRET /api/courses HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        connection.recv(1000)
    with socket.create_connection(address(served)) as connection:
        connection.sendall(b"what is this secret\r\n\r\n")
        connection.recv(1000)
    submit(served)
    text = urlopen(served.url.replace("/api/", "/metrics")).read().decode()
    names = [*HOSTILE_NAMES, "lawrence", "course1", "challenge", "kevin", "secret"]
    labels = re.findall(r'="([^"]*)"', text)
    assert labels
    assert [name for name in names if name in labels or (len(name) > 5 and name.lower() in text.lower())] == []
    assert 'method="other"' in text
    assert "Unhandled" not in served.log


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /metrics", 200),
        ("HEAD /metrics", 200),
        ("POST /metrics", 405),
        ("DELETE /metrics", 405),
        ("GET /api/metrics", 404),
        ("GET /api/../metrics", 404),
        ("GET /api/..%2fmetrics", 404),
        ("GET /api/%2e%2e/metrics", 404),
        ("GET //metrics", 404),
    ],
)
def test_it_is_at_the_root_only_where_the_hubs_proxy_does_not_lead(
    served: Server, request_line: str, status: int
) -> None:
    with socket.create_connection(address(served)) as connection:
        connection.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.split()[1] == str(status).encode()
    assert (b"ngshare_fs_build_info" in answer) == (request_line == "GET /metrics")


def test_no_counter_goes_down_when_processes_are_killed(served: Server) -> None:
    submit(served, times=10)
    before = scrape(served)
    worker = serving(served)[-1]
    os.kill(writing_processes(worker)[0], signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    waiting.until(lambda: len(serving(served)) > 2 and len(children_of(served.process.pid)) == 2, "another worker")
    after = scrape(served)
    assert {
        name for name in before if re.search("_(total|count|sum|bucket)", name) and after[name] < before[name]
    } == set()
    assert after['worker_restarts_total{reason="ended"}'] == 1
    waiting.until(lambda: scrape(served)['processes{role="server"}'] == 2, "both are counted")
    submit(served, times=10)
    assert scrape(served)['submissions_total{result="stored"}'] == before['submissions_total{result="stored"}'] + 10


@pytest.mark.long
def test_a_volume_that_is_gone_is_said(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--metrics") as server:
        # A process that just opens the volume would make folders.
        waiting.until(lambda: scrape(server).get('processes{role="writer"}') == 1, "the start of the writer")
        assert scrape(server)["volume_writable"] == 1
        (tmp_path / "data").rename(tmp_path / "elsewhere")
        found = scrape(server)
        assert found["volume_writable"] == 0
        assert not [name for name in found if name.startswith("volume_bytes")]
        (tmp_path / "elsewhere").rename(tmp_path / "data")
        assert scrape(server)["volume_writable"] == 1


async def test_it_is_off_unless_it_is_asked_for(make_exchange: MakeExchange) -> None:
    exchange = await make_exchange()
    assert (await exchange.client.get("/metrics")).status == 404


def test_what_it_needs_is_not_even_loaded_then() -> None:
    imported = "import sys, ngshare_fs.server.application; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", imported]).returncode == 0


def test_the_volume_is_counted(tmp_path: Path) -> None:
    root = write_rich_volume(tmp_path / "data")
    volume = Volume.read_only(root)
    found = figures.collect(volume, lambda: None)
    volume.close()
    assert found.courses == len(list((root / "courses").glob("*/course.yaml")))
    assert found.assignments == len(list((root / "courses").glob("*/assignments/*")))
    assert found.submissions == len(list((root / "courses").glob("*/assignments/*/submissions/*/*/manifest.yaml")))
    edited = ("course.yaml", "assignment.yaml")
    files = [path for path in (root / "courses").rglob("*") if path.is_file() and path.name not in edited]
    everywhere = [*files, *(root / "courses").glob("*/assignments/*/**/files/course.yaml")]
    of_courses = sum(found.bytes[kind] for kind in ("release", "submission", "feedback"))
    assert of_courses == sum(path.stat().st_size for path in set(everywhere))
    assert found.bytes["trash"] == sum(path.stat().st_size for path in (root / "trash").rglob("*") if path.is_file())
    assert found.staging_entries == 1


@pytest.mark.long
def test_a_server_counts_its_volume_once_it_serves(tmp_path: Path) -> None:
    write_rich_volume(tmp_path / "data")
    with running(tmp_path / "data", "--metrics") as server:
        waiting.until(lambda: "collected_timestamp_seconds" in scrape(server), "the end of the walk")
        found = scrape(server)
        assert found["courses"] == len(list((tmp_path / "data/courses").glob("*/course.yaml")))
        assert found['stored_bytes{kind="submission"}'] > 2_000_000


def test_places_are_used_again_and_gauges_end_with_their_process() -> None:
    memory = board.make()
    program = (
        "import sys; from ngshare_fs import metrics; metrics.start(int(sys.argv[1]), 'server');"
        "metrics.count('releases_total', 'release', by=2); metrics.gauge('auth_cached_tokens', 7);"
        "print(metrics.collect()[('auth_cached_tokens',)], flush=True); sys.stdin.read()"
    )
    try:
        for number in (1, 2, 3):
            command = [sys.executable, "-c", program, str(memory)]
            with subprocess.Popen(command, pass_fds=[memory], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
                assert process.stdout
                assert process.stdout.readline() == b"7.0\n"
                assert len(list(_places(memory))) == 1
                process.kill()
            ((is_there, records),) = _places(memory)
            assert not is_there
            assert dict(records)["releases_total", "release"] == 2 * number
    finally:
        os.close(memory)


def _places(memory: int) -> Iterator[tuple[bool, list[tuple[tuple[str, ...], float]]]]:
    """As somebody who counts nothing sees them."""
    outside = object.__new__(board.Board)
    outside._descriptor, outside._place = memory, -1
    return outside.all()


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained(name: str) -> None:
    metric = METRICS[name]
    labels = f"{{{', '.join(metric.labels)}}}" if metric.labels else ""
    assert f"| `{full_name(name)}{labels}` | {metric.help}" in OPERATORS


def test_what_is_counted_is_in_the_table() -> None:
    counted = re.compile(r"metrics\.(?:count|observe|gauge)\(\s*f?\"([\w{}' ]+)\"")
    names = {
        name for path in (REPOSITORY / "ngshare_fs").rglob("*.py") for name in counted.findall(path.read_text("utf-8"))
    }
    names -= {name for name in names if "{" in name}
    assert names <= set(METRICS)
    assert {name for name in METRICS if "hub_last" not in name and not name.startswith("process")} <= names


def test_without_a_start_nothing_is_counted() -> None:
    assert counting.started() is False
    metrics.count("releases_total", "release")
    assert metrics.collect() == {}


async def test_whether_the_hub_answers_is_counted(aiohttp_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_board", board.Board(board.make(), counting.is_volatile))
    hub = FallibleHub(owners={"good": user("ada")})
    await hub.begin(aiohttp_server)
    client = HubClient(hub.hub)
    tokens = Tokens(client, 60, 300)
    assert "ngshare_fs_hub_up" not in exposition.text(LOOK).decode()

    assert await tokens.owner("good")
    assert await tokens.owner("unknown") is None
    found = metrics.collect()
    assert (found["hub_requests_total", "answered"], found["hub_requests_total", "refused"]) == (1, 1)
    assert found["auth_cached_tokens",] == 1
    assert "ngshare_fs_hub_up 1.0" in exposition.text(LOOK).decode()

    hub.broken = (502, "a proxy's page")
    with pytest.raises(HubDown):
        await tokens.owner("another")
    found = metrics.collect()
    assert found["hub_requests_total", "failed"] == 1
    assert found["hub_request_duration_seconds", counting.SUM] > 0
    assert "ngshare_fs_hub_up 0.0" in exposition.text(LOOK).decode()
    await client.close()


def test_a_flush_of_many_and_a_lock_that_is_not_had_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_board", board.Board(board.make(), counting.is_volatile))
    together = AllTogether(str(tmp_path), EachByItself())
    with closing(together):
        together._under_way = 1  # somebody else, so that it is shared
        together.flush([], [])
    locks = Locks(str(tmp_path), timeout=0.01)
    with locks.hold("course", "c"), pytest.raises(LockTimeout), Locks(str(tmp_path), timeout=0.01).hold("course", "c"):
        pass
    found = metrics.collect()
    assert found["flush_batch_size", "0"] == 1
    assert [key for key in found if key[:2] == ("flush_duration_seconds", "together")]
    assert found["lock_timeouts_total",] == 1
