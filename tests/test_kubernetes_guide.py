"""The guide for Kubernetes and the files beside it: values, names and commands are those of chart and programs."""

import copy
import re
import shlex
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tools.helm import RELEASES, HelmNotAvailable, folder_with_helm

ROOT = Path(__file__).parent.parent
CHART = ROOT / "helm" / "ngshare-fs"
EXAMPLES = ROOT / "examples" / "kubernetes"
GUIDE = ROOT / "docs" / "kubernetes.md"
PAGES = [GUIDE, EXAMPLES / "README.md"]

OURS, THE_HUBS = "# ngshare-values.yaml", "# hub-values.yaml"
Values = dict[str, Any]

# What the guide sets in the hub's chart. Its schema is in no registry, so this is what its values.yaml and
# values.schema.yaml have (zero-to-jupyterhub 3.0.2 to 5.0.0-dev). Below a path that ends in `*`, it takes anything.
KEYS_OF_THE_HUB = (
    "hub.services.*",
    "hub.loadRoles.*",
    "hub.baseUrl",
    "hub.existingSecret",
    "hub.networkPolicy.egress.*",
    "hub.networkPolicy.interNamespaceAccessLabels",
    "proxy.https.*",
    "proxy.chp.networkPolicy.egress.*",
    "singleuser.image.name",
    "singleuser.image.tag",
    "singleuser.extraEnv.*",
    "singleuser.networkPolicy.egress.*",
    "singleuser.networkPolicy.egressAllowRules.privateIPs",
    "hub.extraConfig.*",
    "fullnameOverride",
)
# Words with which a line of a block is a command; what stands below a line with `$ ` is what it printed.
PROGRAMS = {
    "helm",
    "kubectl",
    "podman",
    "nbgrader",
    "ngshare-fs",
    "tar",
    "rsync",
    "mkdir",
    "cd",
    "printf",
    "ctr",
    "kind",
    "minikube",
}
# Commands of helm and kubectl that are groups of others.
WITH_A_SECOND_WORD = {"kubectl config", "kubectl rollout", "helm repo", "helm dependency", "helm get"}


def blocks(page: Path) -> Iterator[str]:
    """The indented parts of a page, without their indentation."""
    part: list[str] = []
    for line in [*page.read_text(encoding="utf-8").splitlines(), "end"]:
        if line.startswith("    ") or (part and not line):
            part.append(line)
        elif part:
            yield textwrap.dedent("\n".join(part)).strip() + "\n"
            part = []


def blocks_with(first_line: str, page: Path = GUIDE) -> list[str]:
    """Those that begin with this line."""
    found = [block for block in blocks(page) if block.startswith(first_line + "\n")]
    assert found, f"{page} has no block that begins with {first_line}"
    return found


def read(path: Path) -> Values:
    return cast(Values, yaml.safe_load(path.read_text(encoding="utf-8")))


def merged(*layers: Values) -> Values:
    """Values over one another as helm puts them: maps are merged, all else is replaced."""
    result: Values = {}
    for layer in layers:
        for key, value in layer.items():
            is_map = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if is_map else copy.deepcopy(value)
    return result


def paths(values: object, above: str = "") -> Iterator[str]:
    """The path of each value that is no map."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from paths(value, f"{above}.{key}" if above else str(key))
    else:
        yield above


def is_known_to_the_hub(path: str) -> bool:
    return (
        any(
            f"{path}.".startswith(known.removesuffix("*").rstrip(".") + ".")
            for known in KEYS_OF_THE_HUB
            if known.endswith("*")
        )
        or path in KEYS_OF_THE_HUB
    )


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of helm and kubectl."""
    try:
        return folder_with_helm(RELEASES[4])
    except HelmNotAvailable as problem:
        pytest.skip(str(problem))


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert result.returncode == 0, f"{shlex.join(map(str, command))}\n{result.stdout}{result.stderr}"
    return result.stdout


def rendered(programs: Path, chart: Path, *values: Path, namespace: str = "jhub") -> dict[tuple[str, str], Values]:
    """What helm makes of a chart: each object by its kind and name."""
    files = [option for file in values for option in ("-f", str(file))]
    text = run(programs / "helm", "template", "ngshare", str(chart), "--namespace", namespace, *files)
    objects = [document for document in yaml.safe_load_all(text) if document]
    return {(document["kind"], document["metadata"]["name"]): document for document in objects}


