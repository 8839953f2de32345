"""Who reaches the server, and whom it reaches, beside a hub of z2jh with the policies that z2jh makes.

Each claim holds for either reading of `ipBlock`: see `Network`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.chart import neighbours
from tests.chart.manifests import Manifest, of_kind, pod_templates
from tests.chart.neighbours import SERVER_PORT
from tests.chart.policies import Endpoint, Network, Port
from tests.chart.selectors import matches
from tests.chart.values_matrix import CASES, Case
from tools.helm import REPOSITORY

HUB_ELSEWHERE = CASES["hub-in-another-namespace"]
either_reading = pytest.mark.parametrize("blocks_match_pods", [True, False], ids=["blocks-match-pods", "or-not"])
# A hub beside the release, and one in another namespace; labelled as an older z2jh does it, and as a newer one.
hubs = pytest.mark.parametrize("case", [CASES["nothing-set"], HUB_ELSEWHERE], ids=["same-namespace", "another"])
labels = pytest.mark.parametrize("modern", [True, False], ids=["modern-labels", "old-labels"])
HUB_NAMESPACE = "jhub"


class Place:
    """A cluster with a release in it, beside a hub.

    Args:
        case: the values.
        blocks_match_pods: see `Network`.
        hub_is_open: z2jh's policies let pods in from other namespaces, as NOTES say.
    """

    def __init__(self, case: Case, blocks_match_pods: bool = True, hub_is_open: bool = True) -> None:
        manifests = case.installed().manifests()
        of_hub = neighbours.policies(HUB_NAMESPACE)
        if hub_is_open:
            for policy in of_hub:
                for rule in policy["spec"]["ingress"]:
                    for peer in rule.get("from", []):
                        # `interNamespaceAccessLabels: accept`
                        peer["namespaceSelector"] = {}
        ours = of_kind(manifests, "NetworkPolicy")
        self.network = Network([*ours, *of_hub], case.namespace, blocks_match_pods=blocks_match_pods)
        self.ours_alone = Network(ours, case.namespace, blocks_match_pods=blocks_match_pods)
        pods = {template.is_test: neighbours.pod(template, case.namespace) for template in pod_templates(manifests)}
        self.server, self.doctor = pods[False], pods[True]

    def reaches_server(self, source: Endpoint, port: Port = SERVER_PORT) -> bool:
        """Whether our policy lets it in; the sender's own policy is the sender's business."""
        return self.ours_alone.lets_in(source, self.server, port)


@either_reading
@hubs
@labels
def test_hub_and_proxy_come_in(case: Case, modern: bool, blocks_match_pods: bool) -> None:
    place = Place(case, blocks_match_pods)
    for make in (neighbours.hub, neighbours.proxy):
        assert place.reaches_server(make(HUB_NAMESPACE, modern))
        # No other port of the pod is open.
        assert not place.reaches_server(make(HUB_NAMESPACE, modern), Port(9000))
        # Nor the same port by another protocol.
        assert not place.reaches_server(make(HUB_NAMESPACE, modern), Port(8080, "UDP"))


@hubs
def test_what_z2jh_makes_lets_hub_and_proxy_out_to_it(case: Case) -> None:
    place = Place(case)
    assert place.network.connects(neighbours.hub(HUB_NAMESPACE), place.server, SERVER_PORT)
    assert place.network.connects(neighbours.proxy(HUB_NAMESPACE), place.server, SERVER_PORT)


@either_reading
@hubs
@labels
def test_a_notebook_does_not_come_in(case: Case, modern: bool, blocks_match_pods: bool) -> None:
    place = Place(case, blocks_match_pods)
    for namespace in {HUB_NAMESPACE, case.namespace}:
        assert not place.reaches_server(neighbours.notebook(namespace, modern))
    # It takes the way through the proxy, which z2jh leaves open to it.
    notebook = neighbours.notebook(HUB_NAMESPACE, modern)
    assert place.network.connects(notebook, neighbours.proxy(HUB_NAMESPACE, modern), neighbours.PROXY_PORT)


def test_the_page_lets_a_hub_with_another_name_in_and_its_notebooks_not() -> None:
    page = (REPOSITORY / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    (shown,) = [block for block in page.split("\n\n") if "app: THAT, component: proxy" in block]
    place = Place(Case(yaml.safe_load(shown)))

    def renamed(pod: Endpoint) -> Endpoint:
        return replace(pod, labels={**(pod.labels or {}), "app": "THAT"})

    hub = renamed(neighbours.hub(HUB_NAMESPACE))
    assert place.reaches_server(hub)
    assert place.reaches_server(renamed(neighbours.proxy(HUB_NAMESPACE)))
    assert not place.reaches_server(renamed(neighbours.notebook(HUB_NAMESPACE)))
    assert place.ours_alone.lets_out(place.server, hub, neighbours.HUB_PORT)
    # Without the page's values, not even the hub.
    assert not Place(CASES["nothing-set"]).reaches_server(hub)


@either_reading
@hubs
def test_strangers_do_not_come_in(case: Case, blocks_match_pods: bool) -> None:
    place = Place(case, blocks_match_pods)
    strangers = [
        neighbours.stranger(HUB_NAMESPACE),
        neighbours.stranger(case.namespace),
        neighbours.prometheus(),
        neighbours.PUBLIC_ADDRESS,
        neighbours.NODE,
        # Pods of other hubs: in a namespace of their own, which anybody may call their pods as they like in.
        neighbours.hub("another-hub"),
        neighbours.proxy("another-hub"),
    ]
    if case.namespace != HUB_NAMESPACE:
        strangers += [neighbours.hub(case.namespace), neighbours.proxy(case.namespace)]
    assert not [stranger for stranger in strangers if place.reaches_server(stranger)]


@either_reading
@hubs
def test_the_server_reaches_hub_and_dns(case: Case, blocks_match_pods: bool) -> None:
    place = Place(case, blocks_match_pods)
    for pod in (place.server, place.doctor):
        hub = neighbours.hub(HUB_NAMESPACE)
        assert place.network.connects(pod, hub, neighbours.HUB_PORT)
        for port in neighbours.DNS_PORTS:
            assert place.network.connects(pod, neighbours.dns(), port)


def test_a_hub_in_another_namespace_has_to_be_told() -> None:
    """What NOTES print for the hub's values is not in vain."""
    shut = Place(HUB_ELSEWHERE, hub_is_open=False)
    assert not shut.network.connects(shut.server, neighbours.hub(HUB_NAMESPACE), neighbours.HUB_PORT)
    assert "interNamespaceAccessLabels: accept" in HUB_ELSEWHERE.installed().notes()


