"""What values say arrives in the server: it reads the file that the chart writes, and takes the arguments."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import requests

from ngshare_fs.command.main import make_parser
from ngshare_fs.settings import Settings, read_settings
from tests import servers
from tests.chart import neighbours
from tests.chart.container_files import files_of
from tests.chart.manifests import Manifest, PodTemplate, of_kind, parse, pod_templates
from tests.chart.rendering import Installation, Values
from tests.chart.values_matrix import CASES, HUB_SECRET, TOKEN, Case

HUB_TOKEN = "the-token-that-the-hub-made"
# What the hub's own Secret and those that the values of the matrix name have in them.
NAMES_OF_KEYS = (
    *("hub.services.ngshare.apiToken", "hub.services.exchange.apiToken", "hub.services.x.apiToken"),
    *("apiToken", "token", "ngshare", "yes"),
)
KEYS = dict.fromkeys(NAMES_OF_KEYS, HUB_TOKEN)


class Container:
    """A container's arguments, variables and files, with the files in a folder of this machine.

    Args:
        template: the pod.
        manifests: the release.
        outside: objects that others made, as `KIND/NAME`; each Secret gets all of `KEYS`.
        folder: takes the container's files.
    """

    def __init__(
        self, template: PodTemplate, manifests: Sequence[Manifest], outside: Sequence[str], folder: Path
    ) -> None:
        of_others = [neighbours.secret(KEYS) | {"metadata": {"name": name.partition("/")[2]}}
                     for name in outside if name.startswith("Secret/")]  # fmt: skip
        container = template.spec["containers"][0]
        self.environment = {each["name"]: each["value"] for each in container.get("env") or [] if "value" in each}
        self.arguments = list(container["args"])
        for path, text in files_of(template, container, [*manifests, *of_others]).items():
            here = folder / path.relative_to("/")
            here.parent.mkdir(parents=True, exist_ok=True)
            here.write_text(self._moved(text, folder), encoding="utf-8")
        self.arguments = [self._moved(argument, folder) for argument in self.arguments]

    @staticmethod
    def _moved(text: str, folder: Path) -> str:
        for top in ("/etc/ngshare-fs/", "/var/run/secrets/ngshare-fs/"):
            text = text.replace(top, f"{folder}{top}")
        return text

    def settings(self) -> Settings:
        """What the command makes of all that."""
        given = make_parser().parse_args(self.arguments)
        flags = {name.replace("_", "-"): value for name, value in vars(given).items() if name != "command"}
        return read_settings(flags, self.environment)


def containers(case: Case, folder: Path) -> dict[str, Container]:
    """The first container of each pod, by the pod's kind."""
    manifests = case.installed().manifests()
    return {
        template.owner.partition("/")[0]: Container(template, manifests, case.outside, folder / str(number))
        for number, template in enumerate(pod_templates(manifests))
    }


def settings_of(values: Values, folder: Path, **others: Any) -> Settings:
    """What the server understands."""
    return containers(Case(values, **others), folder)["Deployment"].settings()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_server_takes_file_and_arguments(case: Case, tmp_path: Path) -> None:
    for kind, container in containers(case, tmp_path).items():
        settings = container.settings()
        assert settings.data == Path("/srv/ngshare")
        assert (settings.hub is None) == ("standalone" in str(case.values)), kind
        if settings.hub:
            assert settings.hub.api_token in (HUB_TOKEN, TOKEN)
            assert settings.prefix.endswith(f"/services/{settings.hub.service_name}/")


def test_what_is_understood_where_nothing_is_set(tmp_path: Path) -> None:
    settings = settings_of({}, tmp_path)
    assert (settings.host, settings.port, settings.log_format) == ("0.0.0.0", 8080, "json")
    assert (settings.admins, settings.workers, settings.debug) == (frozenset(), 1, False)
    assert settings.prefix == "/services/ngshare/"
    assert settings.hub
    assert settings.hub.api_url == "http://hub:8081/hub/api"
    assert (settings.hub.service_name, settings.hub.client_id) == ("ngshare", "service-ngshare")
    assert settings.hub.browser_url == "/hub/"
    assert settings.hub.callback == "/services/ngshare/oauth_callback"


def test_a_name_stays_what_it_is(tmp_path: Path) -> None:
    container = containers(CASES["odd-names-of-admins"], tmp_path)["Deployment"]
    settings = container.settings()
    assert settings.admins == {
        "no", "007", "Lovelace, Ada", 'quo"te', "back\\slash", "{{ .Release.Name }}", "1e3", "~", "a: b #c",
    }  # fmt: skip
    assert settings.services == {"autograder": True, "no": False}
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))


def test_options_of_every_type_arrive(tmp_path: Path) -> None:
    settings = containers(CASES["options-of-every-type"], tmp_path)["Deployment"].settings()
    assert (settings.workers, settings.max_request, settings.max_files) == (2, 268435456, 10000000)
    assert (settings.debug, settings.drain_seconds, settings.log_format) == (True, 30, "text")
    assert (settings.require_service_scope, settings.services) == (False, {"autograder": True})


