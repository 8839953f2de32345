"""The files that a container sees, as far as they come from ConfigMaps and Secrets."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from tests.chart.manifests import Manifest, PodTemplate, name_of


def files_of(
    template: PodTemplate, container: Mapping[str, Any], manifests: Sequence[Manifest]
) -> dict[PurePosixPath, str]:
    """Texts by the path at which the container finds them.

    Args:
        template: the pod.
        container: one of its containers.
        manifests: where Secrets and ConfigMaps are looked for.
    """
    objects = {name_of(manifest): manifest for manifest in manifests}
    volumes = {volume["name"]: volume for volume in template.spec.get("volumes") or []}
    found = {}
    for mount in container.get("volumeMounts") or []:
        for name, text in _contents(volumes[mount["name"]], objects):
            found[PurePosixPath(mount["mountPath"], name)] = text
    return found


def _contents(volume: Mapping[str, Any], objects: Mapping[str, Manifest]) -> Iterator[tuple[str, str]]:
    for key, kind, field in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        if key in volume:
            texts = _texts(objects.get(f"{kind}/{volume[key][field]}", {}))
            items = volume[key].get("items") or [{"key": name, "path": name} for name in texts]
            for item in items:
                if item["key"] in texts:
                    yield item["path"], texts[item["key"]]


def _texts(manifest: Manifest) -> dict[str, str]:
    data = manifest.get("data") or {}
    if manifest.get("kind") == "Secret":
        data = {name: base64.b64decode(value).decode() for name, value in data.items()}
    return {**data, **(manifest.get("stringData") or {})}
