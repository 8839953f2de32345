"""What helm prints after an installation: lines to be pasted as they are, commands, and warnings."""

import re
import shlex
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.chart.manifests import of_kind, pod_templates
from tests.chart.rendering import Installation
from tests.chart.selectors import matches
from tests.chart.values_matrix import CASES, TOKEN, Case

# Those whose notes differ, and the others where there is time.
SOON = {
    *(
        "nothing-set",
        "release-without-ngshare-in-its-name",
        "longest-full-name",
        "name-overridden",
        "standalone",
        "groups",
    ),
    *("three-replicas-on-a-shared-volume", "volume-by-labels", "no-volume", "token-by-value"),
    *("token-in-another-secret", "hub-in-another-namespace", "hub-below-a-path", "hub-elsewhere", "service"),
}
ALL = {
    name: pytest.param(case, id=name, marks=[] if name in SOON else pytest.mark.long) for name, case in CASES.items()
}
all_cases = pytest.mark.parametrize("case", ALL.values())
cases_with_a_hub = pytest.mark.parametrize("case", [each for name, each in ALL.items() if name != "standalone"])


def paragraphs(notes: str) -> list[str]:
    return [each.strip("\n") for each in re.split(r"\n[ \t]*\n", notes)]


def for_the_hub(notes: str) -> dict[str, Any]:
    """The one paragraph that is YAML for the hub's values."""
    (found,) = [each for each in paragraphs(notes) if each.startswith("hub:\n")]
    return dict(yaml.safe_load(found))


def for_nbgrader(notes: str) -> str:
    """The lines for `nbgrader_config.py`."""
    lines = [each for each in paragraphs(notes) if re.match(r"(from|c =|configure_\w+\()", each)]
    assert lines
    return "\n\n".join(lines)


@all_cases
def test_notes_are_whole(case: Case) -> None:
    notes = case.installed().notes()
    assert not re.search(r"<no value>|<nil>|%!|map\[|\{\{|\}\}", notes.replace("{{ .Release.Name }}", ""))
    assert TOKEN not in notes
    assert "\n\n\n" not in notes
    assert notes.endswith("\n")


@cases_with_a_hub
def test_what_is_pasted_into_the_hub_leads_to_the_server(case: Case) -> None:
    manifests, pasted = case.installed().manifests(), for_the_hub(case.installed().notes())
    (service,) = of_kind(manifests, "Service")
    (name,) = pasted["hub"]["services"]
    entry = pasted["hub"]["services"][name]
    url = urlsplit(entry["url"])
    host = str(url.hostname).split(".")
    assert host[0] == service["metadata"]["name"]
    assert url.scheme == "http"
    assert url.port == service["spec"]["ports"][0]["port"]
    assert entry["display"] is True
    # A hub that was told a client's name would look for another secret than the one that the pod has.
    assert set(entry) == {"url", "display", "oauth_no_confirm"}
    roles: dict[str, Any] = {"user": {"scopes": ["self", f"access:services!service={name}"]}}
    if "groups" in str(case.values):
        roles[f"{name}-groups"] = {"services": [name], "scopes": ["list:groups", "read:groups"]}
    assert pasted["hub"]["loadRoles"] == roles
    (config,) = of_kind(manifests, "ConfigMap")
    prefix = yaml.safe_load(config["data"]["ngshare-fs.yaml"])["prefix"]
    assert prefix.endswith(f"/services/{name}/")
    notebook = urlsplit(pasted["singleuser"]["extraEnv"]["NGSHARE_URL"])
    assert (notebook.scheme, notebook.path) == ("http", prefix)
    assert notebook.netloc == "proxy-public"
    # Nothing is opened for notebooks.
    assert set(pasted["singleuser"]) == {"extraEnv"}


def test_what_is_pasted_has_a_file_of_its_own() -> None:
    """Helm takes the last of two keys in one file, and says nothing."""
    twice = "hub: {baseUrl: /first/}\nhub: {serviceName: second}\n"
    assert 'prefix: "/services/second/"' in Installation(twice).text()
    notes = Installation().notes()
    before = " ".join(notes[: notes.index("\nhub:\n")].split())
    assert "into a file of its own, hub-values.yaml" in before
    assert "where a key is in a file twice, helm drops the first without a word" in before


