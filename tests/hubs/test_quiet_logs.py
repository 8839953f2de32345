"""What hub and service do by themselves makes no noise in either log."""

import pytest

from tests.hubs.conftest import StartHub
from tests.hubs.hub import Plan

pytestmark = pytest.mark.hubs

# The hub looks at its start, once, and a minute later if the service was not there yet.
SECONDS = 150


@pytest.mark.parametrize("managed", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_start_leaves_no_refusal_in_either_log(start_hub: StartHub, version: str, managed: bool) -> None:
    """The hub looks, at its start as each minute, whether the service is there, and the service whether it is known."""
    hub = start_hub(Plan(version, managed=managed, options=("--debug",)))
    look = f"GET {hub.prefix} 403"
    hub.wait_until(
        lambda: look in hub.service_log and "hub: JupyterHub" in hub.service_log, "both have looked", SECONDS
    )
    (line,) = {line.partition(look)[0].split()[-1] for line in hub.service_log.splitlines() if look in line}
    assert line == "DEBUG"
    assert "/oauth2/token" not in hub.log
    assert [
        line for line in hub.log.splitlines() if "JupyterHub" in line and (" 400 " in line or " 403 " in line)
    ] == []
