"""schemathesis calls the real server as its OpenAPI document says, and finds nothing that departs from it."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.rounds import rounds
from tests.servers import running

# Names that exist, so that requests get past the first checks.
DEEPER = """
[parameters]
"path.course" = "course1"
"path.assignment" = "challenge"
"query.user" = "root"
"""


@pytest.mark.others
@pytest.mark.parametrize("deeper", [pytest.param(False, marks=pytest.mark.long), True])
def test_the_server_is_as_its_document_says(tmp_path: Path, deeper: bool) -> None:
    command = [sys.executable, "-m", "schemathesis.cli"]
    options = ["--max-examples", str(rounds(25)), "--generation-deterministic", "--warnings", "off", "--no-color"]
    if deeper:
        config = tmp_path / "schemathesis.toml"
        config.write_text(DEEPER)
        command += ["--config-file", str(config)]
        # A document can say that a text is JSON (`contentSchema`), but schemathesis does not make such texts.
        options += ["--exclude-checks", "positive_data_acceptance"]
    with running(tmp_path / "volume", "--debug") as server:
        urllib.request.urlopen(server.url + "initialize-Data6ase?action=init").close()
        result = subprocess.run(
            [*command, "run", server.url + "openapi.json", *options],
            cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert "Traceback" not in server.log
