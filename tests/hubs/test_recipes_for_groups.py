"""The configurations in docs/groups.md are read by JupyterHub, OAuthenticator and ltiauthenticator of today."""

import json
import os
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.environments import REPOSITORY
from ngshare_fs.formats import yaml_text
from ngshare_fs.settings import read_settings
from ngshare_fs.store.format import course_file
from tests.fork_server import fork_server
from tests.hubs.environments import hub_programs
from tests.waiting import PATIENCE

# In one worker: each would import all of it.
pytestmark = [pytest.mark.hubs, pytest.mark.long, pytest.mark.xdist_group("recipes")]

MODULES = ("jupyterhub.app", "oauthenticator.generic", "ltiauthenticator.lti13.auth")
READER = Path(__file__).with_name("authenticators.py")
PAGE = (REPOSITORY / "docs/groups.md").read_text(encoding="utf-8")
# Without the hub's secret nothing can be kept of a user.
CRYPT_KEY = "0" * 64


def example(begins: str) -> str:
    """The example on the page that begins so."""
    found = re.search(rf"^    {re.escape(begins)}(?:.*\n(?:    .*\n|\n(?=    ))*)", PAGE, re.MULTILINE)
    assert found, begins
    return textwrap.dedent(found[0])


def read_by_a_hub(version: str, configuration: str, what: str, folder: Path) -> Any:
    """What a hub makes of it."""
    server = fork_server(hub_programs(version) / "python", *MODULES)
    file = folder / "jupyterhub_config.py"
    file.write_text(configuration, encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "JUPYTERHUB_CRYPT_KEY": CRYPT_KEY, "HOME": str(folder)}
    done = server.run([str(READER), str(file), what], folder, environment, PATIENCE, apart=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout.splitlines()[-1])
    assert document["complaints"] == [], document
    return document["found"]


def test_the_groups_of_an_identity_provider(version: str, tmp_path: Path) -> None:
    first = example('c.JupyterHub.authenticator_class = "generic-oauth"')
    keycloak = example('realm = "https://keycloak')
    names = example("def names_from_provider")
    for configuration in (first, first + keycloak):
        found = read_by_a_hub(version, configuration + names, "oauth", tmp_path)
        assert found["manages"] is True
        assert found["groups"]["user_info"] == {"given_name": "Ada", "email": "a@b"}
        assert (found["groups"]["name"], found["groups"]["groups"]) == ("ada", ["nbgrader-NBG 101", "staff"])


def test_the_launches_of_a_learning_management_system(version: str, tmp_path: Path) -> None:
    configuration = example('c.JupyterHub.authenticator_class = "ltiauth')
    if version == "4":
        configuration = re.sub(".*# from JupyterHub 5 on\n", "", configuration)
    found = read_by_a_hub(version, configuration, "lti", tmp_path)
    assert found["manages"] is True
    assert found["groups"] == [
        ["nbgrader-math"],
        ["formgrade-art", "nbgrader-math"],
        ["formgrade-art", "tutor-math"],
        ["tutor-math"],
        ["tutor-math"],
    ]


def test_groups_and_roles_of_the_hubs_own_configuration(version: str, tmp_path: Path) -> None:
    # Of the hub's own authenticators, one that asks for no users of the system.
    configuration = 'c.JupyterHub.authenticator_class = "dummy"\n' + example("c.JupyterHub.load_groups")
    found = read_by_a_hub(version, configuration, "groups", tmp_path)
    assert found == {"formgrade-NBG 101": ["kevin"], "nbgrader-NBG 101": ["ada", "bob"]}
    roles = read_by_a_hub(version, example("c.JupyterHub.load_roles"), "roles", tmp_path)
    in_chart = yaml.safe_load(example("hub:\n      loadRoles:"))["hub"]["loadRoles"]
    assert roles[1] == {"name": "ngshare-groups", **in_chart["ngshare-groups"]}


def test_our_own_files(tmp_path: Path) -> None:
    file = tmp_path / "ngshare.yaml"
    file.write_text(example("# ngshare.yaml"), encoding="utf-8")
    environment = {
        "JUPYTERHUB_API_TOKEN": "x", "JUPYTERHUB_API_URL": "http://hub/hub/api",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/", "JUPYTERHUB_CLIENT_ID": "service-ngshare",
    }  # fmt: skip
    settings = read_settings({"config": str(file)}, environment)
    assert [str(pattern) for pattern in settings.student_groups] == ["nbgrader-{course}"]
    assert settings.group_sync.total_seconds() == 900
    people = yaml_text.parse(example("course: NBG 101").encode(), "course.yaml", course_file.understand)
    assert people.groups is not None
    assert people.groups.students == {"first-year", "second-year"}
