"""Containers as an orchestrator runs them: read-only, whoever they run as, stopped at any moment, on shared volumes."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.image.containers import Container, container, podman, serve, volume_for
from tests.image.requests import Submissions, call, enrol, make_course, one_file

pytestmark = pytest.mark.long
OWN = 65532
OTHER, SHARED = 12345, 54321


def submit(server: Container, size: int) -> tuple[int, str]:
    return call(server.url, "submission/c/a", "s0", files=one_file(size))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_with_a_root_file_system_that_is_read_only(tmp_path: Path, image: str, workers: str) -> None:
    options = [volume_for(tmp_path / "data", OWN, OWN)]
    with container(image, options, serve("--workers", workers)) as server:
        make_course(server.url)
        enrol(server.url, 1)
        assert submit(server, 1000)[0] == 200
        assert server.run("verify", "--data=/srv/ngshare") == "no findings\n"
        port = server.url.split(":")[2].split("/")[0]
        said = server.run("doctor", "--standalone", "--data=/srv/ngshare", "--host=127.0.0.1", f"--port={port}")
        assert "WRONG" not in said
        server.signal("TERM")
        assert server.ends() == 0


def test_it_runs_as_any_user_whose_group_has_the_volume(tmp_path: Path, image: str) -> None:
    """As Kubernetes does with `fsGroup`: the volume belongs to root and that group, which every process is in."""
    options = [volume_for(tmp_path / "data", 0, SHARED, 0o2770), f"--user={OTHER}:{OTHER}", f"--group-add={SHARED}"]
    with container(image, options, serve()) as server:
        make_course(server.url)
        course = next((tmp_path / "data").rglob("course.yaml"))
        assert (course.stat().st_uid, course.stat().st_gid) == (OTHER, SHARED)
        assert f"uid {OTHER}" in server.log


def test_who_may_not_write_to_the_volume_is_told_whose_it_is(tmp_path: Path, image: str) -> None:
    with container(image, [volume_for(tmp_path / "data", 0, 0)], serve()) as server:
        assert server.ends() == 1
        assert "/srv/ngshare" in server.log
        assert len(server.log.splitlines()) == 1


def test_without_a_volume_it_does_not_lose_data_but_refuses_to_start(image: str) -> None:
    with container(image, [], serve()) as server:
        assert server.ends() == 1
        assert "read-only" in server.log.lower()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_when_it_is_told_at_once(tmp_path: Path, image: str, workers: str) -> None:
    options = [volume_for(tmp_path / "data", OWN, OWN)]
    for moment, signal_name in ((0, "TERM"), (0, "INT"), (0.05, "TERM"), (0.2, "INT"), (0.5, "TERM")):
        with container(image, options, serve("--workers", workers)) as server:
            time.sleep(moment)
            server.signal(signal_name)
            assert server.ends() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_loses_no_submission(tmp_path: Path, image: str, workers: str) -> None:
    students = 12
    with container(image, [volume_for(tmp_path / "data", OWN, OWN)], serve("--workers", workers)) as server:
        make_course(server.url)
        enrol(server.url, students)
        load = Submissions(server.url, students)
        try:
            server.until(lambda: load.answered > 100, "answers")
            podman("stop", "--time=90", server.id)
        finally:
            podman("kill", server.id, check=False)
            load.end()
        assert load.lost == []
        assert server.ends() == 0
    stored = [*(tmp_path / "data").rglob("p.ipynb")]
    assert len(stored) == load.answered + 1  # that of the release


def test_two_containers_serve_one_volume(tmp_path: Path, image: str) -> None:
    options = [volume_for(tmp_path / "data", OWN, OWN)]
    with container(image, options, serve()) as one, container(image, options, serve()) as other:
        make_course(one.url)
        enrol(other.url, 1)
        assert submit(one, 1000)[0] == 200
        assert '"s0"' in call(other.url, "submissions/c/a", "kevin")[1]
        one.signal("KILL")
        one.ends()
        assert submit(other, 1000)[0] == 200
        assert other.run("verify", "--data=/srv/ngshare") == "no findings\n"


def test_a_full_volume_is_named_and_goes_on_being_read(image: str) -> None:
    volume = "--mount=type=tmpfs,destination=/srv/ngshare,tmpfs-size=4m,U=true"
    with container(image, [volume], serve()) as server:
        make_course(server.url)
        enrol(server.url, 1)
        statuses = [submit(server, 2**20) for _ in range(6)]
        assert statuses[0][0] == 200
        assert statuses[-1][0] == 507
        assert "Insufficient storage" in statuses[-1][1]
        assert call(server.url, "assignment/c/a", "s0")[0] == 200


def test_a_volume_that_is_read_only_is_named(tmp_path: Path, image: str) -> None:
    mount = volume_for(tmp_path / "data", OWN, OWN)
    with container(image, [mount], serve()) as server:
        make_course(server.url)
    with container(image, [mount + ":ro"], serve()) as server:
        assert server.ends() == 1
        assert "read-only" in server.log.lower()


def test_a_server_that_hangs_is_unhealthy(tmp_path: Path, image: str) -> None:
    """As it comes: with the image's own command, port and health check."""
    options = [volume_for(tmp_path / "data", OWN, OWN), "--network=none", "--env=NGSHARE_FS_STANDALONE=true"]
    with container(image, options) as server:
        assert "http://127.0.0.1:8080/api/" in server.url

        def is_healthy() -> bool:
            return podman("healthcheck", "run", server.id, check=False).returncode == 0

        assert is_healthy()
        os.kill(server.process, signal.SIGSTOP)
        assert not is_healthy()
        os.kill(server.process, signal.SIGCONT)
        assert is_healthy()


def test_the_hubs_token_is_read_from_a_file_and_seen_nowhere(tmp_path: Path, image: str) -> None:
    token = os.urandom(16).hex()
    file = tmp_path / "hub-token"
    file.write_text(token + "\n")
    file.chmod(0o440)
    os.chown(file, 0, OWN)
    options = [volume_for(tmp_path / "data", OWN, OWN), f"--volume={file}:/run/secrets/hub-token:ro"]
    hub = ["--hub-api-url=http://127.0.0.1:1/hub/api", "--hub-client-id=service-ngshare"]
    hub.append("--hub-token-file=/run/secrets/hub-token")
    words = ["serve", "--host=127.0.0.1", "--port=0", "--prefix=/services/ngshare/", *hub]
    with container(image, options, words) as server:
        assert server.url.endswith("/services/ngshare/")
        assert "127.0.0.1:1" in server.run("doctor", *words[1:], check=False)  # it asks the hub, with the token
        arguments = Path(f"/proc/{server.process}/cmdline").read_text()
        for shown in (podman("inspect", server.id).stdout, server.log, arguments):
            assert token not in shown