@either_reading
@hubs
def test_the_server_reaches_nothing_else(case: Case, blocks_match_pods: bool) -> None:
    place = Place(case, blocks_match_pods)
    others = [
        (neighbours.PUBLIC_ADDRESS, neighbours.HTTPS),
        (neighbours.PUBLIC_ADDRESS, Port(80)),
        (neighbours.PUBLIC_ADDRESS, neighbours.HUB_PORT),
        (neighbours.NODE, neighbours.KUBERNETES_API),
        (neighbours.NODE, neighbours.HTTPS),
        (neighbours.METADATA_SERVER, Port(80)),
        (neighbours.notebook(HUB_NAMESPACE), neighbours.NOTEBOOK_PORT),
        (neighbours.proxy(HUB_NAMESPACE), neighbours.PROXY_PORT),
        (neighbours.hub(HUB_NAMESPACE), Port(8888)),
        (neighbours.hub("another-hub"), neighbours.HUB_PORT),
        (neighbours.stranger(case.namespace), neighbours.HUB_PORT),
    ]
    assert not [other for other in others if place.ours_alone.lets_out(place.server, *other)]


def test_z2jh_admits_our_pods_by_their_label_alone() -> None:
    manifests = CASES["nothing-set"].installed().manifests()
    admitted = {"matchLabels": {f"{neighbours.ACCESS}hub": "true"}}
    for template in pod_templates(manifests):
        assert matches(admitted, template.labels)
        # Nor do they have what opens users' servers.
        assert not [
            label for label in template.labels if label.startswith(neighbours.ACCESS) and "hub" not in label[20:]
        ]


def test_the_doctor_reaches_the_server() -> None:
    place = Place(CASES["nothing-set"])
    assert place.network.connects(place.doctor, place.server, SERVER_PORT)


@either_reading
def test_monitoring_comes_in_where_it_is_asked_for(blocks_match_pods: bool) -> None:
    place = Place(CASES["monitored"], blocks_match_pods)
    assert place.reaches_server(neighbours.prometheus())
    assert not place.reaches_server(neighbours.stranger("monitoring"))
    assert not place.reaches_server(neighbours.stranger("jhub"))
    assert not place.reaches_server(neighbours.notebook("jhub"))
    assert place.reaches_server(neighbours.hub("jhub"))


@pytest.mark.parametrize(
    ("monitoring", "let_in", "kept_out"),
    [
        (
            {"namespaceLabels": {"kubernetes.io/metadata.name": "monitoring"}},
            [neighbours.prometheus(), neighbours.stranger("monitoring")],
            [neighbours.stranger("jhub"), neighbours.notebook("jhub")],
        ),
        (
            {"podLabels": {"app.kubernetes.io/name": "prometheus"}},
            [Endpoint("10.244.0.22", {"app.kubernetes.io/name": "prometheus"}, "jhub")],
            [neighbours.prometheus(), neighbours.stranger("jhub"), neighbours.notebook("jhub")],
        ),
    ],
    ids=["a-namespace", "pods-of-ours"],
)
def test_who_is_let_in_as_monitoring(
    monitoring: Mapping[str, Any], let_in: list[Endpoint], kept_out: list[Endpoint]
) -> None:
    place = Place(Case({"networkPolicy": {"monitoring": monitoring}}))
    assert all(map(place.reaches_server, let_in))
    assert not any(map(place.reaches_server, kept_out))


