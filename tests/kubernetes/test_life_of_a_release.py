"""Install, change, go back, take away and come back: what helm does to an exchange with work in it."""

import pytest

from tests.kubernetes.exchange import STANDALONE, exchange_in
from tests.kubernetes.node import HELM_MAJORS, Namespace, merged


@pytest.mark.parametrize("major", HELM_MAJORS)
def test_work_outlives_upgrade_rollback_and_uninstall(namespace: Namespace, major: int) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m", major=major)
    exchange = exchange_in(namespace)
    exchange.make_course()
    first = exchange.submit("before the upgrade")
    volume = namespace.volume()
    pod = namespace.pod()

    changed = merged(STANDALONE, {"config": {"max-files": 7}})
    namespace.install(changed, "--wait", "--timeout", "2m", action="upgrade", major=major)
    assert namespace.pod() != pod, "a change of the configuration makes a new pod"
    assert "max-files: 7" in namespace.execute(namespace.pod(), "cat", "/etc/ngshare-fs/ngshare-fs.yaml")
    second = exchange_in(namespace).submit("after the upgrade")
    assert exchange.submitted() == [first, second]

    upgraded = namespace.pod()
    namespace.install(changed, "--wait", "--timeout", "2m", action="upgrade", major=major)
    assert namespace.pod() == upgraded, "an upgrade without a change leaves the pod alone"

    namespace.helm("rollback", "ngshare", "1", "--wait", "--timeout", "2m", major=major)
    assert "max-files: 7" not in namespace.execute(namespace.pod(), "cat", "/etc/ngshare-fs/ngshare-fs.yaml")
    assert exchange_in(namespace).submitted() == [first, second]

    namespace.helm("uninstall", "ngshare", "--wait", "--timeout", "2m", major=major)
    namespace.wait_until(lambda: not namespace.get("all")["items"], "everything but the volume goes")
    assert namespace.get("pvc", "ngshare-data")["status"]["phase"] == "Bound", "uninstalling loses no work"
    assert namespace.volume() == volume
    assert list(volume.glob("courses/c/assignments/a/submissions/lawrence/*/files/p.ipynb"))

    namespace.install(STANDALONE, "--wait", "--timeout", "2m", major=major)
    assert namespace.volume() == volume, "the same volume is taken up again"
    assert exchange_in(namespace).submitted() == [first, second]


def test_a_kept_volume_is_not_taken_by_a_release_of_another_name(namespace: Namespace) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m")
    exchange_in(namespace).make_course()
    namespace.helm("uninstall", "ngshare", "--wait")
    namespace.wait_until(lambda: not namespace.get("pods")["items"], "the pod goes")
    other = merged(STANDALONE, {"persistence": {"existingClaim": "ngshare-data"}, "fullnameOverride": "ngshare"})
    namespace.install(other, "--wait", "--timeout", "2m", release="another")
    assert exchange_in(namespace).submitted() == [], "named as an existing claim, it may be had by any release"
    namespace.helm("uninstall", "another", "--wait")
    assert namespace.find("pvc", "ngshare-data"), "and stays when that one goes"


def test_nothing_of_the_server_is_left_where_nothing_is_to_be_kept(namespace: Namespace) -> None:
    namespace.install(merged(STANDALONE, {"persistence": {"keep": False}}), "--wait", "--timeout", "2m")
    folder = namespace.volume()
    namespace.helm("uninstall", "ngshare", "--wait")
    namespace.wait_until(lambda: not namespace.find("pvc", "ngshare-data"), "the claim goes")
    namespace.wait_until(lambda: not folder.exists(), "the volume goes")


def test_the_pod_is_as_restricted_as_it_says(namespace: Namespace) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m")
    pod = namespace.pod()
    assert namespace.execute(pod, "id", "-u").strip() == "65532"
    status = namespace.execute(pod, "grep", "-E", "^(Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):", "/proc/1/status")
    found = dict(line.split(":\t") for line in status.splitlines())
    assert {found[name] for name in ("CapPrm", "CapEff", "CapBnd")} == {"0" * 16}
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"
    script = (
        "for folder in / /opt /etc /usr/bin /var/tmp /tmp /srv/ngshare; do test -w $folder && echo $folder; done; true"
    )
    assert namespace.execute(pod, "sh", "-c", script).split() == ["/tmp", "/srv/ngshare"]
    environment = namespace.execute(pod, "env")
    assert "NGSHARE_SERVICE_HOST" not in environment, "addresses of other Services are none of its business"
    assert namespace.execute(pod, "sh", "-c", "ls /var/run/secrets/kubernetes.io 2>&1 || true").startswith("ls:")
