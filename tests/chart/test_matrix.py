"""Whatever is set, helm renders objects that every version of Kubernetes takes, and that fit together."""

from collections.abc import Sequence

import pytest

from tests.chart.checks import check
from tests.chart.manifests import Manifest, name_of, of_kind, pod_templates
from tests.chart.schemas import VERSIONS, check_schemas
from tests.chart.values_matrix import CASES, Case
from tools.helm import RELEASES

HELMS = sorted(RELEASES)
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
# Without --long, the older helm looks at these alone, and `helm lint` at the first of them; helm 4 renders all.
SOON = (
    *("nothing-set", "three-replicas-on-a-shared-volume", "hub-in-another-namespace", "everything-extra"),
    *("storage-class-null", "storage-class-empty", "odd-names-of-admins", "options-of-every-type", "token-by-value"),
    *("budget-by-percentage", "ids-given-by-the-cluster", "probes"),
)
LINTED = SOON[:4]


def some_of_the_cases(soon: Sequence[str]) -> pytest.MarkDecorator:
    """All cases, those that are not in `soon` only with --long."""
    return pytest.mark.parametrize(
        "case",
        [pytest.param(case, id=name, marks=[] if name in soon else pytest.mark.long) for name, case in CASES.items()],
    )


# What each version of Kubernetes has taken once is not asked again.
_TAKEN: set[str] = set()


@cases
def test_what_is_rendered_fits_together(case: Case) -> None:
    assert not [str(finding) for finding in check(case.installed().manifests(), case.outside)]


@cases
def test_every_version_of_kubernetes_takes_it(case: Case) -> None:
    fresh = [manifest for manifest in case.installed().manifests() if repr(manifest) not in _TAKEN]
    assert not [str(finding) for finding in check_schemas(fresh)]
    _TAKEN.update(map(repr, fresh))


@some_of_the_cases(SOON)
def test_both_helms_render_the_same(case: Case) -> None:
    """So nothing is drawn at random, either: each `helm upgrade` would change a token, or restart the server."""

    def sorted_by_name(manifests: list[Manifest]) -> list[Manifest]:
        return sorted(manifests, key=name_of)

    first, *others = [sorted_by_name(case.installed(helm).manifests()) for helm in HELMS]
    for other in others:
        assert other == first


@some_of_the_cases(LINTED)
@pytest.mark.parametrize("helm", HELMS)
def test_lint_has_nothing_to_say(case: Case, helm: int) -> None:
    done = case.installed(helm).lint()
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("[")]
    # An icon is for catalogues of charts.
    assert said in ([], ["[INFO] Chart.yaml: icon is recommended"])


@pytest.mark.parametrize(
    "kubernetes",
    [
        pytest.param(version, marks=[] if version in (VERSIONS[0], VERSIONS[-1]) else pytest.mark.long)
        for version in VERSIONS
    ],
)
def test_no_version_of_kubernetes_is_refused(kubernetes: str) -> None:
    case = CASES["three-replicas-on-a-shared-volume"]
    manifests = case.installed(kubernetes=f"v{kubernetes}.0").manifests()
    assert not [str(finding) for finding in [*check(manifests, case.outside), *check_schemas(manifests, [kubernetes])]]
    assert of_kind(manifests, "PodDisruptionBudget")


def test_every_object_is_in_the_namespace_of_the_release() -> None:
    for manifest in CASES["hub-in-another-namespace"].installed().manifests():
        assert manifest["metadata"]["namespace"] == "exchange", name_of(manifest)


def test_the_pod_of_helm_test_is_looked_at() -> None:
    manifests = CASES["nothing-set"].installed().manifests()
    assert [template.owner for template in pod_templates(manifests) if template.is_test] == ["Pod/ngshare-doctor"]
