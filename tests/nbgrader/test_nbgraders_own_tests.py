"""nbgrader's own test modules for its exchange run unchanged against the plug-ins and a running server."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from examples.whole_cycle import environments
from tests import servers
from tests.nbgrader.expected import FAILURES, TESTS

pytestmark = pytest.mark.others

# What students' notebooks compute matters to no test of the exchange: none is run, which would take a kernel for each.
CONFIGURATION = "c = get_config()\nc.Execute.enabled = False\n"


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the programs of nbgrader with the plug-ins, and pytest."""
    return environments.for_plug_ins()


@pytest.mark.parametrize(
    "module", [each if each == "submit" else pytest.param(each, marks=pytest.mark.long) for each in TESTS]
)
def test_nbgraders_own_tests(programs: Path, tmp_path: Path, module: str) -> None:
    here = Path(__file__).parent
    outcomes = tmp_path / "outcomes.json"
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "nbgrader_config.py").write_text(CONFIGURATION)
    with servers.running(tmp_path / "volume", "--debug", "--admins", "harness") as server:
        environment = {
            "NGSHARE_URL": server.url,
            "OUTCOMES": str(outcomes),
            "PYTHONPATH": str(here),
            "HOME": str(home),
            "USER": _user_name(),
            "PATH": os.pathsep.join([str(programs), os.defpath]),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "*",
        }
        done = subprocess.run(
            [str(programs / "python"), "-m", "pytest", "-c", os.devnull, "-p", "over_http", "-p", "no:cacheprovider",
             "-q", "--tb=short", "--pyargs", f"nbgrader.tests.apps.test_nbgrader_{module}"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert "Traceback" not in server.log
    assert outcomes.exists(), done.stdout + done.stderr
    found = json.loads(outcomes.read_text())
    failed = {name.rpartition("::")[2] for name, outcome in found.items() if outcome != "passed"}
    assert len(found) == TESTS[module]
    assert failed == FAILURES.get(module, {}).keys(), done.stdout[-20000:]


def _user_name() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
