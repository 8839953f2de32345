"""The chart, rendered by real helm: each set of values once, however many tests look at it."""

import copy
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tests.chart.manifests import Manifest, parse
from tools.helm import RELEASES, REPOSITORY, folder_with_helm

CHART = REPOSITORY / "helm" / "ngshare-fs"
HELM_SECONDS = 60

# A mapping; or a text, where it matters how something is written.
Values = Mapping[str, Any] | str


@dataclass(frozen=True)
class Installation:
    """What is given to helm.

    Args:
        values: as text.
        name: of the release.
        namespace: where it is installed.
        helm: the major version.
        kubernetes: the version that the chart believes to be rendered for; empty for helm's own.
        chart: the chart's folder.
    """

    values: str = "{}"
    name: str = "ngshare"
    namespace: str = "jhub"
    helm: int = 4
    kubernetes: str = ""
    chart: Path = CHART

    @staticmethod
    def of(values: Values, **others: Any) -> "Installation":
        """The same with values that may be a mapping."""
        return Installation(values if isinstance(values, str) else json.dumps(values), **others)

    def with_helm(self, major: int) -> "Installation":
        """The same with another helm."""
        return replace(self, helm=major)

    def manifests(self) -> list[Manifest]:
        """All objects, those of `helm test` included; the caller's own copy."""
        return copy.deepcopy(_manifests(self))

    def text(self) -> str:
        """What `helm template` prints.

        Raises:
            AssertionError: it fails, or warns.
        """
        done = _template(self)
        assert done.returncode == 0, done.stderr
        # Such as `cannot overwrite table with non table`: a value that has no effect.
        assert not done.stderr, done.stderr
        return done.stdout

    def renders(self) -> bool:
        """Whether helm takes it."""
        return _template(self).returncode == 0

    def refusal(self) -> str:
        """What helm says where it does not render.

        Raises:
            AssertionError: it does.
        """
        done = _template(self)
        assert done.returncode, f"helm renders {self}"
        return done.stderr

    def notes(self) -> str:
        """What is printed after an installation; helm 4 alone says it without a cluster."""
        return _notes(self)

    def lint(self) -> "subprocess.CompletedProcess[str]":
        """`helm lint --strict`, for which warnings are failures."""
        options = ["--strict", "--namespace", self.namespace, "--values", "-"]
        return run_helm(self.helm, "lint", str(self.chart), *options, given=self.values)

    @property
    def options(self) -> list[str]:
        """Those of every command that renders."""
        options = ["--namespace", self.namespace, "--values", "-"]
        return [*options, "--kube-version", self.kubernetes] if self.kubernetes else options


@cache
def _template(installation: Installation) -> "subprocess.CompletedProcess[str]":
    name, chart = installation.name, str(installation.chart)
    return run_helm(installation.helm, "template", name, chart, *installation.options, given=installation.values)


@cache
def _notes(installation: Installation) -> str:
    options = ["--dry-run=client", *installation.options]
    done = run_helm(4, "install", installation.name, str(installation.chart), *options, given=installation.values)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    before, separator, notes = done.stdout.partition("\nNOTES:\n")
    assert separator, before
    return notes


@cache
def _manifests(installation: Installation) -> list[Manifest]:
    return parse(installation.text())


def run_helm(major: int, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """Run helm without what this machine's user has set up for it: plug-ins, repositories, a cluster.

    Args:
        major: which helm.
        arguments: its own.
        given: on its standard input.
    """
    folder = folder_with_helm(RELEASES[major])
    own = {f"HELM_{kind}_HOME": str(folder.with_name("home") / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    return subprocess.run(
        [folder / "helm", *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        # It lives for a tenth of a second: collecting its garbage takes a fifth of the processor's time, for nothing.
        env={**kept, **own, "KUBECONFIG": os.devnull, "GOGC": "off"},
        timeout=HELM_SECONDS,
        check=False,
    )
