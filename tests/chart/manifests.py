"""Kubernetes objects as they are written in manifests, and the pods that they make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

# An object as YAML holds it; what it may have in it is the business of `schemas.py`.
Manifest = dict[str, Any]

TEST_HOOK = "test"
# Kinds with a pod template, and where it lies.
TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


class _Loader(yaml.CSafeLoader):
    """A key that is there twice is an error: YAML's own parser takes the last, and helm's refuses it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def parse(text: str) -> list[Manifest]:
    """The objects of a stream of YAML documents.

    Raises:
        yaml.YAMLError: it is no YAML, or a key is there twice.
    """
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


def name_of(manifest: Manifest) -> str:
    """`KIND/NAME`."""
    return f"{manifest.get('kind')}/{(manifest.get('metadata') or {}).get('name')}"


def of_kind(manifests: Sequence[Manifest], kind: str) -> list[Manifest]:
    """All objects of that kind."""
    return [manifest for manifest in manifests if manifest.get("kind") == kind]


@dataclass(frozen=True)
class PodTemplate:
    """What pods are made of.

    Args:
        owner: the object that it is written in, as `KIND/NAME`.
        labels: of the pods.
        annotations: of the pods.
        spec: of the pods.
    """

    owner: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]

    @property
    def is_test(self) -> bool:
        """Whether `helm test` makes it, and nothing else."""
        return TEST_HOOK in str(self.annotations.get("helm.sh/hook", "")).split(",")

    @property
    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each container with the place where it is written: those that start first as well."""
        for group in ("initContainers", "containers", "ephemeralContainers"):
            for container in self.spec.get(group) or []:
                yield f"{self.owner} {group}/{container.get('name')}", container

    @property
    def ports(self) -> Iterator[Mapping[str, Any]]:
        """The ports of all containers."""
        for _, container in self.containers:
            yield from container.get("ports") or []

    def has_port(self, port: int | str) -> bool:
        """Whether a container says that it listens there: a number, or a name."""
        return any(port in (each.get("name"), each.get("containerPort")) for each in self.ports)


def pod_templates(manifests: Sequence[Manifest]) -> Iterator[PodTemplate]:
    """All pods that the objects make, each once."""
    for manifest in manifests:
        found: Any = manifest
        if manifest.get("kind") != "Pod":
            path = TEMPLATES.get(str(manifest.get("kind")))
            if path is None:
                continue
            for key in path:
                found = (found or {}).get(key) or {}
        metadata = found.get("metadata") or {}
        yield PodTemplate(
            name_of(manifest),
            metadata.get("labels") or {},
            metadata.get("annotations") or {},
            found.get("spec") or {},
        )
