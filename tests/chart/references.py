"""What objects name is there: volumes, Secrets, ConfigMaps, claims, accounts."""

import base64
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, PodTemplate, name_of, pod_templates

ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


def check_mounts(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Every mount has its volume, and every volume a mount."""
    for template in pod_templates(manifests):
        volumes = {volume.get("name") for volume in template.spec.get("volumes") or []}
        mounted = set()
        for where, container in template.containers:
            mounts = container.get("volumeMounts") or []
            mounted |= {mount.get("name") for mount in mounts}
            for mount in mounts:
                if mount.get("name") not in volumes:
                    yield Finding("mount-without-volume", where, repr(mount.get("name")))
            for path, count in Counter(str(mount.get("mountPath")).rstrip("/") for mount in mounts).items():
                if count > 1:
                    yield Finding("mounted-twice", where, path)
        for name in sorted(map(str, volumes - mounted)):
            yield Finding("volume-not-mounted", template.owner, name)


def check_access_modes(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Modes of claims, of which there must be one."""
    for manifest in manifests:
        if manifest.get("kind") == "PersistentVolumeClaim":
            modes = (manifest.get("spec") or {}).get("accessModes") or []
            for mode in modes or [None]:
                if mode not in ACCESS_MODES:
                    yield Finding("access-mode-unknown", name_of(manifest), repr(mode))


def check_references(manifests: Sequence[Manifest], outside: Collection[str]) -> Iterator[Finding]:
    """Whatever a pod needs is in the release, or known to come from outside.

    Args:
        manifests: the release.
        outside: what others made, as `KIND/NAME`.
    """
    inside = {name_of(manifest): manifest for manifest in manifests}
    for template in pod_templates(manifests):
        for where, name, keys in _needed(template):
            if name not in inside:
                if name not in outside:
                    yield Finding("object-missing", where, name)
                continue
            there = {key for group in ("data", "stringData", "binaryData") for key in inside[name].get(group) or {}}
            for key in keys:
                if key not in there:
                    yield Finding("key-missing", where, f"{name} {key}")


Needed = tuple[str, str, Sequence[str]]


def _needed(template: PodTemplate) -> Iterator[Needed]:
    """Where it is named, the object as `KIND/NAME`, and the keys that are taken from it."""
    account = template.spec.get("serviceAccountName")
    if account and account != "default":
        yield f"{template.owner} serviceAccountName", f"ServiceAccount/{account}", ()
    for secret in template.spec.get("imagePullSecrets") or []:
        yield f"{template.owner} imagePullSecrets", f"Secret/{secret.get('name')}", ()
    for volume in template.spec.get("volumes") or []:
        where = f"{template.owner} volumes/{volume.get('name')}"
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for source in sources:
            yield from _source(where, source)
    for where, container in template.containers:
        for variable in container.get("env") or []:
            of = variable.get("valueFrom") or {}
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if key in of:
                    yield f"{where} env/{variable.get('name')}", f"{kind}/{of[key].get('name')}", [of[key].get("key")]
        for group in container.get("envFrom") or []:
            for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if key in group:
                    yield f"{where} envFrom", f"{kind}/{group[key].get('name')}", ()


def _source(where: str, source: Mapping[str, Any]) -> Iterator[Needed]:
    """A volume, or one of those that are projected into it: which keys it takes, if it says so."""
    for key, kind, field in (
        ("secret", "Secret", "secretName"),
        ("configMap", "ConfigMap", "name"),
        ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
    ):
        found = source.get(key)
        if found is not None:
            name = found.get(field) or found.get("name")
            yield where, f"{kind}/{name}", [item.get("key") for item in found.get("items") or []]


def secret_values(manifests: Sequence[Manifest]) -> list[str]:
    """What the Secrets of a release hold, as text."""
    found = []
    for manifest in manifests:
        if manifest.get("kind") == "Secret":
            found += [str(value) for value in (manifest.get("stringData") or {}).values()]
            found += [base64.b64decode(value).decode() for value in (manifest.get("data") or {}).values()]
    return found


def check_secrets(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """What a Secret holds is in no other object: neither as it is, nor in base64."""
    values = secret_values(manifests)
    shapes = [shape for value in values for shape in (value, base64.b64encode(value.encode()).decode()) if value]
    for manifest in manifests:
        if manifest.get("kind") != "Secret":
            text = json.dumps(manifest, ensure_ascii=False)
            if any(json.dumps(shape, ensure_ascii=False)[1:-1] in text for shape in shapes):
                yield Finding("secret-shown", name_of(manifest))
