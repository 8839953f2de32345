"""A chart of a site, with this one below it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart.checks import check
from tests.chart.manifests import Manifest, name_of
from tests.chart.rendering import CHART, Installation, run_helm
from tests.chart.schemas import VERSIONS, check_schemas
from tests.chart.values_matrix import HUB_SECRET, TOKEN
from tools.helm import RELEASES


@pytest.fixture(scope="module")
def umbrella(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a chart, its dependency fetched by helm."""
    folder = tmp_path_factory.mktemp("umbrella") / "teaching"
    folder.mkdir()
    chart = {
        "apiVersion": "v2",
        "name": "teaching",
        "version": "1.0.0",
        "dependencies": [
            {"name": "ngshare-fs", "version": "*", "repository": f"file://{CHART}", "condition": "ngshare-fs.enabled"},
        ],
    }
    (folder / "Chart.yaml").write_text(json.dumps(chart), encoding="utf-8")
    done = run_helm(4, "dependency", "update", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def rendered(umbrella: Path, values: Mapping[str, Any], helm: int = 4) -> list[Manifest]:
    return Installation.of(values, name="teaching", chart=umbrella, helm=helm).manifests()


@pytest.mark.parametrize("helm", sorted(RELEASES))
def test_it_renders_below_another_chart(umbrella: Path, helm: int) -> None:
    values = {
        "global": {"domain": "example.org", "storageClass": "fast"},
        "ngshare-fs": {"admins": ["zoe"], "fullnameOverride": "ngshare"},
    }
    manifests = rendered(umbrella, values, helm)
    assert not [str(finding) for finding in check(manifests, [HUB_SECRET])]
    assert not [str(finding) for finding in check_schemas(manifests, [VERSIONS[0], VERSIONS[-1]])]
    assert "Deployment/ngshare" in map(name_of, manifests)


def test_the_condition_leaves_it_out(umbrella: Path) -> None:
    done = run_helm(4, "template", "teaching", str(umbrella), "--set", "ngshare-fs.enabled=false")
    assert done.returncode == 0, done.stderr
    assert not done.stdout.strip()


def test_an_unknown_key_is_refused_there_as_well(umbrella: Path) -> None:
    installed = Installation.of({"ngshare-fs": {"admin": ["zoe"]}}, name="teaching", chart=umbrella)
    assert "admin" in installed.refusal()


def test_beside_a_hub_of_the_same_release(umbrella: Path) -> None:
    """The hub's chart below the same one: nothing of ours is called like anything of its."""
    manifests = rendered(umbrella, {"ngshare-fs": {"hub": {"token": {"value": TOKEN}}}})
    assert {each["metadata"]["name"] for each in manifests} == {
        *("teaching-ngshare", "teaching-ngshare-data", "teaching-ngshare-config", "teaching-ngshare-hub-token"),
        "teaching-ngshare-doctor",
    }
