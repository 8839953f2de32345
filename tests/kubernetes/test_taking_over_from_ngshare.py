"""`helm upgrade` over an installation of ngshare's own chart: in place, and its volume is left alone."""

from pathlib import Path

import pytest

from ngshare_fs import __version__
from tests.kubernetes.exchange import STANDALONE, exchange_in
from tests.kubernetes.node import Namespace, merged

CHART_OF_NGSHARE = Path(__file__).with_name("chart_of_ngshare")
OLD_VALUES = {
    "deployment": {"resources": {"limits": {"memory": "256Mi"}}},
    "ngshare": {"admins": ["root", "müller, anna"]},
    "pvc": {"storage": "2Gi"},
}


@pytest.mark.parametrize(("installed_by", "major"), [(3, 3), (3, 4), (4, 4)])
def test_an_upgrade_takes_over_and_leaves_the_old_volume_alone(
    namespace: Namespace, installed_by: int, major: int
) -> None:
    wait = ("--wait", "--timeout", "2m")
    image = {"image": {"tag": __version__}}
    namespace.install(merged(OLD_VALUES, image), *wait, chart=CHART_OF_NGSHARE, major=installed_by)
    claim = namespace.get("pvc", "ngshare-pvc")
    folder = namespace.volume("ngshare-pvc")
    kept = (folder / "ngshare.db").read_text()
    address = namespace.address()

    def expect_old_volume_untouched() -> None:
        now = namespace.get("pvc", "ngshare-pvc")
        assert now["status"]["phase"] == "Bound"
        assert "deletionTimestamp" not in now["metadata"]
        assert now["metadata"]["uid"] == claim["metadata"]["uid"]
        assert now["spec"] == claim["spec"]
        assert (folder / "ngshare.db").read_text().startswith(kept)

    # Somebody keeps the old values, and adds what is new.
    values = merged(OLD_VALUES, {name: STANDALONE[name] for name in ("image", "config")})
    upgraded = namespace.install(values, *wait, "--reset-values", action="upgrade", major=major)
    expect_old_volume_untouched()
    assert (folder / "ngshare.db").read_text() == kept
    assert namespace.address() == address, "the hub's values need no other address"
    exchange = exchange_in(namespace)
    exchange.make_course()
    first = exchange.submit("in the new one")
    assert "MOVING IN" in upgraded.notes
    assert "ngshare.admins" in upgraded.notes
    assert "müller, anna" in namespace.execute(namespace.pod(), "cat", "/etc/ngshare-fs/ngshare-fs.yaml")

    namespace.install(values, *wait, "--reset-values", action="upgrade", major=major)
    expect_old_volume_untouched()

    # As the notes say: applied by the server, an old Deployment would keep what Kubernetes has filled in for the new
    # one, and be refused.
    back = [
        f"kubectl -n {namespace.name} delete deployment ngshare",
        f"helm -n {namespace.name} rollback ngshare REVISION",
    ]
    assert all(line in map(str.strip, upgraded.notes.splitlines()) for line in back)
    namespace.kubectl("delete", "deployment", "ngshare")
    namespace.helm("rollback", "ngshare", "1", *wait, major=major)
    expect_old_volume_untouched()
    assert "ngshare.db" in namespace.execute(namespace.pod(), "ls", "/srv/ngshare")

    namespace.install(values, *wait, "--reset-values", action="upgrade", major=major)
    assert exchange_in(namespace).submitted() == [first], "what was handed in before the rollback is still there"
    expect_old_volume_untouched()

    namespace.helm("uninstall", "ngshare", *wait, major=major)
    namespace.wait_until(lambda: not namespace.get("all")["items"], "everything but the volumes goes")
    expect_old_volume_untouched()
    assert namespace.find("pvc", "ngshare-data")
