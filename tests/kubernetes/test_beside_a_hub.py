"""The chart beside a real hub, with what its notes say pasted into the hub's values: a course, and a new token."""

import hashlib
from collections.abc import Iterator

import pytest
import requests

from tests.kubernetes.exchange import STANDALONE
from tests.kubernetes.hub import Hub, values_in
from tests.kubernetes.node import CommandFailed, Namespace, Node

VALUES = {"image": STANDALONE["image"], "admins": ["admin"]}
CONFIGURATION = "/etc/jupyter/nbgrader_config.py"
TOKEN_FILE = "/var/run/secrets/ngshare-fs/hub-token"
ANSWER = """
import json, sys
path = "ps1/problem1.ipynb"
notebook = json.load(open(path))
for cell in notebook["cells"]:
    if cell["metadata"].get("nbgrader", {}).get("grade_id") == "squares":
        cell["source"] = "def squares(n):\\n    return [i**2 for i in range(1, n + 1)]\\n"
json.dump(notebook, open(path, "w"))
"""


@pytest.fixture
def namespace(node_with_hub: Node) -> Iterator[Namespace]:
    """A namespace on a node that has the images."""
    with node_with_hub.network():
        made = Namespace(node_with_hub)
        try:
            yield made
        finally:
            made.remove()


def test_a_course_from_nothing_to_the_feedback(namespace: Namespace) -> None:
    # The hub is there first, as on most sites; the exchange waits for its token until the hub knows the service.
    hub = Hub(namespace)
    hub.upgrade({})
    release = namespace.install(VALUES)
    pasted = values_in(release.notes)
    hub.upgrade(pasted)
    namespace.wait_until_rolled_out(seconds=200)
    everybody = ("admin", "kevin", "lawrence")
    pods = {user: hub.start_server(user) for user in everybody}
    hub.wait_for_servers(*everybody)

    def at(user: str, *command: str) -> str:
        try:
            printed = namespace.execute(pods[user], *command)
        except CommandFailed as failure:
            raise AssertionError(f"{failure}\n{namespace.kubectl('logs', 'deployment/ngshare')}") from None
        print(f"{user}$ {' '.join(command)[:100]}\n{printed}")
        return printed

    # The lines of nbgrader_config.py are those of the notes.
    lines = {line.strip() for line in at("kevin", "cat", CONFIGURATION).splitlines() if line.strip()}
    assert lines <= {line.strip() for line in release.notes.splitlines()}
    assert "JUPYTERHUB_API_TOKEN" in at("kevin", "sh", "-c", "env | cut -d= -f1")

    assert "Successfully created" in at("admin", "ngshare-fs", "course", "create", "c", "kevin")
    at("kevin", "ngshare-fs", "course", "add-student", "c", "lawrence")
    at("kevin", "nbgrader", "quickstart", "c")

    def teach(*command: str) -> str:
        return at("kevin", "sh", "-c", 'cd c && exec "$@"', "teach", *command)

    teach("nbgrader", "generate_assignment", "ps1")
    teach("nbgrader", "release_assignment", "ps1")
    assert "c ps1" in at("lawrence", "nbgrader", "list")
    at("lawrence", "nbgrader", "fetch_assignment", "ps1", "--course", "c")
    at("lawrence", "python3", "-c", ANSWER)
    assert "Submitted as: c ps1" in at("lawrence", "nbgrader", "submit", "ps1", "--course", "c")
    teach("nbgrader", "collect", "ps1")
    teach("nbgrader", "autograde", "ps1")
    teach("nbgrader", "generate_feedback", "ps1")
    teach("nbgrader", "release_feedback", "ps1")
    at("lawrence", "nbgrader", "fetch_feedback", "ps1", "--course", "c")
    assert "problem1.html" in at("lawrence", "sh", "-c", "find ps1/feedback -type f")

    # Nobody else's token, and no token of anything else, opens anything.
    with pytest.raises(AssertionError):
        at("lawrence", "ngshare-fs", "course", "create", "mine", "lawrence")
    assert "Traceback" not in namespace.kubectl("logs", "deployment/ngshare")

    checked = namespace.helm("test", "ngshare", "--logs", "--timeout", "2m")
    print(checked)
    assert "WRONG" not in checked


def test_a_new_token_is_taken_up_without_a_restart(namespace: Namespace) -> None:
    hub = Hub(namespace)
    release = namespace.install(VALUES)
    hub.upgrade(values_in(release.notes))
    namespace.wait_until_rolled_out(seconds=200)
    pod = namespace.pod()
    namespace.wait_until(lambda: signed_in(namespace, "kevin"), "users can sign in")

    new = hub.rotate("ngshare")
    hub.api("POST", "/users/lawrence")
    lawrence = hub.token_of("lawrence")
    assert ask(namespace, lawrence) == 200, "whose a token is, the hub says to everybody who has that token"
    at_once = signed_in(namespace, "lawrence")
    digest = hashlib.sha256(new.encode()).hexdigest()
    arrived = namespace.wait_until(
        lambda: digest in namespace.execute(pod, "sha256sum", TOKEN_FILE), "the pod has the new token", 200
    )
    took = namespace.wait_until(lambda: signed_in(namespace, "lawrence"), "users can sign in again")
    print(f"signed in before: {at_once}; the token arrived after {arrived:.1f} s, users sign in {took:.1f} s later")
    assert namespace.pod() == pod
    assert not namespace.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"]


def signed_in(namespace: Namespace, user: str) -> bool:
    """Log in to the hub as in a browser, by way of the start page of the exchange, and return whether that is shown."""
    origin = f"http://{namespace.address('proxy-public')}"
    page = f"{origin}/services/ngshare/"
    with requests.Session() as browser:
        browser.headers["Accept"] = "text/html"
        try:
            login = browser.get(page, timeout=30)
            form = {"username": user, "password": "any", "_xsrf": browser.cookies.get("_xsrf", path="/hub/") or ""}
            shown = browser.post(login.url, data=form, timeout=30)
        except requests.ConnectionError:
            return False
        return shown.status_code == 200 and shown.url == page and user in shown.text


def ask(namespace: Namespace, token: str) -> int:
    """Return the status of a call through the hub's proxy."""
    url = f"http://{namespace.address('proxy-public')}/services/ngshare/courses"
    return requests.get(url, headers={"Authorization": f"token {token}"}, timeout=30).status_code
