"""All checks of manifests together."""

from collections.abc import Callable, Collection, Iterator, Sequence

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest
from tests.chart.names import check_names, check_port_names
from tests.chart.pod_security import check_pod_security
from tests.chart.ports import check_policy_ports, check_probes, check_protocols, check_service_ports
from tests.chart.references import check_access_modes, check_mounts, check_references, check_secrets
from tests.chart.replicas import check_disruption_budgets, check_grace_periods, check_replicas
from tests.chart.resources import check_resources
from tests.chart.selectors import check_selectors

CHECKS: tuple[Callable[[Sequence[Manifest]], Iterator[Finding]], ...] = (
    check_names,
    check_port_names,
    check_selectors,
    check_probes,
    check_service_ports,
    check_policy_ports,
    check_protocols,
    check_mounts,
    check_access_modes,
    check_secrets,
    check_resources,
    check_replicas,
    check_disruption_budgets,
    check_grace_periods,
    check_pod_security,
)


def check(manifests: Sequence[Manifest], outside: Collection[str] = ()) -> list[Finding]:
    """Everything but the schemas.

    Args:
        manifests: a release.
        outside: objects that others made, as `KIND/NAME`.
    """
    found = [finding for each in CHECKS for finding in each(manifests)]
    return found + list(check_references(manifests, outside))
