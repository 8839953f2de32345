"""The command: what it says at the start, and in one line when it cannot start."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ngshare_fs.__main__ import main
from tests import commands
from tests.servers import running

HUB = ["JUPYTERHUB_API_TOKEN", "JUPYTERHUB_API_URL", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_CLIENT_ID"]


def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end; it is expected not to serve."""
    surroundings = {name: text for name, text in os.environ.items() if not name.startswith(("JUPYTERHUB_", "NGSHARE_"))}
    return commands.run(*words, environment=surroundings | environment)


def fails(code: int, *words: str, **environment: str) -> str:
    """The one line that it says before it ends with that code."""
    ended = run(*words, **environment)
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def trial_in(log: str) -> list[str]:
    """The words of the curl line that the banner offers."""
    found = re.search(r"curl .*", log)
    assert found, log
    return shlex.split(found[0])


@pytest.mark.parametrize("workers", [1, 2])
def test_the_banner_says_what_is_served_where_and_as_whom(tmp_path: Path, workers: int) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", str(workers), "--admins", "zoë,b&c d") as server:
        assert re.match(r"http://127\.0\.0\.1:\d+/api/$", server.url)
        log = server.log if workers == 1 else server.log[server.log.index("ngshare-fs") :]
        lines = log.splitlines()
        assert lines[0].endswith(f" serves {server.url}")
        assert str(data) in lines[1]
        assert f"uid {os.geteuid()}" in lines[2]
        assert lines[2].endswith("1 process" if workers == 1 else f"{workers} processes")
        assert "zoë" in lines[3]
        assert "b&c d" in lines[3]
        assert "NOT FOR PRODUCTION" in log
        program, url = trial_in(log)
        assert program == "curl"
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert json.load(answer) == {"success": True, "courses": []}


def test_the_curl_line_works_in_a_shell(tmp_path: Path) -> None:
    if subprocess.run(["sh", "-c", "command -v curl"], capture_output=True, check=False).returncode:
        pytest.skip("curl is not installed")
    with running(tmp_path / "data") as server:
        line = shlex.join(trial_in(server.log))
        assert json.loads(subprocess.check_output(["sh", "-c", f"{line} --silent"]))["success"] is True


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        (["--host", "0.0.0.0"], r"http://127\.0\.0\.1:\d+/api/"),
        (["--host", "::1"], r"http://\[::1\]:\d+/api/"),
        (["--host", "[::1]", "--prefix", "/services/ng/"], r"http://\[::1\]:\d+/services/ng/"),
        (["--host", "localhost", "--prefix", "/"], r"http://127\.0\.0\.1:\d+/"),
    ],
)
def test_the_address_in_the_banner_can_be_reached(tmp_path: Path, arguments: list[str], address: str) -> None:
    if "::1" in arguments[1]:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip("this machine has no IPv6")
    with running(tmp_path / "data", *arguments) as server:
        assert re.fullmatch(address, server.url)
        with urllib.request.urlopen(server.url + "courses?user=root", timeout=30) as answer:
            assert json.load(answer)["success"] is True


def test_without_the_hub_the_missing_variables_are_named() -> None:
    line = fails(2, "serve")
    assert all(name in line for name in HUB)
    assert "--standalone" in line
    set_but_one = dict.fromkeys(HUB, "/x/")
    del set_but_one["JUPYTERHUB_API_TOKEN"]
    line = fails(2, "serve", **set_but_one)
    assert [name for name in HUB if name in line] == ["JUPYTERHUB_API_TOKEN"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "COMMAND"),
        (["sevre"], "'sevre'"),
        (["serve", "--prot", "1"], "--prot is no option; did you mean --port?"),
        (["serve", "--port"], "--port"),
        (["serve", "--standalone", "--port", "x"], "--port: 'x' is not a whole number"),
        (["serve", "--standalone", "--prefix", "/api"], "--prefix: '/api' does not start and end with /"),
        (["serve", "--standalone", "--prefix", "/healthz/x/"], "/healthz/"),
        (["serve", "--standalone", "--config", "/does/not/exist.yaml"], "/does/not/exist.yaml: No such file"),
        (["serve", "--standalone", "one", "two"], "one"),
        (["verify"], "--data"),
        (["verify", "--data", "/does/not/exist"], "/does/not/exist"),
    ],
)
def test_wrong_use_is_told_in_one_line(words: list[str], text: str) -> None:
    line = fails(2, *words)
    assert line.startswith("ngshare-fs: ")
    assert text in line


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = ["serve", "--standalone", "--data", str(tmp_path / "data"), "--workers", workers, "--port", port]
        line = fails(1, *words)
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "--port" in line


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_a_host_that_cannot_be_had_is_told_in_one_line(tmp_path: Path, host: str) -> None:
    assert host in fails(1, "serve", "--standalone", "--data", str(tmp_path / "data"), "--host", host, "--port", "0")


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_folder_that_cannot_be_used_is_told_once(tmp_path: Path, workers: str) -> None:
    file = tmp_path / "file"
    file.touch()
    words = ["serve", "--standalone", "--data", str(file), "--workers", workers, "--port", "0"]
    assert str(file) in fails(1, *words)
    assert json.loads(fails(1, *words, "--log-format", "json"))["level"] == "critical"


def test_failures_are_json_where_json_was_asked_for(tmp_path: Path) -> None:
    line = fails(2, "serve", "--log-format", "json", "--prot", "1")
    assert json.loads(line)["message"] == "--prot is no option; did you mean --port?"
    line = fails(2, "serve", NGSHARE_FS_LOG_FORMAT="json")
    assert "JUPYTERHUB_API_TOKEN" in json.loads(line)["message"]
    config = tmp_path / "ngshare.yaml"
    config.write_text("log-format: json\nstandalone: yes\nport: x\n")
    assert "port" in fails(2, "serve", "--config", str(config))


def test_what_kubernetes_sets_does_not_stop_the_start(tmp_path: Path) -> None:
    with running(tmp_path / "data", NGSHARE_FS_PORT="tcp://10.0.0.1:8080", NGSHARE_FS_SERVICE_HOST="10.0.0.1"):
        pass


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["verify", "--help"], ["--version"]])
def test_help_and_version(words: list[str]) -> None:
    ended = run(*words)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ngshare-fs" in ended.stdout


def test_a_start_loads_nothing_that_only_hubs_and_pages_need() -> None:
    modules = "ngshare_fs.command.main, ngshare_fs.server.worker"
    code = f"import sys, {modules}; print({{'cryptography', 'jinja2', 'requests'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_installed_script_is_the_same_command() -> None:
    script = Path(sys.executable).with_name("ngshare-fs")
    if not script.exists():
        pytest.skip("not installed in this environment")
    assert subprocess.check_output([script, "--version"], text=True) == run("--version").stdout


def test_ctrl_c_ends_a_command_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["ngshare-fs", "verify", "--data", str(tmp_path)])
    monkeypatch.setattr("ngshare_fs.terminal.output_lost.watch_output", lambda: None)  # wants a real output
    monkeypatch.setattr("ngshare_fs.command.operator.verify.run", lambda _: signal.raise_signal(signal.SIGINT))
    assert main() == 130
    assert capsys.readouterr() == ("", "ngshare-fs: stopped; it can be run again\n")
