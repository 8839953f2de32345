"""Every check can fail: whoever breaks what is rendered hears of it, and by the right name."""

import pytest
import yaml

from tests.chart.checks import CHECKS, check
from tests.chart.faults import FAULTS, Fault
from tests.chart.findings import DEFECTS, Finding
from tests.chart.manifests import parse
from tests.chart.schemas import VERSIONS, check_schemas
from tests.chart.values_matrix import CASES

# The schemas of the oldest and the newest version, which differ most.
ENDS = (VERSIONS[0], VERSIONS[-1])


def findings(fault: Fault) -> list[Finding]:
    case = CASES[fault.case]
    broken = fault.made(case.installed().manifests())
    of_schemas = fault.code in ("schema", "value-missing")
    return list(check_schemas(broken, ENDS)) if of_schemas else check(broken, case.outside)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found(fault: Fault) -> None:
    found = findings(fault)
    assert fault.code in {finding.code for finding in found}, list(map(str, found))


def test_every_finding_has_its_fault() -> None:
    assert {fault.code for fault in FAULTS.values()} == set(DEFECTS)


@pytest.mark.parametrize("each", CHECKS, ids=lambda each: each.__name__)
def test_no_check_finds_a_fault_in_nothing(each: object) -> None:
    assert callable(each)
    assert list(each([])) == []


def test_a_fault_is_found_where_it_is() -> None:
    (finding,) = findings(FAULTS["probe-at-another-port"])
    assert str(finding) == (
        "probe-port-missing Deployment/ngshare containers/ngshare readinessProbe: "
        "the container has no such port ('web')"
    )


def test_a_key_that_is_there_twice_is_refused() -> None:
    assert parse("a: 1\nb: {a: 1}\n") == [{"a": 1, "b": {"a": 1}}]
    with pytest.raises(yaml.YAMLError, match="twice"):
        parse("a: {b: 1, b: 2}")
