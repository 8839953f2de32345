"""What the image holds, and what it does not."""

import json
import re
from importlib.metadata import requires
from pathlib import Path

import pytest

from ngshare_fs import __version__
from tests.image.containers import container, podman

ROOT = Path(__file__).parents[2]
BASE = "docker.io/library/python:3.11-slim-bookworm"
MOST_BEYOND_BASE = 64 * 2**20
pytestmark = pytest.mark.long


def size(image: str) -> int:
    return int(podman("image", "inspect", "--format={{.Size}}", image).stdout)


def ends(image: str, *words: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run a container of its own to its end; gives exit code and output."""
    with container(image, ("--network=none", *options), words) as ran:
        return ran.ends(), ran.log.strip()


def in_image(image: str, program: str) -> str:
    """What a Python program prints in a container."""
    code, output = ends(image, "-c", program, options=("--entrypoint=python",))
    assert code == 0, output
    return output


def test_it_is_small(image: str) -> None:
    assert size(image) - size(BASE) < MOST_BEYOND_BASE


def test_it_says_what_it_is_and_runs_as_nobody_in_particular(image: str) -> None:
    (about,) = json.loads(podman("image", "inspect", image).stdout)
    labels = about["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "BSD-3-Clause"
    assert about["User"] == "65532:65532"
    assert about["Config"]["ExposedPorts"] == {"8080/tcp": {}}
    assert about["Config"].get("Volumes") is None
    assert about["Config"].get("StopSignal", "SIGTERM") in ("", "SIGTERM", "15")


def test_every_module_of_a_running_server_has_its_bytecode(image: str) -> None:
    """A root file system that is read-only never gets any: each start would compile it anew."""
    program = """
import importlib, os, sys
MODULES = "command.main command.examination server.worker server.supervisor api.writer.process management.actions"
for name in MODULES.split():
    importlib.import_module("ngshare_fs." + name)
loaded = [module.__spec__ for module in [*sys.modules.values()] if getattr(module, "__spec__", None)]
print([spec.name for spec in loaded if spec.cached and not os.path.exists(spec.cached)])
print(len(loaded) > 500)
"""
    assert in_image(image, program) == "[]\nTrue"


def test_it_holds_the_versions_that_were_tried_and_no_installer(image: str) -> None:
    program = (
        "from importlib.metadata import distributions; print(*(d.name + '==' + d.version for d in distributions()))"
    )
    installed = {re.sub("[_.](?=.*==)", "-", line).lower() for line in in_image(image, program).split()}
    installed -= {f"ngshare-fs=={__version__}"}
    lines = (ROOT / "tools" / "constraints.txt").read_text().splitlines()
    assert installed <= {line.partition(" ;")[0] for line in lines if not line.startswith("#")}
    needed = [line for line in requires("ngshare-fs") or [] if "extra ==" not in line or "'client'" in line]
    assert {re.split("[><=;]", line)[0].replace(".", "-") for line in needed} <= {
        each.split("=")[0] for each in installed
    }


def test_neither_data_nor_secrets_beside_the_code_get_into_it(image: str) -> None:
    """What .dockerignore lets through is what the Dockerfile copies."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert patterns[0] == "*"
    admitted = {line.removeprefix("!") for line in patterns if line.startswith("!")}
    assert admitted == {
        "ngshare_fs",
        "image/ngshare-fs.yaml",
        "tools/constraints.txt",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "examples/kubernetes/singleuser",
    }
    history = podman("history", "--no-trunc", "--format={{.CreatedBy}}", image).stdout
    assert not re.search(r"token|password|secret|PIP_INDEX|://", history, re.IGNORECASE)
    found = in_image(
        image, "import os; print(os.path.exists('/build'), os.listdir('/srv/ngshare'), os.listdir('/tmp'))"
    )
    assert found == "False [] []"


def test_its_commands_answer(image: str) -> None:
    assert ends(image, "--version") == (0, f"ngshare-fs {__version__}")
    code, output = ends(image, "--help")
    assert code == 0
    assert "serve the exchange" in output
    assert ends(image, "verify", "--data=/srv/ngshare")[0] == 1  # there is no volume
    code, output = ends(image, "course", "list")
    assert code == 1
    assert "pip install" not in output  # what it needs is there
