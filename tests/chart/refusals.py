"""Values that the chart refuses, and the sentence that says so, as far as it does not depend on helm."""

from collections.abc import Mapping
from typing import Any

from tests.chart.values_matrix import Case

_SHARED = {"accessModes": ["ReadWriteMany"]}
_OLD_MOUNT = {"name": "old", "image": "busybox", "volumeMounts": [{"name": "ngshare-pvc", "mountPath": "/old"}]}


def _value(path: str, value: Any) -> dict[str, Any]:
    """`a.b` as mappings with the value in the innermost."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


# The chart's own sentences: values that do not go together.
SENTENCES: Mapping[str, tuple[Case, str]] = {
    "image-of-ngshare": (
        Case({"image": {"repository": "libretexts/ngshare"}}),
        "image.repository is libretexts/ngshare, which is the program ngshare and not this one: name the image that "
        "image/Dockerfile makes",
    ),
    "image-with-its-tag": (
        Case({"image": {"repository": "registry.example:5000/ngshare-fs:0.1.0"}}),
        "image.repository is registry.example:5000/ngshare-fs:0.1.0, with a tag or a digest in it: put these into "
        "image.tag or image.digest",
    ),
    "path-with-two-slashes": (
        Case({"hub": {"baseUrl": "/a//b/"}}),
        "hub.baseUrl and hub.serviceName make the path /a//b/services/ngshare/: it may not have two slashes in a row",
    ),
    "path-that-climbs": (
        Case({"hub": {"serviceName": ".."}}),
        "make the path /services/../: it may not have two slashes in a row, nor . or .. between slashes",
    ),
    "size-without-a-unit": (
        Case({"persistence": {"size": 10}}),
        "persistence.size is 10, which is a number of bytes: add a unit, such as Mi or Gi",
    ),
    "size-without-a-unit-as-text": (
        Case({"persistence": {"size": "10"}}),
        "persistence.size is 10, which is a number of bytes",
    ),
    "memory-in-thousandths": (
        Case({"resources": {"limits": {"memory": "512m"}}}),
        "resources.limits.memory is 512m, which is a number of bytes",
    ),
    "name-that-no-service-has": (
        Case({}, name="1-ngshare"),
        "1-ngshare cannot be a Service's name, which has small letters, digits and hyphens and begins with a letter: "
        "set fullnameOverride",
    ),
    "replicas-without-a-volume": (
        Case({"replicas": 2, "persistence": {"enabled": False}}),
        "replicas is 2, and persistence.enabled is false: each pod would have an exchange of its own. Set replicas: 1",
    ),
    "replicas-on-a-volume-of-one-node": (
        Case({"replicas": 3}),
        "replicas is 3, and persistence.accessModes is [ReadWriteOnce], with which one node at a time has the volume. "
        "Set replicas: 1; or persistence.accessModes: [ReadWriteMany]",
    ),
    "replicas-on-a-volume-of-one-pod": (
        Case({"replicas": 2, "persistence": {"accessModes": ["ReadWriteOncePod"]}}),
        "replicas is 2, and persistence.accessModes is [ReadWriteOncePod]",
    ),
    "replicas-on-a-claim-of-others": (
        Case({"replicas": 2, "persistence": {"existingClaim": "courses"}}),
        "or, if the claim courses has ReadWriteMany, persistence.accessModes: [ReadWriteMany]",
    ),
    "token-twice": (
        Case({"hub": {"token": {"value": "abc", "existingSecret": "mine"}}}),
        "hub.token.value and hub.token.existingSecret (or .key) are both set: leave out value",
    ),
    "token-and-key": (
        Case({"hub": {"token": {"value": "abc", "key": "mine"}}}),
        "hub.token.value and hub.token.existingSecret (or .key) are both set: leave out value",
    ),
    "token-with-a-line-end": (
        Case({"hub": {"token": {"value": "abc\n"}}}),
        "hub.token.value holds characters that no token has, such as blanks or line ends",
    ),
    "no-token-at-all": (
        Case({"hub": {"token": {"existingSecret": ""}}}),
        "hub.token.existingSecret is empty, and so is hub.token.value: name the Secret with the token",
    ),
    "secret-of-another-namespace": (
        Case({"hub": {"namespace": "hubs"}}),
        "the hub is in the namespace hubs, and its Secret cannot be read from the namespace jhub: put the token into a "
        "Secret here and name it in hub.token.existingSecret and hub.token.key, or set hub.token.value; the hub's "
        "values have the same as hub.services.ngshare.apiToken",
    ),
    "address-in-another-namespace": (
        Case({"hub": {"apiUrl": "http://hub.hubs.svc:8081/hub/api"}}),
        "hub.apiUrl names the namespace hubs: set hub.namespace: hubs as well, for the NetworkPolicy lets the server "
        "out to the hub there",
    ),
    **{
        f"option-of-the-chart-{option}": (
            Case({"config": {option: value}}),
            f"config.{option} is set by the chart: leave it out; {reason}",
        )
        for option, value, reason in (
            ("data", "/data", "the volume is mounted at /srv/ngshare"),
            ("host", "::", "it listens on all addresses of its pod"),
            ("port", 8888, "it listens on 8080 in its pod; service.port is that of the Service"),
            ("prefix", "/x/", "it follows from hub.baseUrl and hub.serviceName"),
            ("admins", ["a"], "they go into the value admins"),
            ("hub-api-url", "http://h", "it goes into the value hub.apiUrl"),
            ("hub-url", "http://h", "it goes into the value hub.publicUrl"),
            ("hub-token-file", "/t", "hub.token says where the token is"),
        )
    },
    "no-time-to-end": (
        Case({"config": {"drain-seconds": 120}}),
        "terminationGracePeriodSeconds is 90, and a stop may take 132: preStopSeconds, config.drain-seconds and 10 "
        "more. Requests under way would be cut off: set it to 132 or more",
    ),
    "label-that-is-ours": (
        Case({"labels": {"app.kubernetes.io/name": "other"}}),
        "labels has the label app.kubernetes.io/name, by which the server's pods are found: leave it out",
    ),
    "label-of-pods-that-is-ours": (
        Case({"podLabels": {"app.kubernetes.io/instance": "other"}}),
        "podLabels has the label app.kubernetes.io/instance, by which the server's pods are found: leave it out",
    ),
    "folder-beside-the-volume": (
        Case({"persistence": {"subPath": "../other"}}),
        "persistence.subPath is ../other: name a folder within the volume",
    ),
    "folder-of-the-node": (
        Case({"persistence": {"subPath": "/exchange"}}),
        "persistence.subPath is /exchange: name a folder within the volume",
    ),
    "budget-twice": (
        Case({"podDisruptionBudget": {"minAvailable": 1}}),
        "podDisruptionBudget.maxUnavailable and .minAvailable are both set, and Kubernetes takes one of them",
    ),
    "budget-of-nothing": (
        Case({"podDisruptionBudget": {"maxUnavailable": None}}),
        "podDisruptionBudget.maxUnavailable and .minAvailable are both null: set one of them",
    ),
    "defaults-of-another-chart": (
        Case({"hub": None, "persistence": None}),
        "hub, persistence: missing. `--reuse-values` brings the defaults of the chart before",
    ),
    "empty-key": (
        Case("persistence: {size: }\nimage: {repository: }\n"),
        "persistence.size, image.repository: empty. An empty key takes the chart's default away: leave out what you do "
        "not set",
    ),
    # ngshare's own chart
    "old-and-new": (
        Case({"pvc": {"storage": "2Gi"}, "persistence": {"size": "3Gi"}}),
        "pvc.storage and persistence.size are both set, and mean the same: leave out pvc.storage",
    ),
    "old-arguments": (
        Case({"ngshare": {"args": ["--storage", "/x"]}}),
        "ngshare.args are arguments of ngshare's program, which this one does not have: leave them out",
    ),
    "old-selector": (
        Case({"pvc": {"selector": {"matchLabels": {"a": "b"}}}}),
        "pvc.selector chose the volume of ngshare, which stays with its old claim: leave it out",
    ),
    "old-mount": (
        Case({"deployment": {"initContainers": [_OLD_MOUNT]}}),
        'deployment.initContainers mount the volume "ngshare-pvc" of ngshare\'s chart: leave them out',
    ),
}

# What the schema refuses: the value, and the words that name it in the messages of every helm.
BY_SCHEMA: Mapping[str, tuple[Any, str]] = {
    "admin-that-is-a-number": ("admins: [007]", "admins"),
    "admin-that-is-a-switch": ("admins: [no]", "admins"),
    "admins-with-commas": (_value("admins", "zoe,max"), "admins"),
    "empty-admin": (_value("admins", [""]), "admins"),
    "half-a-replica": (_value("replicas", 1.5), "replicas"),
    "replicas-as-text": (_value("replicas", "2"), "replicas"),
    "less-than-no-replica": (_value("replicas", -1), "replicas"),
    "access-mode": (_value("persistence.accessModes", ["ReadWriteSome"]), "accessModes"),
    "read-only": (_value("persistence.accessModes", ["ReadOnlyMany"]), "accessModes"),
    "no-access-mode": (_value("persistence.accessModes", []), "accessModes"),
    "size-of-bytes": (_value("persistence.size", "10GB"), "size"),
    "storage-class-that-is-a-number": (_value("persistence.storageClass", 1), "storageClass"),
    "base-url-without-a-slash": (_value("hub.baseUrl", "jupyter"), "baseUrl"),
    "base-url-with-braces": (_value("hub.baseUrl", "/{x}/"), "baseUrl"),
    "address-without-a-scheme": (_value("hub.apiUrl", "hub:8081/hub/api"), "apiUrl"),
    "address-with-a-password": (_value("hub.apiUrl", "http://me:secret@hub/api"), "apiUrl"),
    "address-of-ipv6-without-brackets": (_value("hub.apiUrl", "http://fd00::1:8081/hub/api"), "apiUrl"),
    "address-with-a-word-for-its-port": (_value("hub.apiUrl", "http://hub:api/hub/api"), "apiUrl"),
    "address-with-the-port-0": (_value("hub.apiUrl", "http://hub:0/hub/api"), "apiUrl"),
    "address-with-half-an-escape": (_value("hub.apiUrl", "http://hub/%j/hub/api"), "apiUrl"),
    "public-address-without-a-scheme": (_value("hub.publicUrl", "hub.example.org"), "publicUrl"),
    "pull-policy": (_value("image.pullPolicy", "Sometimes"), "pullPolicy"),
    "digest": (_value("image.digest", "0123"), "digest"),
    "tag-that-is-a-number": (_value("image.tag", 1.10), "tag"),
    "type-of-the-service": (_value("service.type", "Loadbalancer"), "type"),
    "port-of-the-service": (_value("service.port", 70000), "port"),
    "label-that-is-a-switch": (_value("podLabels", {"a": True}), "podLabels"),
    "annotation-that-is-a-number": (_value("podAnnotations", {"a": 1}), "podAnnotations"),
    "argument-that-is-a-number": (_value("extraArgs", ["--workers", 2]), "extraArgs"),
    "variable-that-is-a-number": (_value("extraEnv", [{"name": "A", "value": 1}]), "extraEnv"),
    "variables-as-a-map": (_value("extraEnv", {"A": "1"}), "extraEnv"),
    "strategy": (_value("strategy", {"type": "rolling"}), "strategy"),
    "field-of-a-probe": (_value("readinessProbe", {"period": 3}), "period"),
    "upper-case-name": (_value("fullnameOverride", "Exchange"), "fullnameOverride"),
    "long-name": (_value("fullnameOverride", "n" * 64), "fullnameOverride"),
    "option-in-snake-case": (_value("config", {"max_files": 3}), "max_files"),
    "option-of-the-wrong-type": (_value("config", {"workers": "many"}), "workers"),
    "group-of-no-course": (_value("config", {"student-groups": "students"}), "student-groups"),
    "group-of-no-course-in-a-list": (_value("config", {"student-groups": ["students"]}), "student-groups"),
    "service-without-anything-said": (_value("config", {"services": {"autograder": None}}), "autograder"),
    "seconds-as-text": (_value("terminationGracePeriodSeconds", "90"), "terminationGracePeriodSeconds"),
    "less-than-no-second": (_value("preStopSeconds", -1), "preStopSeconds"),
    "old-key-that-there-never-was": (_value("ngshare", {"hub_token": "x"}), "hub_token"),
    "old-key-of-the-volume": (_value("pvc", {"size": "1Gi"}), "size"),
}
