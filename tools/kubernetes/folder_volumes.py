"""A storage class whose volumes are folders of the node: what a cloud's provisioner does, on one machine.

The volumes are as a fresh disk is: they belong to root, and have a `lost+found`. They are of the kind `local`, to which
the kubelet applies a pod's `fsGroup`, as it does to a disk. They know no size, and any access mode is granted: there is
one node.
"""

import shutil
from pathlib import Path
from typing import Any

from tools.kubernetes.api import Api, ApiError

NODE = "node1"
STORAGE_CLASS = "folders"
PROVISIONER = "ngshare-fs.test/folders"


class FolderVolumes:
    """Provides PersistentVolumes to the claims of one storage class, which is the cluster's default."""

    def __init__(self, api: Api, folder: Path) -> None:
        """Args:
        api: of the node.
        folder: where the volumes are.
        """
        self._api = api
        self._folder = folder

    def make_class(self) -> None:
        """Make the storage class.

        Raises:
            ApiError: the API server does not take it.
        """
        self._api.call(
            "POST",
            "/apis/storage.k8s.io/v1/storageclasses",
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {
                    "name": STORAGE_CLASS,
                    "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                },
                "provisioner": PROVISIONER,
                "reclaimPolicy": "Delete",
                "volumeBindingMode": "Immediate",
                "allowVolumeExpansion": True,
            },
        )

    def update(self) -> None:
        """Make volumes for claims that wait for one, and delete those whose claims are gone.

        Raises:
            ApiError: the API server does not answer, or refuses.
        """
        volumes = {volume["metadata"]["name"]: volume for volume in self._api.items("/api/v1/persistentvolumes")}
        for claim in self._api.items("/api/v1/persistentvolumeclaims"):
            name = "pvc-" + claim["metadata"]["uid"]
            wanted = (claim["spec"].get("storageClassName") == STORAGE_CLASS) and not claim["spec"].get("volumeName")
            if wanted and name not in volumes and claim["status"]["phase"] == "Pending":
                self._provide(name, claim)
        for name, volume in volumes.items():
            by_us = volume["metadata"].get("annotations", {}).get("pv.kubernetes.io/provisioned-by") == PROVISIONER
            deleted = volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
            if by_us and deleted and volume["status"]["phase"] == "Released":
                shutil.rmtree(self._folder / name, ignore_errors=True)
                self._api.call("DELETE", f"/api/v1/persistentvolumes/{name}")

    def _provide(self, name: str, claim: dict[str, Any]) -> None:
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        (folder / "lost+found").mkdir(mode=0o700, exist_ok=True)
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NODE]}
        reference = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            **{key: claim["metadata"][key] for key in ("namespace", "name", "uid")},
        }
        try:
            self._api.call(
                "POST",
                "/api/v1/persistentvolumes",
                {
                    "apiVersion": "v1",
                    "kind": "PersistentVolume",
                    "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
                    "spec": {
                        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
                        "accessModes": claim["spec"]["accessModes"],
                        "persistentVolumeReclaimPolicy": "Delete",
                        "storageClassName": STORAGE_CLASS,
                        "claimRef": reference,
                        "local": {"path": str(folder)},
                        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
                    },
                },
            )
        except ApiError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
