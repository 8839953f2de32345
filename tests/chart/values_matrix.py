"""Values that people set, by what they want; every option of `values.yaml` is in one of them.

`OUTSIDE` names the objects that somebody else makes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.chart.rendering import Installation, Values

DIGEST = "sha256:" + "0123456789abcdef" * 4
TOKEN = "a-token-that-must-not-be-seen-anywhere"
# A container that keeps to the profile `restricted`, as its author has to see to.
RESTRICTED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
HUB_SECRET = "Secret/hub"


@dataclass(frozen=True)
class Case:
    """Values, and what they are installed into.

    Args:
        values: see `Values`.
        outside: what others made, as `KIND/NAME`.
        name: of the release.
        namespace: where it is installed.
    """

    values: Values
    outside: tuple[str, ...] = (HUB_SECRET,)
    name: str = "ngshare"
    namespace: str = "jhub"

    def installed(self, helm: int = 4, kubernetes: str = "") -> Installation:
        """The chart with these values."""
        return Installation.of(self.values, name=self.name, namespace=self.namespace, helm=helm, kubernetes=kubernetes)


_SHARED = {"accessModes": ["ReadWriteMany"]}

CASES: Mapping[str, Case] = {
    "nothing-set": Case({}),
    "what-most-sites-set": Case(
        {"admins": ["zoë@uni.example"], "persistence": {"size": "50Gi", "storageClass": "standard-rwo"}}
    ),
    # Names
    "release-without-ngshare-in-its-name": Case({}, name="exchange"),
    "longest-name-of-a-release": Case({}, name="x" * 53),
    "name-overridden": Case({"nameOverride": "exchange"}, name="uni"),
    "full-name-overridden": Case({"fullnameOverride": "nbgrader-exchange"}),
    "longest-full-name": Case({"fullnameOverride": "n" * 63, "hub": {"token": {"value": TOKEN}}}, outside=()),
    "names-that-yaml-takes-for-something-else": Case(
        {
            "nameOverride": "no",
            "fullnameOverride": "on",
            "hub": {"serviceName": "007", "token": {"existingSecret": "1e3", "key": "yes"}},
            "persistence": {"existingClaim": "0x1f", "subPath": "true"},
            "serviceAccount": {"create": False, "name": "12"},
            "image": {"repository": "1", "tag": "1.10", "pullSecrets": ["0", {"name": "1"}]},
            "labels": {"a": "true"},
            "podLabels": {"b": "1"},
            "podAnnotations": {"c": "null"},
            "nodeSelector": {"d": "yes"},
            "priorityClassName": "0",
        },
        outside=("Secret/1e3", "PersistentVolumeClaim/0x1f", "ServiceAccount/12", "Secret/0", "Secret/1"),
        name="1",
        namespace="12",
    ),
    # The volume
    "three-replicas-on-a-shared-volume": Case({"replicas": 3, "persistence": _SHARED}),
    "no-replica": Case({"replicas": 0}),
    "existing-claim": Case(
        {"persistence": {"existingClaim": "courses"}}, outside=(HUB_SECRET, "PersistentVolumeClaim/courses")
    ),
    "existing-claim-by-template": Case(
        {"persistence": {"existingClaim": "{{ .Release.Name }}-courses", "subPath": "exchange"}},
        outside=(HUB_SECRET, "PersistentVolumeClaim/ngshare-courses"),
    ),
    "existing-claim-that-is-shared": Case(
        {"replicas": 2, "persistence": {"existingClaim": "courses", **_SHARED}},
        outside=(HUB_SECRET, "PersistentVolumeClaim/courses"),
    ),
    "storage-class-null": Case({"persistence": {"storageClass": None}}),
    "storage-class-empty": Case({"persistence": {"storageClass": "", "volumeName": "by-hand"}}),
    "volume-by-labels": Case(
        {
            "persistence": {
                "selector": {
                    "matchLabels": {"exchange": "yes"},
                    "matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}],
                },
                "annotations": {"example.org/backup": "daily"},
                "labels": {"example.org/tier": "gold"},
                "keep": False,
                "accessModes": ["ReadWriteOncePod"],
            }
        }
    ),
    "no-volume": Case({"persistence": {"enabled": False}}),
    # The hub
    "token-by-value": Case({"hub": {"token": {"value": TOKEN}}}, outside=()),
    "token-in-another-secret": Case(
        {"hub": {"token": {"existingSecret": "exchange-token", "key": "apiToken"}}}, outside=("Secret/exchange-token",)
    ),
    "token-in-a-secret-by-template": Case(
        {"hub": {"token": {"existingSecret": "{{ .Release.Name }}-hub", "key": "{{ .Release.Name }}"}}},
        outside=("Secret/ngshare-hub",),
    ),
    "hub-in-another-namespace": Case(
        {"hub": {"namespace": "jhub", "token": {"value": TOKEN}}}, outside=(), namespace="exchange"
    ),
    "hub-below-a-path": Case({"hub": {"baseUrl": "/jupyter/"}}),
    "hub-below-a-path-that-does-not-end": Case({"hub": {"baseUrl": "/jupyter"}}),
    "hub-elsewhere": Case(
        {
            "hub": {
                "apiUrl": "https://hub.example.org/hub/api",
                "publicUrl": "https://hub.example.org",
                "serviceName": "exchange",
                "token": {"existingSecret": "elsewhere", "key": "token"},
            }
        },
        outside=("Secret/elsewhere",),
    ),
    "standalone": Case({"config": {"standalone": True}}, outside=()),
    # The server
    "odd-names-of-admins": Case(
        """
        admins: ["1e3", "~", "a: b #c", "no", "007", "Lovelace, Ada", 'quo"te', "back\\\\slash", "{{ .Release.Name }}"]
        config:
          services: {autograder: {admin: true}, "no": {}}
          trusted-proxies: [10.0.0.0/8, "::1"]
        """
    ),
    "options-of-every-type": Case(
        {
            "config": {
                "workers": 2,
                "max-request": 268435456,
                "max-files": 10000000,
                "debug": True,
                "drain-seconds": 30,
                "journal": False,
                "trash-days": 0,
                "quota-volume": 0,
                "quota-course": 21474836480,
                "quota-student": "500MiB",
                "log-format": "text",
                "metrics": True,
                "require-service-scope": False,
                "services": {"autograder": {"admin": True}},
                "trusted-proxies": ["10.0.0.0/8"],
                "instructor-groups": ["formgrade-{course}", "{course}, staff"],
                "grader-groups": "{course}:tutor",
                "student-groups": ["nbgrader-{course}"],
                "course-creators": ["kevin", "group:staff"],
            },
            "terminationGracePeriodSeconds": 60,
            "preStopSeconds": 5,
        }
    ),
    "groups": Case(
        {
            "config": {
                "instructor-groups": ["formgrade-{course}", "{course}:instructor"],
                "grader-groups": "tutor-{course}",
                "student-groups": ["nbgrader-{course}"],
                "group-sync": "15m",
                "course-creators": ["kevin", "group:lecturers"],
            }
        }
    ),
    "drained-for-long": Case(
        {"config": {"drain-seconds": 300}, "terminationGracePeriodSeconds": 330, "preStopSeconds": 0}
    ),
    # The image
    "image-by-digest": Case(
        {"image": {"repository": "registry.example.org:5000/teaching/ngshare-fs", "tag": "ignored", "digest": DIGEST}}
    ),
    "image-by-tag": Case(
        {
            "image": {
                "repository": "registry.example.org/ngshare-fs",
                "tag": "1",
                "pullPolicy": "Always",
                "pullSecrets": ["registry", {"name": "second-registry"}],
            }
        },
        outside=(HUB_SECRET, "Secret/registry", "Secret/second-registry"),
    ),
    # The network
    "no-network-policy": Case({"networkPolicy": {"enabled": False}}),
    "monitored": Case(
        {
            "networkPolicy": {
                "monitoring": {
                    "namespaceLabels": {"kubernetes.io/metadata.name": "monitoring"},
                    "podLabels": {"app.kubernetes.io/name": "prometheus"},
                }
            }
        }
    ),
    "further-rules": Case(
        {
            "networkPolicy": {
                "ingress": [
                    {
                        "from": [{"podSelector": {"matchLabels": {"backup": "yes"}}}],
                        "ports": [{"port": "http", "protocol": "TCP"}],
                    }
                ],
                "egress": [{"to": [{"ipBlock": {"cidr": "10.1.2.0/24"}}], "ports": [{"port": 443, "protocol": "TCP"}]}],
            }
        }
    ),
    "service": Case(
        {
            "service": {
                "type": "NodePort",
                "port": 80,
                "annotations": {"prometheus.io/scrape": "true"},
                "labels": {"example.org/team": "teaching"},
            }
        }
    ),
    # How it runs
    "budget-by-percentage": Case(
        {
            "replicas": 4,
            "persistence": _SHARED,
            "podDisruptionBudget": {"enabled": True, "maxUnavailable": None, "minAvailable": "50%"},
        }
    ),
    "budget-by-number": Case({"replicas": 2, "persistence": _SHARED, "podDisruptionBudget": {"maxUnavailable": 1}}),
    "no-budget": Case({"replicas": 2, "persistence": _SHARED, "podDisruptionBudget": {"enabled": False}}),
    "account-of-others": Case(
        {"serviceAccount": {"create": False, "name": "exchange"}}, outside=(HUB_SECRET, "ServiceAccount/exchange")
    ),
    "account-by-default": Case({"serviceAccount": {"create": False}}),
    "account-with-annotations": Case(
        {"serviceAccount": {"name": "exchange", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}}
    ),
    "probes": Case(
        {
            "startupProbe": {"failureThreshold": 300},
            "livenessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 30},
            "readinessProbe": {"exec": {"command": ["true"]}},
        }
    ),
    "strategy": Case(
        {
            "replicas": 2,
            "persistence": _SHARED,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "50%"}},
        }
    ),
    "strategy-of-a-single-server": Case({"strategy": {"type": "Recreate"}}),
    "resources": Case(
        {
            "resources": {
                "requests": {"cpu": "1500m", "memory": "1Gi", "ephemeral-storage": "1Gi"},
                "limits": {"cpu": 2, "memory": "1.5Gi", "ephemeral-storage": "4Gi"},
            }
        }
    ),
    "ids-given-by-the-cluster": Case(
        {
            "podSecurityContext": {
                "runAsUser": None,
                "runAsGroup": None,
                "fsGroup": None,
                "fsGroupChangePolicy": "Always",
                "runAsNonRoot": True,
                "seccompProfile": {"type": "Localhost", "localhostProfile": "exchange.json"},
                "supplementalGroups": [100],
            },
            "securityContext": {
                "runAsUser": 1000,
                "capabilities": {"drop": ["ALL"]},
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
            },
        }
    ),
    "everything-extra": Case(
        {
            "extraEnv": [
                {"name": "TZ", "value": "Europe/Vienna"},
                {
                    "name": "NGSHARE_FS_COOKIE_SECRET",
                    "valueFrom": {"secretKeyRef": {"name": "cookies", "key": "secret"}},
                },
            ],
            "extraArgs": ["--workers", "2"],
            "extraVolumes": [
                {"name": "certificates", "configMap": {"name": "own-authority"}},
                {"name": "old", "persistentVolumeClaim": {"claimName": "ngshare-pvc"}},
            ],
            "extraVolumeMounts": [
                {"name": "certificates", "mountPath": "/etc/ssl/own", "readOnly": True},
                {"name": "old", "mountPath": "/old", "readOnly": True},
            ],
            "initContainers": [
                {
                    "name": "look",
                    "image": "busybox:1.37",
                    "command": ["ls", "/srv/ngshare"],
                    "volumeMounts": [{"name": "data", "mountPath": "/srv/ngshare"}],
                    "securityContext": RESTRICTED,
                }
            ],
            "extraContainers": [
                {
                    "name": "backup",
                    "image": "restic/restic:0.18.0",
                    "ports": [{"name": "backup", "containerPort": 9000, "protocol": "TCP"}],
                    "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
                    "securityContext": RESTRICTED,
                }
            ],
            "labels": {"example.org/team": "teaching"},
            "annotations": {"example.org/contact": "zoe"},
            "podLabels": {"example.org/tier": "gold"},
            "podAnnotations": {"prometheus.io/scrape": "false"},
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
                        ]
                    }
                }
            },
            "tolerations": [{"key": "teaching", "operator": "Exists", "effect": "NoSchedule"}],
            "priorityClassName": "high",
            "topologySpreadConstraints": [
                {
                    "maxSkew": 1,
                    "topologyKey": "topology.kubernetes.io/zone",
                    "whenUnsatisfiable": "ScheduleAnyway",
                    "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "ngshare"}},
                }
            ],
        },
        outside=(
            HUB_SECRET,
            "Secret/cookies",
            "ConfigMap/own-authority",
            "PersistentVolumeClaim/ngshare-pvc",
        ),
    ),
    "below-another-chart": Case({"enabled": True, "global": {"domain": "example.org", "teaching": {"a": [1]}}}),
}