def test_further_rules_add_to_ours() -> None:
    place = Place(CASES["further-rules"])
    assert place.reaches_server(Endpoint("10.244.0.23", {"backup": "yes"}, "jhub"))
    assert place.reaches_server(neighbours.proxy("jhub"))
    assert not place.reaches_server(neighbours.notebook("jhub"))
    assert place.ours_alone.lets_out(place.server, Endpoint("10.1.2.3"), Port(443))
    assert not place.ours_alone.lets_out(place.server, Endpoint("10.1.3.3"), Port(443))


def test_a_hub_outside_of_the_cluster_is_reached() -> None:
    place = Place(CASES["hub-elsewhere"])
    assert place.ours_alone.lets_out(place.server, neighbours.PUBLIC_ADDRESS, Port(443))
    assert not place.ours_alone.lets_out(place.server, neighbours.PUBLIC_ADDRESS, Port(80))


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://hub:9081/hub/api", 9081), ("http://hub.jhub:9081/hub/api", 9081), ("http://hub.jhub.svc/hub/api", 80),
     ("https://hub.jhub.svc.cluster.local:8443/hub/api", 8443)],
)  # fmt: skip
def test_the_port_of_the_hub_is_the_one_in_its_address(url: str, port: int) -> None:
    place = Place(Case({"hub": {"apiUrl": url}}))
    hub = neighbours.hub("jhub")
    assert place.ours_alone.lets_out(place.server, hub, Port(port))
    assert not place.ours_alone.lets_out(place.server, hub, Port(8081))
    assert not place.ours_alone.lets_out(place.server, neighbours.PUBLIC_ADDRESS, Port(port))


def test_without_a_hub_nothing_but_names_is_asked_for() -> None:
    place = Place(CASES["standalone"])
    assert not place.ours_alone.lets_out(place.server, neighbours.hub("jhub"), neighbours.HUB_PORT)
    assert place.ours_alone.lets_out(place.server, neighbours.dns(), Port(53, "UDP"))


def test_without_a_policy_all_is_open() -> None:
    place = Place(CASES["no-network-policy"])
    assert place.reaches_server(neighbours.notebook("jhub"))
    assert place.ours_alone.lets_out(place.server, neighbours.PUBLIC_ADDRESS, neighbours.HTTPS)


def _without_ingress_from(component: str) -> Callable[[Manifest], None]:
    def change(policy: Manifest) -> None:
        peers = policy["spec"]["ingress"][0]["from"]
        peers[:] = [peer for peer in peers if peer.get("podSelector", {}).get("matchLabels", {}).get("component")
                    != component]  # fmt: skip

    return change


def test_these_claims_can_fail() -> None:
    """A policy that is changed by one rule no longer says the same."""
    manifests = CASES["nothing-set"].installed().manifests()
    (policy,) = of_kind(manifests, "NetworkPolicy")
    server = Place(CASES["nothing-set"]).server

    def network(*changes: Callable[[Manifest], None]) -> Network:
        (changed,) = of_kind(CASES["nothing-set"].installed().manifests(), "NetworkPolicy")
        for change in changes:
            change(changed)
        return Network([changed], "jhub")

    assert network().lets_in(neighbours.proxy("jhub"), server, SERVER_PORT)
    assert not network(_without_ingress_from("proxy")).lets_in(neighbours.proxy("jhub"), server, SERVER_PORT)
    assert network(_without_ingress_from("proxy")).lets_in(neighbours.hub("jhub"), server, SERVER_PORT)
    notebook = neighbours.notebook("jhub")
    assert network(lambda p: p["spec"]["ingress"][0].pop("from")).lets_in(notebook, server, SERVER_PORT)
    assert network(lambda p: p["spec"].update(policyTypes=["Egress"])).lets_in(notebook, server, SERVER_PORT)
    outside = (neighbours.PUBLIC_ADDRESS, neighbours.HTTPS)
    assert not network().lets_out(server, *outside)
    assert network(lambda p: p["spec"]["egress"].append({})).lets_out(server, *outside)
    assert network(lambda p: p["spec"].update(policyTypes=["Ingress"])).lets_out(server, *outside)
    assert network(lambda p: p["metadata"].update(namespace="other")).lets_out(server, *outside)
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
