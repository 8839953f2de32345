"""A real API server takes all that the chart makes of every set of values."""

import json

import yaml

from tests.chart.values_matrix import CASES, Case
from tests.kubernetes.node import CHART, CommandFailed, Namespace

# What the node's Kubernetes does not know yet; the schemas of newer versions are asked about it elsewhere.
NEWER = ("ReadWriteOncePod",)
KUBERNETES = "1.20.2"


def test_the_server_takes_what_the_chart_makes(namespace: Namespace) -> None:
    known = {name: case for name, case in CASES.items() if not any(word in json.dumps(case.values) for word in NEWER)}
    assert len(known) > 20
    rendered = {name: render(namespace, case) for name, case in known.items()}
    # A pod on its own is refused while its account and its priority are not there.
    objects = [each for manifests in rendered.values() for each in yaml.safe_load_all(manifests) if each]
    pods = [each["spec"] for each in objects if each["kind"] == "Pod"]
    accounts = {pod["serviceAccountName"] for pod in pods} - {"default"}
    priorities = {pod["priorityClassName"] for pod in pods if "priorityClassName" in pod}
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1000}
    namespace.apply(
        *({**account, "metadata": {"name": name}} for name in accounts),
        *({**priority, "metadata": {"name": name}} for name in priorities),
    )
    try:
        take(namespace, "\n---\n".join(rendered.values()))
    except CommandFailed:
        # Once more, each on its own, to know which.
        for name, manifests in rendered.items():
            try:
                take(namespace, manifests)
            except CommandFailed as failure:
                raise AssertionError(f"{name}: {failure.printed}") from None
        raise


def render(namespace: Namespace, case: Case) -> str:
    """Return what the chart makes of the values for the node's version; budgets as that version calls them."""
    file = namespace.node.folder / "home" / "values.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(case.values if isinstance(case.values, str) else json.dumps(case.values))
    version = ("--kube-version", KUBERNETES)
    manifests = namespace.helm("template", case.name, str(CHART), "--values", str(file), *version)
    return manifests.replace("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n")


def take(namespace: Namespace, manifests: str) -> None:
    """Have the API server do all that it does with objects but keep them."""
    namespace.kubectl("apply", "--dry-run=server", "-f", "-", text=manifests)
