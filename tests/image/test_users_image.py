"""The image for users' servers: nbgrader in it uses the exchange, and formgrader is shown within JupyterLab."""

import json
from pathlib import Path

import pytest

from tests.image.containers import container, podman, serve, volume_for
from tests.image.requests import enrol, make_course

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
BASE = "docker.io/library/python:3.11-slim-bookworm"


@pytest.fixture(scope="module")
def users_image(image: str) -> str:
    """Built as its first lines say, on the base of our own image in place of Jupyter's."""
    name = "localhost/ngshare-singleuser:test"
    file = ROOT / "examples/kubernetes/singleuser/Dockerfile"
    words = ["--quiet", "--format=docker", f"--build-arg=BASE={BASE}", f"--tag={name}"]
    podman("build", *words, f"--file={file}", ROOT, seconds=1200)
    return name


def test_nbgrader_in_it_lists_what_the_server_has(tmp_path: Path, image: str, users_image: str) -> None:
    with container(image, [volume_for(tmp_path / "data", 65532, 65532)], serve()) as server:
        make_course(server.url)
        enrol(server.url, 1)
        home = ["--tmpfs=/home/user:rw,mode=1777", "--workdir=/home/user", "--env=HOME=/home/user"]
        options = [*home, f"--env=NGSHARE_URL={server.url}", "--env=NGSHARE_USER=s0", "--entrypoint=nbgrader"]
        with container(users_image, options, ["list", "--course=c", "--json"]) as user:
            assert user.ends() == 0, user.log
            assert '"assignment_id": "a"' in user.log


def test_pages_of_a_users_server_may_frame_one_another(users_image: str) -> None:
    options = ["--tmpfs=/home/user:rw,mode=1777", "--env=HOME=/home/user", "--entrypoint=jupyter", "--network=none"]
    with container(users_image, options, ["server", "--show-config-json"]) as shown:
        assert shown.ends() == 0, shown.log
        settings = json.loads(podman("logs", shown.id).stdout)["ServerApp"]
        assert settings["tornado_settings"]["headers"] == {"Content-Security-Policy": "frame-ancestors 'self'"}
        assert "formgrader': True" in settings["jpserver_extensions"]
