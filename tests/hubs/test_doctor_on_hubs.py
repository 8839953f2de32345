"""`doctor` beside a real hub: the address at which browsers come back, and the one who answers there."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import BrowserContext

from tests import commands
from tests.hubs.client import call
from tests.hubs.conftest import with_a_browser
from tests.hubs.hub import INSIDER, Hub
from tests.hubs.visitor import logged_in

pytestmark = pytest.mark.hubs


def doctor(hub: Hub, *options: str, data: Path | None = None, **environment: str) -> dict[str, tuple[str, str]]:
    """What it says: by subject the mark, and the rest of the line."""
    done = commands.run(
        *("doctor", "--data", str(data or hub.volume), "--hub-url", f"{hub.origin}{hub.plan.base_url}hub/", *options),
        environment={**hub.environment, **environment},
    )
    assert done.stderr == ""
    found = {}
    for line in done.stdout.splitlines():
        mark, subject, saw = line[:6].strip(), line[7:].partition("  ")[0], line[7:].partition("  ")[2].strip()
        if mark:
            found[subject.strip()] = (mark, saw)
    return found


def test_all_is_well(plain_hub: Hub) -> None:
    found = doctor(plain_hub)
    assert [found[subject][0] for subject in ("sign-in", "service URL", "proxy route", "callback")] == ["ok"] * 4
    own = plain_hub.prefix + "oauth_callback"
    assert doctor(plain_hub, JUPYTERHUB_OAUTH_CALLBACK_URL=own)["callback"] == ("ok", f"{own}, as the hub says")


def test_a_wrong_callback_is_seen(plain_hub: Hub) -> None:
    own = plain_hub.prefix + "oauth_callback"
    for wrong in (
        "/services/ngshare/oauth_callback",
        f"{plain_hub.prefix}callback",
        f"{plain_hub.origin}/oauth_callback",
    ):
        mark, saw = doctor(plain_hub, "--oauth-callback", wrong)["callback"]
        assert (mark, "where this service does not answer" in saw) == ("WRONG", True)
    mark, saw = doctor(plain_hub, "--oauth-callback", f"http://127.0.0.1:1{own}")["callback"]
    assert (mark, "Connection refused" in saw) == ("WRONG", True)
    mark, saw = doctor(plain_hub, "--oauth-callback", plain_hub.origin + own, JUPYTERHUB_OAUTH_CALLBACK_URL=own)[
        "callback"
    ]
    assert (mark, f"the hub says {own}" in saw) == ("WRONG", True)


@pytest.mark.long
@with_a_browser
async def test_what_no_hub_tells_is_asked(plain_hub: Hub, profile: BrowserContext) -> None:
    """The same place in other letters: only somebody who signs in hears of it, from the hub."""
    other = plain_hub.origin + plain_hub.prefix + "oauth_callback"
    mark, saw = doctor(plain_hub, "--oauth-callback", other)["callback"]
    assert (mark, "letter by letter" in saw) == ("?", True)
    query = urlencode({"client_id": "service-ngshare", "redirect_uri": other, "response_type": "code", "state": "x"})
    asked = f"{plain_hub.api_url}/oauth2/authorize?{query}"
    # Neither the service's token nor a user's is of use there: a hub sends both to its login page.
    for token in (plain_hub.tokens_of_services["ngshare"], plain_hub.token(INSIDER).text):
        assert call("GET", asked, token).status == 302
    await logged_in(profile, plain_hub, INSIDER)
    page = await profile.new_page()
    await page.goto(asked.replace(plain_hub.api_url, f"{plain_hub.origin}{plain_hub.plan.base_url}hub/api"))
    assert "mismatching" in (await page.inner_text("body")).lower()


@pytest.mark.long
def test_another_volume_behind_the_address_is_seen(plain_hub: Hub, tmp_path: Path) -> None:
    for data in (tmp_path / "none", tmp_path):
        found = doctor(plain_hub, data=data)
        for subject in ("service URL", "proxy route"):
            assert (found[subject][0], "from another volume" in found[subject][1]) == ("WRONG", True)