def prefix_of(objects: dict[tuple[str, str], Values]) -> str:
    """Where the server, as the chart configures it, believes to be."""
    text = objects["ConfigMap", "ngshare-config"]["data"]["ngshare-fs.yaml"]
    return str(yaml.safe_load(text)["prefix"])


def check_that_the_hub_leads_to(objects: dict[tuple[str, str], Values], hub: Values) -> None:
    """The hub's values name our Service, our prefix, our name among the services and the key of our token."""
    [(name, service)] = hub["hub"]["services"].items()
    port = objects["Service", "ngshare"]["spec"]["ports"][0]["port"]
    assert service["url"] == f"http://ngshare:{port}"
    assert prefix_of(objects) == f"/services/{name}/"
    assert hub["singleuser"]["extraEnv"]["NGSHARE_URL"].endswith(f"proxy-public{prefix_of(objects)}")
    assert f"access:services!service={name}" in hub["hub"]["loadRoles"]["user"]["scopes"]
    volumes = objects["Deployment", "ngshare"]["spec"]["template"]["spec"]["volumes"]
    [secret] = [volume["secret"] for volume in volumes if "secret" in volume]
    assert secret["secretName"] == "hub"
    assert secret["items"][0]["key"] == f"hub.services.{name}.apiToken"


def test_the_examples_fit_together(programs: Path) -> None:
    objects = rendered(programs, CHART, EXAMPLES / "ngshare-values.yaml")
    check_that_the_hub_leads_to(objects, read(EXAMPLES / "hub-values.yaml"))


def test_the_guide_says_what_the_examples_have() -> None:
    shown = merged(*(yaml.safe_load(block) for block in blocks_with(THE_HUBS)[:2]))
    example = read(EXAMPLES / "hub-values.yaml")
    assert merged(example, shown) == example
    ours = read(EXAMPLES / "ngshare-values.yaml")
    assert merged(ours, yaml.safe_load(blocks_with(OURS)[0])) == ours


@pytest.mark.parametrize("block", blocks_with(OURS), ids=range(len(blocks_with(OURS))))
def test_the_chart_takes_the_values_in_the_guide(block: str, programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(block, encoding="utf-8")
    assert rendered(programs, CHART, EXAMPLES / "ngshare-values.yaml", file)


def test_the_hubs_chart_knows_the_keys_in_the_guide() -> None:
    for block in blocks_with(THE_HUBS):
        for path in paths(yaml.safe_load(block)):
            assert is_known_to_the_hub(path), path
    for path in paths(read(EXAMPLES / "hub-values.yaml")):
        assert is_known_to_the_hub(path), path


def test_values_that_the_guide_names_exist() -> None:
    """`persistence.keep` in the text is a value of ours, or one of the hub's."""
    ours = read(CHART / "values.yaml")
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"`([a-z]\w*(?:\.\w+)+)(?:: [^`]*)?`", text))
    named = {name for name in named if name.split(".")[0] in {*ours, "proxy", "singleuser"}}
    assert "persistence.existingClaim" in named
    for name in named:
        value: Any = ours
        for key in name.split("."):
            value = value.get(key, "missing") if isinstance(value, dict) else "missing"
        assert value != "missing" or is_known_to_the_hub(name), name


def test_the_umbrella_gives_both_charts_their_values(programs: Path, tmp_path: Path) -> None:
    """Built with a chart in the place of the hub's, which cannot be fetched without the network."""
    umbrella, hub = tmp_path / "umbrella", tmp_path / "jupyterhub"
    shutil.copytree(EXAMPLES / "umbrella", umbrella)
    hub.mkdir()
    (hub / "Chart.yaml").write_text("apiVersion: v2\nname: jupyterhub\nversion: 4.3.0\n", encoding="utf-8")
    chart = read(umbrella / "Chart.yaml")
    places = {"jupyterhub": hub, "ngshare-fs": CHART}
    ours = next(entry for entry in chart["dependencies"] if entry["name"] == "ngshare-fs")
    assert (EXAMPLES / "umbrella" / ours["repository"].removeprefix("file://")).resolve() == CHART
    assert ours["version"] == read(CHART / "Chart.yaml")["version"]
    for entry in chart["dependencies"]:
        entry["repository"] = f"file://{places[entry['name']]}"
    (umbrella / "Chart.yaml").write_text(yaml.safe_dump(chart), encoding="utf-8")
    run(programs / "helm", "dependency", "update", ".", cwd=umbrella)
    objects = rendered(programs, umbrella)
    values = read(umbrella / "values.yaml")
    check_that_the_hub_leads_to(objects, values["jupyterhub"])
    assert merged(values["jupyterhub"], read(EXAMPLES / "hub-values.yaml")) == values["jupyterhub"]
    deployment = objects["Deployment", "ngshare"]["spec"]["template"]["spec"]
    assert deployment["containers"][0]["image"].startswith(values["ngshare-fs"]["image"]["repository"])


