"""Settings: where they come from, in which order, and what is said about wrong ones."""

import os
import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from ngshare_fs.formats.group_pattern import GroupPattern
from ngshare_fs.settings import CourseCreators, Settings, SettingsError, read_settings
from ngshare_fs.settings.options import OPTIONS
from ngshare_fs.settings.values import Raw
from ngshare_fs.store import Role

ALONE: dict[str, Raw] = {"standalone": True}
HUB = {
    "JUPYTERHUB_API_TOKEN": "s3cret",
    "JUPYTERHUB_API_URL": "http://hub:8081/hub/api",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/ngshare/",
    "JUPYTERHUB_CLIENT_ID": "service-ngshare",
}

A_, BC = (GroupPattern("a-", ""),), (GroupPattern("b", "c"), GroupPattern("", ""))
A, B = frozenset({"a"}), frozenset({"b"})
# A valid value of each option for each source, in the order flag, environment, file; and what they mean.
VALUES: dict[str, tuple[list[str], list[object]]] = {
    "standalone": (["true", "yes", "on"], [True, True, True]),
    "data": (["/a", "/b", "/c"], [Path("/a"), Path("/b"), Path("/c")]),
    "admins": (["a,b", "c", "d"], [frozenset("ab"), frozenset("c"), frozenset("d")]),
    "host": (["::1", "0.0.0.0", "localhost"], ["::1", "0.0.0.0", "localhost"]),
    "port": (["0", "1", "65535"], [0, 1, 65535]),
    "prefix": (["/", "/x/", "/y/z/"], ["/", "/x/", "/y/z/"]),
    "upgrade-layout": (["1", "off", "no"], [True, False, False]),
    "debug": (["1", "off", "no"], [True, False, False]),
    "workers": (["1", "2", "256"], [1, 2, 256]),
    "max-request": (["1MiB", "2M", "2097153"], [2**20, 2**21, 2**21 + 1]),
    "max-files": (["1", "2", "3"], [1, 2, 3]),
    "trash-days": (["1", "2", "0"], [1, 2, 0]),
    "quota-volume": (["1GiB", "2G", "0"], [2**30, 2**31, 0]),
    "quota-course": (["1GiB", "2G", "0"], [2**30, 2**31, 0]),
    "quota-student": (["1GiB", "2G", "0"], [2**30, 2**31, 0]),
    "log-format": (["json", "text", "json"], ["json", "text", "json"]),
    "trusted-proxies": (
        ["10.0.0.0/8, ::1", "127.0.0.1", "[192.0.2.0/24, '2001:db8::/32']"],
        [
            (ip_network("10.0.0.0/8"), ip_network("::1")),
            (ip_network("127.0.0.1"),),
            (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
        ],
    ),
    "journal": (["1", "off", "no"], [True, False, False]),
    "metrics": (["1", "off", "no"], [True, False, False]),
    "drain-seconds": (["1", "2", "3"], [1, 2, 3]),
    "auth-cache": (["1", "2", "0"], [1, 2, 0]),
    "auth-grace": (["1", "2", "0"], [1, 2, 0]),
    "require-service-scope": (["1", "off", "no"], [True, False, False]),
    "hub-admins": (["1", "off", "no"], [True, False, False]),
    **{f"{role.value}-groups": (["a-{course}", "b{course}c,{course}", ""], [A_, BC, ()]) for role in Role},
    "course-creators": (["a", "a,group:b", ""], [CourseCreators(A), CourseCreators(A, B), CourseCreators()]),
    "services": (
        ["a:admin,b", "c", "{d: {admin: true}, e: }"],
        [{"a": True, "b": False}, {"c": False}, {"d": True, "e": False}],
    ),
    "group-sync": (["15m", "1h 30m", "0"], [timedelta(minutes=15), timedelta(minutes=90), timedelta(0)]),
    "hub-api-url": (["http://a/hub/api", "http://b/", "https://c"], ["http://a/hub/api", "http://b", "https://c"]),
    "hub-client-id": (["service-a", "b", "c"], ["service-a", "b", "c"]),
    "hub-url": (
        ["http://a", "https://b/jh/hub/", "http://c/hub"],
        ["http://a/hub/", "https://b/jh/hub/", "http://c/hub/"],
    ),
    "oauth-callback": (["/a/b", "https://b/c", "http://c"], ["/a/b", "https://b/c", "http://c"]),
}


OF_HUB = {
    "hub-api-url": "api_url",
    "hub-client-id": "client_id",
    "hub-url": "browser_url",
    "oauth-callback": "callback",
}


def value(settings: Settings, name: str) -> object:
    return getattr(settings.hub, OF_HUB[name]) if name in OF_HUB else getattr(settings, name.replace("-", "_"))


def from_file(tmp_path: Path, text: str, **environment: str) -> Settings:
    file = tmp_path / "ngshare.yaml"
    file.write_text(text, encoding="utf-8")
    return read_settings({**ALONE, "config": str(file)}, environment)


def wrong(flags: dict[str, Raw], environment: dict[str, str] | None = None) -> str:
    """What is said: one line."""
    with pytest.raises(SettingsError) as caught:
        read_settings({**ALONE, **flags}, environment or {})
    text = str(caught.value)
    assert "\n" not in text
    return text


def wrong_file(tmp_path: Path, text: str) -> str:
    """What is said of a file, its own name left out."""
    file = tmp_path / "ngshare.yaml"
    file.write_text(text, encoding="utf-8")
    message = wrong({"config": str(file)})
    assert message.startswith(str(file))
    return message.removeprefix(str(file))


@pytest.mark.parametrize("name", [option.name for option in OPTIONS if option.name != "hub-token-file"])
def test_a_flag_counts_before_the_environment_and_that_before_the_file(tmp_path: Path, name: str) -> None:
    (flag, variable, in_file), (by_flag, by_variable, by_file) = VALUES[name]
    file = tmp_path / "ngshare.yaml"
    file.write_text(f"{name}: {in_file}\n")
    environment = {"NGSHARE_FS_CONFIG": str(file), **HUB}
    assert value(read_settings({}, environment), name) == by_file
    environment["NGSHARE_FS_" + name.upper().replace("-", "_")] = variable
    assert value(read_settings({}, environment), name) == by_variable
    assert value(read_settings({name: flag}, environment), name) == by_flag


def test_the_defaults() -> None:
    settings = read_settings(ALONE, {})
    assert settings.data == Path.cwd() / "ngshare-data"
    assert (settings.host, settings.port, settings.prefix) == ("127.0.0.1", 12121, "/api/")
    assert (settings.max_request, settings.max_files) == (256 * 2**20, 10_000)
    assert (settings.workers, settings.debug, settings.admins) == (1, False, frozenset())
    assert settings.hub is None


def test_under_the_hub_prefix_and_data_are_others() -> None:
    settings = read_settings({}, HUB)
    assert settings.prefix == "/services/ngshare/"
    assert settings.data == Path("/srv/ngshare")
    assert settings.hub is not None
    assert settings.hub.client_id == "service-ngshare"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("missing", HUB)
def test_without_the_hub_it_does_not_start(missing: str) -> None:
    environment = {name: text for name, text in HUB.items() if name != missing}
    with pytest.raises(SettingsError, match=missing):
        read_settings({}, environment)


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({}, {})
    assert all(name in str(caught.value) for name in HUB)


def test_names_in_a_list_stay_as_they_are_written(tmp_path: Path) -> None:
    text = "admins: [no, 007, 1e3, ~, null, 2020-01-01, 'a,b', \" blank \", 'zoë@uni.example', 0x1F, =, '#']\n"
    expected = {"no", "007", "1e3", "~", "null", "2020-01-01", "a,b", " blank ", "zoë@uni.example", "0x1F", "=", "#"}
    assert from_file(tmp_path, text).admins == expected


def test_names_on_one_line_are_separated_by_commas(tmp_path: Path) -> None:
    assert read_settings({**ALONE, "admins": " a , b,,no "}, {}).admins == {"a", "b", "no"}
    assert from_file(tmp_path, "admins: a, no\n").admins == {"a", "no"}
    assert from_file(tmp_path, "admins:\n").admins == frozenset()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1048576", 2**20), ("256MiB", 2**28), ("64M", 2**26), ("64Mi", 2**26), ("64m", 2**26), ("64 MB", 64 * 10**6),
        ("1.5G", 3 * 2**29), ("1KiB", 1024), ("1T", 2**40),
    ],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert read_settings({**ALONE, "max-request": text}, {}).max_request == size


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("port", "http"), ("port", "65536"), ("port", "-1"), ("port", ""), ("port", "1_0"), ("port", "²"),
        ("workers", "0"), ("workers", "257"), ("max-files", "0"), ("max-files", "1e3"), ("drain-seconds", "0"),
        ("max-request", "lots"), ("max-request", "1023"), ("max-request", "2T"), ("max-request", "64 Mib/s"),
        ("max-request", "-1M"), ("max-request", "1.5.5M"), ("log-format", "xml"), ("standalone", "maybe"),
        ("host", ""), ("host", "a b"), ("host", "http://x"), ("data", ""), ("data", "a\0b"),
        ("prefix", "api/"), ("prefix", "/api"), ("prefix", ""), ("prefix", "//"), ("prefix", "/a?b/"),
        ("prefix", "/a/../b/"), ("prefix", "/{a}/"), ("prefix", "/a b/"),
        ("prefix", "/healthz/"), ("prefix", "/healthz/api/"), ("prefix", "/readyz/"),
        ("trusted-proxies", "localhost"), ("trusted-proxies", "10.0.0.1/8"), ("trusted-proxies", "::1%lo"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_option(tmp_path: Path, name: str, text: str) -> None:
    assert wrong({name: text}).startswith(f"--{name}: ")
    variable = "NGSHARE_FS_" + name.upper().replace("-", "_")
    if text:
        assert wrong({}, {variable: text}).startswith(f"{variable}: ") or name == "standalone"
    if "\0" not in text:
        quoted = text.replace("'", "''")
        if name != "standalone":
            assert wrong_file(tmp_path, f"\n{name}: '{quoted}'\n").startswith(f":2: {name}: ")


def test_a_wrong_prefix_of_the_hub_is_named() -> None:
    assert wrong({}, {"JUPYTERHUB_SERVICE_PREFIX": "/services/x"}).startswith("JUPYTERHUB_SERVICE_PREFIX: ")


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8080", "udp://10.0.0.1:53"])
def test_what_kubernetes_calls_a_port_is_not_one(tmp_path: Path, address: str) -> None:
    assert read_settings(ALONE, {"NGSHARE_FS_PORT": address}).port == 12121
    assert from_file(tmp_path, "port: 1\n", NGSHARE_FS_PORT=address).port == 1
    assert read_settings({**ALONE, "port": "2"}, {"NGSHARE_FS_PORT": address}).port == 2
    assert wrong({"port": address}).startswith("--port: ")


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    assert from_file(tmp_path, "admins: [a]\n", NGSHARE_FS_ADMINS="").admins == {"a"}


def test_an_address_in_brackets_is_an_address() -> None:
    assert read_settings({**ALONE, "host": "[::1]"}, {}).host == "::1"


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n"])
def test_an_empty_file_changes_nothing(tmp_path: Path, text: str) -> None:
    assert from_file(tmp_path, text) == read_settings(ALONE, {})


def test_mistakes_in_the_file_are_named_with_their_line(tmp_path: Path) -> None:
    assert wrong_file(tmp_path, "port: 1\nadmin: [a]\n") == ":2: 'admin' is no option; did you mean admins?"
    assert wrong_file(tmp_path, "max_files: 1\n") == ":1: 'max_files' is no option; did you mean max-files?"
    assert wrong_file(tmp_path, "colour: red\n") == ":1: 'colour' is no option"
    assert wrong_file(tmp_path, "port: 1\nport: 2\n") == ":2: 'port' is given twice; remove one of the two"
    assert wrong_file(tmp_path, "port: [1]\n") == ":1: port: takes one value, not a list or a mapping"
    assert wrong_file(tmp_path, "port: {a: {}}\n") == ":1: port: takes one value, not a list or a mapping"
    assert wrong_file(tmp_path, "port: {a: b}\n") == ":1: port: not a mapping such as {autograder: {admin: true}}"
    assert wrong_file(tmp_path, "admins: [[a]]\n") == ":1: admins: takes a value or a list of values, nothing nested"
    assert wrong_file(tmp_path, "admins: ['']\n") == ":1: admins: a name in the list is empty"
    assert wrong_file(tmp_path, "[1]: 2\n") == ":1: a name is expected before the colon"
    for text in ("- port\n", "port\n", "~\n"):
        assert wrong_file(tmp_path, text) == ":1: a mapping (`name: value`) is expected here"
    assert wrong_file(tmp_path, "port: 1\n  x: [\n").startswith(":2: not YAML: ")
    assert wrong_file(tmp_path, "port: 1\n---\nhost: a\n") == ":2: a second document begins here; only one is expected"
    assert wrong_file(tmp_path, "---\n---\nport: 1\n") == ":2: a second document begins here; only one is expected"
    assert wrong_file(tmp_path, "port: 1\nhost: \x01\n") == (
        ":2: not YAML: control characters are not allowed (#x0001)"
    )


def test_the_file_is_read_as_strictly_as_those_of_the_volume(tmp_path: Path) -> None:
    aliases = "aliases (`*name`) are not understood; write the value out"
    assert wrong_file(tmp_path, "admins: &us [a]\ntrusted-proxies: *us\n") == f":2: {aliases}"
    assert wrong_file(tmp_path, "port: 1\nservices:\n  a: {admin: true}\n  a:\n") == (
        ":4: 'a' is given twice; remove one of the two"
    )
    assert wrong_file(tmp_path, "port: 1\n\tworkers: 2\n").startswith(":2: not YAML: found a tab character")
    assert wrong_file(tmp_path, "port: 1\nadmins: " + "[" * 101 + "]" * 101 + "\n") == ":2: nested too deeply"
    # However deep: libyaml may refuse it first.
    assert re.match(r":2: .*nest", wrong_file(tmp_path, "port: 1\nadmins: " + "[" * 300_000))
    assert wrong_file(tmp_path, "services: {a: {admin: [true]}}\n") == ":1: services: nested too deeply"
    assert from_file(tmp_path, "\ufeffport: 1\r\nadmins: !!set [a]\r\n").port == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert wrong({"config": str(tmp_path / "none.yaml")}) == f"{tmp_path}/none.yaml: No such file or directory"
    assert wrong({"config": str(tmp_path)}) == f"{tmp_path}: Is a directory"
    (tmp_path / "latin.yaml").write_bytes(b"admins: zo\xeb\n")
    assert (
        wrong({"config": str(tmp_path / "latin.yaml")})
        == f"{tmp_path}/latin.yaml:1: not UTF-8; save the file in that encoding"
    )


def under_hub(**environment: str) -> Settings:
    return read_settings({}, {**HUB, **environment})


def test_a_home_folder_of_nobody_is_named(tmp_path: Path) -> None:
    nobody = "~no-such-user/x: there is no such user, or that one has no home folder"
    assert wrong({"data": "~no-such-user/x"}) == f"--data: {nobody}"
    assert wrong({"hub-token-file": "~no-such-user/x"}) == f"--hub-token-file: {nobody}"


def test_the_token_may_come_from_a_file_and_is_shown_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-the-file\n")
    without = {name: text for name, text in HUB.items() if name != "JUPYTERHUB_API_TOKEN"}
    settings = read_settings({"hub-token-file": str(file)}, without)
    assert settings.hub is not None
    assert settings.hub.api_token == "from-the-file"
    assert settings.hub.token_file == str(file)
    of_variable = under_hub().hub
    assert of_variable is not None
    assert of_variable.token_file == ""
    assert "from-the-file" not in repr(settings)
    secret = "s" * 32
    assert secret not in repr(under_hub(NGSHARE_FS_COOKIE_SECRET=secret))
    for content, problem in (("", "is empty"), ("a b", "characters that no token has")):
        file.write_text(content)
        assert problem in wrong({"standalone": False, "hub-token-file": str(file)}, without)
    assert "No such file" in wrong({"standalone": False, "hub-token-file": str(tmp_path / "none")}, without)


def test_a_token_that_comes_through_a_pipe_is_read_once() -> None:
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe:
        pipe.write(b"of-a-pipe\n")
    without = {name: text for name, text in HUB.items() if name != "JUPYTERHUB_API_TOKEN"}
    hub = read_settings({"hub-token-file": f"/dev/fd/{reading}"}, without).hub
    os.close(reading)
    assert hub is not None
    assert (hub.api_token, hub.token_file) == ("of-a-pipe", "")


def test_it_listens_where_the_hub_looks_unless_told_otherwise() -> None:
    settings = under_hub(JUPYTERHUB_SERVICE_URL="http://127.0.0.2:10101")
    assert (settings.host, settings.port) == ("127.0.0.2", 10101)
    settings = under_hub(JUPYTERHUB_SERVICE_URL="http://[::1]:1", NGSHARE_FS_PORT="2")
    assert (settings.host, settings.port) == ("::1", 2)
    assert under_hub(JUPYTERHUB_SERVICE_URL="http://localhost").port == 80
    assert (under_hub().host, under_hub().port) == ("127.0.0.1", 12121)
    alone = read_settings(ALONE, {"JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:1"})
    assert (alone.host, alone.port) == ("127.0.0.1", 12121)
    for url in ("https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1:x", "http://"):
        said = wrong({"standalone": False}, {**HUB, "JUPYTERHUB_SERVICE_URL": url})
        assert said.startswith("JUPYTERHUB_SERVICE_URL: ")


@pytest.mark.parametrize(
    ("environment", "name", "browser_url", "callback"),
    [
        ({}, "ngshare", "/hub/", "/services/ngshare/oauth_callback"),
        (
            {"JUPYTERHUB_SERVICE_PREFIX": "/jh/services/x/", "JUPYTERHUB_CLIENT_ID": "service-own-id"},
            "x", "/jh/hub/", "/jh/services/x/oauth_callback",
        ),
        (
            {"JUPYTERHUB_HOST": "https://hub.example", "JUPYTERHUB_BASE_URL": "/jh/", "JUPYTERHUB_SERVICE_NAME": "y"},
            "y", "https://hub.example/jh/hub/", "/services/ngshare/oauth_callback",
        ),
        (
            {
                "JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example/hub/",
                "JUPYTERHUB_OAUTH_CALLBACK_URL": "https://grades.example/callback",
            },
            "ngshare", "https://hub.example/hub/", "https://grades.example/callback",
        ),
    ],
)  # fmt: skip
def test_where_browsers_are_sent(environment: dict[str, str], name: str, browser_url: str, callback: str) -> None:
    hub = under_hub(**environment).hub
    assert hub is not None
    assert (hub.service_name, hub.browser_url, hub.callback) == (name, browser_url, callback)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("services", "a:root", "neither a service's name nor NAME:admin"),
        ("services", ",", "neither a service's name nor NAME:admin"),
        ("hub-api-url", "hub:8081", "is not a URL"),
        ("hub-api-url", "http://user:password@hub/hub/api", "is not a URL"),
        ("hub-url", "/hub/", "is not a URL"),
        ("oauth-callback", "/a/../b", "is not a plain path"),
        ("hub-client-id", "a b", "is not an OAuth client"),
        ("auth-cache", "1h", "is not a whole number"),
    ],
)
def test_mistakes_about_the_hub_are_named(name: str, text: str, problem: str) -> None:
    assert problem in wrong({name: text})


@pytest.mark.parametrize(
    ("variable", "text"), [("JUPYTERHUB_BASE_URL", "garbage"), ("JUPYTERHUB_HOST", "hub.example.org")]
)
def test_mistakes_in_the_hubs_variables_are_named(variable: str, text: str) -> None:
    assert wrong({"standalone": False}, {**HUB, variable: text}).startswith(f"{variable}: {text!r} ")


def test_a_cookie_secret_that_can_be_guessed_is_refused() -> None:
    assert "shorter than 32" in wrong({}, {"NGSHARE_FS_COOKIE_SECRET": "short"})


def test_what_is_said_of_a_service_is_understood_or_named(tmp_path: Path) -> None:
    assert "what can be said of a service" in wrong_file(tmp_path, "services: {a: {root: true}}\n")
    assert "neither true nor false" in wrong_file(tmp_path, "services: {a: {admin: perhaps}}\n")
    assert "neither a service's name" in wrong_file(tmp_path, "services: 'a:b'\n")
