"""What the volume may be like when the server gets it."""

import os

from tests.kubernetes.exchange import STANDALONE, exchange_in
from tests.kubernetes.node import Namespace, merged

USER = 65532


def test_a_volume_that_belongs_to_root_is_given_to_the_server(namespace: Namespace) -> None:
    namespace.apply(claim("ngshare-old"))
    namespace.wait_until(
        lambda: namespace.get("pvc", "ngshare-old")["status"]["phase"] == "Bound", "the claim is bound"
    )
    folder = namespace.volume("ngshare-old")
    folder.chmod(0o755)
    (folder / "notes").mkdir(mode=0o755)
    (folder / "notes" / "from-root.txt").write_text("kept")
    assert (folder.stat().st_uid, folder.stat().st_gid) == (0, 0)

    values = {"persistence": {"existingClaim": "ngshare-old", "subPath": "exchange"}}
    namespace.install(merged(STANDALONE, values), "--wait", "--timeout", "2m")
    exchange = exchange_in(namespace)
    exchange.make_course()
    exchange.submit("on a folder of root's volume")
    assert (folder / "exchange" / "courses" / "c").is_dir()
    assert folder.stat().st_gid == USER
    assert (folder / "notes" / "from-root.txt").read_text() == "kept"


def test_many_files_are_not_regrouped_at_each_start(namespace: Namespace) -> None:
    namespace.install(STANDALONE, "--wait", "--timeout", "2m")
    folder = namespace.volume()
    exchange_in(namespace).make_course()
    foreign = folder / "lost+found"
    foreign.chmod(0o700)
    os.chown(foreign, 0, 0)
    namespace.kubectl("delete", "pod", namespace.pod())
    namespace.wait_until_rolled_out()
    assert foreign.stat().st_gid == 0, "OnRootMismatch: the top folder has the right group, so nothing is walked"
    exchange_in(namespace).submit("after the restart")


def claim(name: str, mode: str = "ReadWriteOnce", **fields: object) -> dict[str, object]:
    """Return a PersistentVolumeClaim."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}, **fields},
    }