@pytest.mark.parametrize("name", ["toolbox.yaml", "move-in.yaml"])
def test_a_pod_beside_it_is_to_the_volume_what_the_server_is(name: str, programs: Path) -> None:
    objects = rendered(programs, CHART, EXAMPLES / "ngshare-values.yaml")
    server = objects["Deployment", "ngshare"]["spec"]["template"]["spec"]
    toolbox = read(EXAMPLES / name)
    pod = toolbox["spec"]
    assert pod["securityContext"] == server["securityContext"]
    for word in ("image", "securityContext"):
        assert pod["containers"][0][word] == server["containers"][0][word]
    assert pod["containers"][0]["volumeMounts"][0]["mountPath"] == "/srv/ngshare"
    assert ("PersistentVolumeClaim", pod["volumes"][0]["persistentVolumeClaim"]["claimName"]) in objects
    # No request may go to it.
    selector = objects["Service", "ngshare"]["spec"]["selector"]
    assert not selector.items() <= toolbox["metadata"].get("labels", {}).items()


def commands(page: Path) -> Iterator[list[str]]:
    """Each command of a page, and each within another one: after a pipe, in `$(…)`."""
    for block in blocks(page):
        lines = block.replace("\\\n", " ").splitlines()
        if lines[0].startswith("$ "):
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        elif lines[0].split()[0] not in PROGRAMS:
            continue
        for line in whole_lines(lines):
            yield from parts_of(line)


def whole_lines(lines: list[str]) -> Iterator[str]:
    """Lines as a shell reads them: what is in quotes may go on in the next one."""
    begun = ""
    for line in lines:
        begun = f"{begun}\n{line}" if begun else line
        if begun.count('"') % 2 == 0 and begun.count("'") % 2 == 0:
            yield begun
            begun = ""
    assert not begun, f"no closing quotation: {begun}"


def parts_of(line: str) -> Iterator[list[str]]:
    for inner in re.findall(r"\$\(([^()]*)\)", line):
        yield from parts_of(inner)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set("|&;"):
            if words:
                yield words
            words = []
        else:
            words.append(word)


def test_commands_exist(programs: Path) -> None:
    """Each is a program that the page may use, and helm's and kubectl's have these options."""
    helps: dict[str, str] = {}
    found = [command for page in PAGES for command in commands(page)]
    assert len(found) > 30
    for command in found:
        program, *words = command
        assert program in PROGRAMS | {"chmod"}, command
        if program not in ("helm", "kubectl"):
            continue
        ours = words[: words.index("--")] if "--" in words else words
        named = [word for word in ours if re.fullmatch(r"[a-z][a-z-]*", word)]
        verb = " ".join(named[: 2 if f"{program} {named[0]}" in WITH_A_SECOND_WORD else 1])
        command_line = f"{program} {verb}"
        if command_line not in helps:
            text = run(programs / program, *verb.split(), "--help")
            # helm answers an unknown command with the help of the one above it.
            assert command_line in text, command
            helps[command_line] = text + (run(programs / "kubectl", "options") if program == "kubectl" else "")
        for word in ours:
            if word.startswith("-") and word != "-":
                option = re.escape(word.split("=")[0])
                assert re.search(rf"(^|\s){option}[\s,=]", helps[command_line]), f"{word}: {shlex.join(command)}"


def test_objects_that_commands_name_are_the_charts(programs: Path) -> None:
    objects = rendered(programs, CHART, EXAMPLES / "ngshare-values.yaml")
    text = GUIDE.read_text(encoding="utf-8")
    for name in set(re.findall(r"\bdeploy(?:ment)?/([\w-]+)", text)):
        assert ("Deployment", name) in objects
    for name in set(re.findall(r"\bpvc (\w[\w-]*)", text)) - {"ngshare-pvc"}:
        assert ("PersistentVolumeClaim", name) in objects
    labels = objects["Deployment", "ngshare"]["spec"]["template"]["metadata"]["labels"]
    for label, value in set(re.findall(r" -l (\S+?)=(\S+)", text)):
        assert labels[label] == value
    assert (
        "/etc/ngshare-fs/ngshare-fs.yaml"
        in objects["Deployment", "ngshare"]["spec"]["template"]["spec"]["containers"][0]["args"]
    )