def test_groups_arrive(tmp_path: Path) -> None:
    settings = containers(CASES["groups"], tmp_path)["Deployment"].settings()
    assert [str(pattern) for pattern in settings.instructor_groups] == ["formgrade-{course}", "{course}:instructor"]
    assert [str(pattern) for pattern in settings.grader_groups] == ["tutor-{course}"]
    assert settings.group_sync.total_seconds() == 900
    assert settings.course_creators.groups == {"lecturers"}


@pytest.mark.parametrize(
    ("values", "api_url", "prefix", "browser_url"),
    [
        ({"hub": {"baseUrl": "/a/b/"}}, "http://hub:8081/a/b/hub/api", "/a/b/services/ngshare/", "/a/b/hub/"),
        ({"hub": {"baseUrl": "/a"}}, "http://hub:8081/a/hub/api", "/a/services/ngshare/", "/a/hub/"),
        ({"hub": {"namespace": "jhub"}}, "http://hub:8081/hub/api", "/services/ngshare/", "/hub/"),
        ({"hub": {"apiUrl": "https://h/hub/api/", "publicUrl": "https://p", "serviceName": "x"}},
         "https://h/hub/api", "/services/x/", "https://p/hub/"),
        ({"config": {"workers": 2, "auth-cache": 0}}, "http://hub:8081/hub/api", "/services/ngshare/", "/hub/"),
    ],
)  # fmt: skip
def test_where_the_hub_is(
    values: Mapping[str, Any], api_url: str, prefix: str, browser_url: str, tmp_path: Path
) -> None:
    settings = settings_of(values, tmp_path)
    assert settings.hub
    assert (settings.hub.api_url, settings.prefix, settings.hub.browser_url) == (api_url, prefix, browser_url)


def test_a_hub_in_another_namespace_is_found_by_its_full_name(tmp_path: Path) -> None:
    settings = containers(CASES["hub-in-another-namespace"], tmp_path)["Deployment"].settings()
    assert settings.hub
    assert settings.hub.api_url == "http://hub.jhub.svc:8081/hub/api"
    assert settings.hub.api_token == TOKEN


def test_arguments_count_before_the_file(tmp_path: Path) -> None:
    values = {"config": {"workers": 3}, "extraArgs": ["--workers", "2", "--debug"]}
    settings = settings_of(values, tmp_path)
    assert (settings.workers, settings.debug) == (2, True)


def test_a_changed_file_or_token_makes_new_pods() -> None:
    def annotations(values: Values) -> Mapping[str, str]:
        (server,) = [each for each in pod_templates(Installation.of(values).manifests()) if not each.is_test]
        return server.annotations

    seen = [
        annotations(values)
        for values in ({}, {"admins": ["a"]}, {"config": {"workers": 2}},
                       {"hub": {"token": {"value": "a"}}}, {"hub": {"token": {"value": "b"}}})
    ]  # fmt: skip
    assert all(seen.count(each) == 1 for each in seen)
    # What the pods do not read leaves them alone.
    assert annotations({"service": {"labels": {"a": "b"}}}) == seen[0]


def test_the_server_starts_with_it(tmp_path: Path) -> None:
    container = containers(CASES["options-of-every-type"], tmp_path)["Deployment"]
    # As the container is started, but where this machine has room for it, and without the hub.
    assert container.arguments[0] == "serve"
    words = [*container.arguments[1:], "--host", "127.0.0.1", "--workers", "1"]
    server = servers.start(tmp_path / "volume", tmp_path / "log", *words)
    try:
        assert server.url.endswith("/services/ngshare/")
        assert requests.get(server.url.replace("/services/ngshare/", "/healthz"), timeout=30).status_code == 200
    finally:
        assert server.stop() == 0


def test_the_token_is_read_by_the_server_alone() -> None:
    for pod in pod_templates(Installation().manifests()):
        (token,) = [volume["secret"] for volume in pod.spec["volumes"] if "secret" in volume]
        assert token["defaultMode"] & 0o007 == 0
        assert f"Secret/{token['secretName']}" == HUB_SECRET


def test_without_its_token_the_server_waits_and_the_doctor_starts() -> None:
    (server, doctor) = pod_templates(Installation().manifests())
    optional = [
        volume["secret"].get("optional", False)
        for pod in (server, doctor)
        for volume in pod.spec["volumes"]
        if "secret" in volume
    ]
    # The doctor says that it is missing, and `helm test` fails at once, rather than after five minutes without a word.
    assert optional == [False, True]


def test_no_annotation_takes_the_place_of_a_checksum() -> None:
    """By which a pod is replaced where its configuration changes."""
    name = "checksum/config"
    plain = Installation().manifests()
    given = Installation.of({"podAnnotations": {name: "mine", "other": "mine"}}).text()
    assert given.count(f"{name}:") == 1
    (annotations,) = [one["spec"]["template"]["metadata"]["annotations"] for one in of_kind(parse(given), "Deployment")]
    (expected,) = [one["spec"]["template"]["metadata"]["annotations"] for one in of_kind(plain, "Deployment")]
    assert annotations == {**expected, "other": "mine"}
