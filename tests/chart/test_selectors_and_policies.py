"""The evaluator itself: label selectors and network policies as Kubernetes reads them."""

from typing import Any

import pytest

from tests.chart.manifests import Manifest
from tests.chart.policies import Endpoint, Network, Port
from tests.chart.selectors import matches

LABELS = {"app": "web", "tier": ""}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {}}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "zone": "a"}}, False),
        ({"matchLabels": {"app": "db"}}, False),
        # A label with an empty value is not the same as none.
        ({"matchLabels": {"tier": ""}}, True),
        ({"matchLabels": {"zone": ""}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        # All of them have to hold.
        ({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
    ],
)
def test_selectors(selector: dict[str, Any] | None, expected: bool) -> None:
    assert matches(selector, LABELS) is expected


@pytest.mark.parametrize(
    "selector",
    [
        {"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]},
        {"matchExpressions": [{"key": "app", "operator": "In"}]},
        {"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["web"]}]},
        {"app": "web"},
    ],
)
def test_what_is_no_selector_is_refused(selector: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"operator|values|selector"):
        matches(selector, LABELS)


SERVER = Endpoint("10.0.0.1", {"app": "server"}, "here", (Port(8080, name="http"), Port(53, "UDP", "dns")))
CLIENT = Endpoint("10.0.0.2", {"app": "client"}, "here")
ELSEWHERE = Endpoint("10.0.0.3", {"app": "client"}, "there")
OUTSIDE = Endpoint("203.0.113.7")
HTTP = Port(8080)


def policy(**spec: Any) -> Manifest:
    return {"metadata": {"name": "p"}, "spec": {"podSelector": {"matchLabels": {"app": "server"}}, **spec}}


def lets_in(rules: list[Any], source: Endpoint, port: Port = HTTP, **network: Any) -> bool:
    return Network([policy(ingress=rules)], "here", {"there": {"team": "b"}}, **network).lets_in(source, SERVER, port)


@pytest.mark.parametrize(
    ("rules", "client", "elsewhere", "outside"),
    [
        ([], False, False, False),
        ([{}], True, True, True),
        ([{"from": []}], True, True, True),
        ([{"from": [{"podSelector": {}}]}], True, False, False),
        ([{"from": [{"podSelector": {"matchLabels": {"app": "other"}}}]}], False, False, False),
        ([{"from": [{"namespaceSelector": {}}]}], True, True, False),
        ([{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}], False, True, False),
        ([{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "there"}}}]}],
         False, True, False),
        # Both in one entry have to hold; in two, either.
        ([{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}},
                     "podSelector": {"matchLabels": {"app": "other"}}}]}], False, False, False),
        ([{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}, {"podSelector": {}}]}], True, True, False),
        ([{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}], False, False, True),
        ([{"from": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.7/32"]}}]}], False, False, False),
        ([{"from": [{"ipBlock": {"cidr": "::/0"}}]}], False, False, False),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], True, True, True),
    ],
)  # fmt: skip
def test_who_is_let_in(rules: list[Any], client: bool, elsewhere: bool, outside: bool) -> None:
    assert [lets_in(rules, source) for source in (CLIENT, ELSEWHERE, OUTSIDE)] == [client, elsewhere, outside]


def test_a_block_may_leave_pods_out() -> None:
    rules = [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]
    assert not lets_in(rules, CLIENT, blocks_match_pods=False)
    assert lets_in(rules, OUTSIDE, blocks_match_pods=False)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"port": 8080}, True),
        ({"port": 8081}, False),
        ({"port": "http"}, True),
        ({"port": "https"}, False),
        ({"port": "dns"}, False),
        ({"protocol": "TCP"}, True),
        ({"protocol": "UDP"}, False),
        ({"port": 8080, "protocol": "UDP"}, False),
        ({"port": 8000, "endPort": 8080}, True),
        ({"port": 8000, "endPort": 8079}, False),
    ],
)
def test_which_port(port: dict[str, Any], expected: bool) -> None:
    assert lets_in([{"ports": [port]}], CLIENT) is expected


def test_policies_add_up() -> None:
    first = policy(ingress=[{"from": [{"podSelector": {}}]}])
    second = policy(ingress=[{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}])
    network = Network([first, second], "here")
    assert network.lets_in(CLIENT, SERVER, HTTP)
    assert network.lets_in(OUTSIDE, SERVER, HTTP)
    assert not network.lets_in(ELSEWHERE, SERVER, HTTP)


def test_a_direction_that_no_policy_is_about_is_open() -> None:
    one_way = Network([policy(ingress=[])], "here")
    assert one_way.lets_out(SERVER, OUTSIDE, HTTP)
    assert not one_way.lets_in(CLIENT, SERVER, HTTP)
    # Rules for what goes out make it a policy for that, even where nobody says so.
    both = Network([policy(ingress=[], egress=[{"ports": [{"port": 53, "protocol": "UDP"}]}])], "here")
    assert not both.lets_out(SERVER, OUTSIDE, HTTP)
    assert both.lets_out(SERVER, OUTSIDE, Port(53, "UDP"))
    # One that selects other pods, or is in another namespace, is about none of these.
    assert Network([policy(ingress=[])], "there").lets_in(CLIENT, SERVER, HTTP)
    assert both.lets_out(CLIENT, OUTSIDE, HTTP)


def test_a_connection_needs_both_sides() -> None:
    out: Manifest = {"metadata": {"name": "out"}, "spec": {"podSelector": {"matchLabels": {"app": "client"}},
                                                 "policyTypes": ["Egress"]}}  # fmt: skip
    network = Network([policy(ingress=[{}]), out], "here")
    assert network.lets_in(CLIENT, SERVER, HTTP)
    assert not network.connects(CLIENT, SERVER, HTTP)
    # A name of a port is that of the pod which is connected to.
    out["spec"]["egress"] = [{"ports": [{"port": "http"}]}]
    assert network.connects(CLIENT, SERVER, HTTP)
    assert not network.lets_out(CLIENT, OUTSIDE, HTTP)