def test_a_hub_in_another_namespace_is_told_where_we_are() -> None:
    pasted = for_the_hub(CASES["hub-in-another-namespace"].installed().notes())
    assert pasted["hub"]["services"]["ngshare"]["url"] == "http://ngshare.exchange:8080"
    assert pasted["hub"]["networkPolicy"] == {"interNamespaceAccessLabels": "accept"}
    assert "networkPolicy" not in for_the_hub(CASES["nothing-set"].installed().notes())["hub"]


@cases_with_a_hub
def test_the_lines_for_nbgrader_run(case: Case) -> None:
    config = SimpleNamespace(ExchangeFactory=SimpleNamespace())
    lines = for_nbgrader(case.installed().notes())
    exec(compile(lines, "nbgrader_config.py", "exec"), {"get_config": lambda: config})
    assert vars(config.ExchangeFactory)["submit"] == "ngshare_fs.exchange.submit.ExchangeSubmit"


@all_cases
def test_commands_are_about_what_there_is(case: Case) -> None:
    manifests, notes = case.installed().manifests(), case.installed().notes()
    names = {f"{each['kind'].lower()}/{each['metadata']['name']}" for each in manifests}
    commands = [shlex.split(line) for line in notes.splitlines() if re.match(r" +(kubectl|helm) ", line)]
    assert commands
    for command in commands:
        assert case.namespace == command[command.index("-n") + 1]
        assert {word for word in command if word.startswith("deployment/")} <= names
        if "-l" in command:
            wanted = dict(pair.split("=") for pair in command[command.index("-l") + 1].split(","))
            selected = [each for each in pod_templates(manifests) if matches({"matchLabels": wanted}, each.labels)]
            assert [each.is_test for each in selected] == [False]
        if command[0] == "helm":
            assert command[3:] == ["test", case.name, "--logs"]
    tested = any("test" in command for command in commands)
    # `helm test` is offered where there is such a pod.
    assert tested == (bool(of_kind(manifests, "Pod")) and "hub" in notes and "standalone" not in str(case.values))


WARNED: dict[str, tuple[Case, str]] = {
    "nobody-is-an-admin": (Case({}), "nobody is an admin"),
    "debug": (Case({"admins": ["a"], "config": {"debug": True}}), "debug"),
    "standalone": (CASES["standalone"], "there is no hub"),
    "no-volume": (Case({"admins": ["a"], "persistence": {"enabled": False}}), "lost with the pod"),
    "volume-that-goes": (Case({"admins": ["a"], "persistence": {"keep": False}}), "deletes the volume"),
    "replicas": (
        Case({"admins": ["a"], "replicas": 2, "persistence": {"accessModes": ["ReadWriteMany"]}}),
        "2 replicas share one volume",
    ),
    "rolling-update": (
        Case({"admins": ["a"], "strategy": {"type": "RollingUpdate"}}),
        "strategy.type is RollingUpdate",
    ),
}


@pytest.mark.parametrize(("case", "words"), WARNED.values(), ids=WARNED.keys())
def test_what_is_warned_of(case: Case, words: str) -> None:
    warnings = [each for each in paragraphs(case.installed().notes()) if each.startswith("WARNING: ")]
    assert len(warnings) == 1
    assert words in warnings[0]


@pytest.mark.parametrize(
    "values", [{"admins": ["a"]}, {"config": {"hub-admins": True}}, {"admins": ["a"], "config": {"debug": False}}]
)
def test_what_is_not_warned_of(values: dict[str, Any]) -> None:
    assert "WARNING" not in Case(values).installed().notes()


def test_an_image_without_a_registry_is_named() -> None:
    assert "NOTE: image.repository is ngshare-fs, without a registry" in Installation().notes()
    named = Installation.of({"image": {"repository": "registry.example/ngshare-fs"}})
    assert "without a registry" not in named.notes()
