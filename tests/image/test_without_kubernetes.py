"""The compose file, as a compose program reads it."""

import subprocess
from pathlib import Path

import pytest
import yaml

from examples.environments import made
from tests.image.containers import missing

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
COMPOSE = "podman-compose==1.6.0"


def read(**environment: str) -> "subprocess.CompletedProcess[str]":
    if lacking := missing():
        pytest.skip(f"missing: {lacking}")
    program: list[str | Path] = [made("podman-compose", ([COMPOSE],)) / "podman-compose"]
    # It asks podman for its version.
    program += ["--podman-path", ROOT / "tools/containers/podman", "-f", ROOT / "image/compose.yaml", "config"]
    surroundings = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **environment}
    return subprocess.run(program, capture_output=True, text=True, timeout=120, env=surroundings, check=False)


def test_the_server_is_restricted_and_gets_time_to_end() -> None:
    ended = read(NGSHARE_ADMINS="alice,bob")
    assert ended.returncode == 0, ended.stderr
    server = yaml.safe_load(ended.stdout)["services"]["ngshare"]
    assert server["environment"]["NGSHARE_FS_ADMINS"] == "alice,bob"
    assert server["read_only"]
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["stop_grace_period"] == "90s"
    assert Path(server["build"]["context"], server["build"]["dockerfile"]).is_file()
    assert "token" not in str(server["environment"]).replace("/run/secrets/hub-token", "").replace("TOKEN_FILE", "")


def test_who_names_no_admins_is_asked_for_them() -> None:
    ended = read()
    assert ended.returncode != 0
    assert "NGSHARE_ADMINS" in ended.stderr
    assert "the users who may do everything" in ended.stderr
