"""Faults that a chart can have, each a change of what is rendered, and the finding that shows it."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chart.changes import Change, added, at, gone, twice, without
from tests.chart.manifests import Manifest
from tests.chart.values_matrix import TOKEN


@dataclass(frozen=True)
class Fault:
    """One fault.

    Args:
        code: what the checks say of it.
        change: makes it.
        case: which case of the matrix it is made in.
    """

    code: str
    change: Change
    case: str = "nothing-set"

    def made(self, manifests: Sequence[Manifest]) -> list[Manifest]:
        """The same objects with the fault."""
        changed = copy.deepcopy(list(manifests))
        self.change(changed)
        assert changed != list(manifests), "nothing was changed"
        return changed


POD = "Deployment spec template spec"
CONTAINER = f"{POD} containers name=ngshare"
PORT = f"{CONTAINER} ports name=http"
DOCTOR = "Pod spec containers name=doctor"
SHARED = "three-replicas-on-a-shared-volume"
EXTRA = "everything-extra"
LONG = "n" * 64

FAULTS: Mapping[str, Fault] = {
    # Twelve that are often made, and what sees each: the schemas see the first five, an API server most of the others,
    # and nobody the port of a probe
    "misspelt-field": Fault("schema", at(f"{POD} terminationGracePeriodSecond", 90)),
    "text-for-a-number": Fault("schema", at("Deployment spec replicas", "one")),
    "number-as-a-variable": Fault("schema", at(f"{CONTAINER} env", [{"name": "PORT", "value": 8080}])),
    "no-selector": Fault("schema", without("Deployment spec selector")),
    "api-version-of-long-ago": Fault("schema", at("Deployment apiVersion", "extensions/v1beta1")),
    "labels-changed": Fault(
        "selector-does-not-match", at("Deployment spec template metadata labels app.kubernetes.io/name", "other")
    ),
    "volume-gone": Fault("mount-without-volume", without(f"{POD} volumes name=tmp")),
    "underscore-in-a-name": Fault("name-invalid", at("ConfigMap metadata name", "ngshare_config")),
    "access-mode": Fault("access-mode-unknown", at("PersistentVolumeClaim spec accessModes", ["ReadWriteSome"])),
    "long-name-of-a-port": Fault("port-name-invalid", at(f"{PORT} name", "a-very-long-name")),
    "probe-at-another-port": Fault("probe-port-missing", at(f"{CONTAINER} readinessProbe httpGet port", "web")),
    "more-requested-than-allowed": Fault("request-above-limit", at(f"{CONTAINER} resources requests memory", "640Mi")),
    # Schemas
    "kind-that-there-is-not": Fault("schema", at("Service kind", "Servise")),
    "no-kind": Fault("schema", without("ServiceAccount apiVersion")),
    "api-of-a-later-version": Fault("schema", at("PodDisruptionBudget apiVersion", "policy/v2"), SHARED),
    "field-of-a-later-version": Fault("schema", at(f"{CONTAINER} restartPolicyRules", [])),
    "annotation-that-is-a-number": Fault("schema", at("Service metadata annotations", {"a": 1})),
    "empty-condition": Fault("value-missing", at(f"{POD} nodeSelector", None)),
    "empty-entry": Fault("value-missing", added(f"{CONTAINER} args", None)),
    # Names
    "upper-case-in-a-name": Fault("name-invalid", at("Deployment metadata name", "Ngshare")),
    "digit-before-a-service": Fault("name-invalid", at("Service metadata name", "1ngshare")),
    "dot-in-a-service": Fault("name-invalid", at("Service metadata name", "ngshare.x")),
    "long-name-of-a-service": Fault("name-invalid", at("Service metadata name", LONG)),
    "long-name": Fault("name-invalid", at("ServiceAccount metadata name", "n" * 254)),
    "name-of-a-namespace": Fault("name-invalid", at("Service metadata namespace", "j.hub")),
    "name-of-a-container": Fault("name-invalid", at(f"{CONTAINER} name", "ngshare_fs")),
    "name-of-a-volume": Fault("name-invalid", at(f"{POD} volumes name=tmp name", "the.tmp")),
    "name-of-a-variable": Fault("name-invalid", at(f"{CONTAINER} env", [{"name": "A=B", "value": ""}])),
    "key-of-a-config-map": Fault("name-invalid", at("ConfigMap data a/b", "")),
    "object-twice": Fault("name-used-twice", twice("Service")),
    "container-twice": Fault("name-used-twice", at(f"{POD} containers name=backup name", "ngshare"), EXTRA),
    "volume-twice": Fault("name-used-twice", added(f"{POD} volumes", {"name": "tmp", "emptyDir": {}})),
    "port-twice": Fault(
        "name-used-twice", added(f"{CONTAINER} ports", {"name": "web", "containerPort": 8080, "protocol": "TCP"})
    ),
    "port-name-twice": Fault(
        "name-used-twice", at(f"{POD} containers name=backup ports name=backup name", "http"), EXTRA
    ),
    "variable-twice": Fault("name-used-twice", added(f"{CONTAINER} env", {"name": "TZ", "value": "UTC"}), EXTRA),
    "long-label": Fault("label-invalid", at("Service metadata labels a", "v" * 64)),
    "label-with-a-blank": Fault("label-invalid", at("Deployment spec template metadata labels a", "b c")),
    "label-of-a-wrong-domain": Fault("label-invalid", at("Service metadata labels", {"Example.org/a": "b"})),
    "slash-in-a-label": Fault("label-invalid", at("Service metadata labels", {"a/b/c": "d"})),
    "long-annotations": Fault("label-invalid", at("Service metadata annotations", {"a": "v" * 2**18})),
    "port-name-of-digits": Fault("port-name-invalid", at("Service spec ports name=http name", "8080")),
    "port-name-with-two-hyphens": Fault("port-name-invalid", at("Service spec ports name=http name", "a--b")),
    # Selectors
    "service-selects-nothing": Fault("selects-nothing", at("Service spec selector app.kubernetes.io/name", "x")),
    "policy-selects-nothing": Fault("selects-nothing", at("NetworkPolicy spec podSelector matchLabels", {"a": "b"})),
    "budget-selects-nothing": Fault(
        "selects-nothing", at("PodDisruptionBudget spec selector", {"matchLabels": {"a": "b"}}), SHARED
    ),
    "service-selects-test-pod": Fault("selects-test-pod", at("Pod metadata labels app.kubernetes.io/name", "ngshare")),
    "service-selects-by-release-alone": Fault(
        "selects-test-pod", without("Service spec selector app.kubernetes.io/name")
    ),
    "deployment-selects-by-release-alone": Fault(
        "selects-test-pod", without("Deployment spec selector matchLabels app.kubernetes.io/name")
    ),
    # Ports
    "probe-at-a-number": Fault("probe-port-missing", at(f"{CONTAINER} startupProbe httpGet port", 8081)),
    "hook-at-another-port": Fault(
        "probe-port-missing", at(f"{CONTAINER} lifecycle preStop", {"httpGet": {"path": "/stop", "port": "stop"}})
    ),
    "socket-at-another-port": Fault(
        "probe-port-missing", at(f"{CONTAINER} livenessProbe tcpSocket port", "x"), "probes"
    ),
    "port-renamed": Fault("probe-port-missing", at(f"{PORT} name", "web")),
    "service-to-another-port": Fault("service-port-missing", at("Service spec ports name=http targetPort", "web")),
    "service-to-another-number": Fault(
        "service-port-missing", without("Service spec ports name=http targetPort"), "service"
    ),
    "policy-for-another-port": Fault("policy-port-missing", at("NetworkPolicy spec ingress 0 ports 0 port", "web")),
    "no-protocol-in-the-pod": Fault("protocol-missing", without(f"{PORT} protocol")),
    "no-protocol-in-the-service": Fault("protocol-missing", without("Service spec ports name=http protocol")),
    "no-protocol-in-the-policy": Fault("protocol-missing", without("NetworkPolicy spec egress 0 ports 0 protocol")),
    # Volumes and references
    "volume-renamed": Fault("mount-without-volume", at(f"{POD} volumes name=data name", "courses")),
    "volume-of-the-test-pod-gone": Fault("mount-without-volume", without("Pod spec volumes name=config")),
    "mount-gone": Fault("volume-not-mounted", without(f"{CONTAINER} volumeMounts name=tmp")),
    "two-mounts-at-one-path": Fault(
        "mounted-twice", at(f"{CONTAINER} volumeMounts name=tmp mountPath", "/srv/ngshare/")
    ),
    "no-access-mode": Fault("access-mode-unknown", at("PersistentVolumeClaim spec accessModes", [])),
    "claim-gone": Fault("object-missing", gone("PersistentVolumeClaim")),
    "config-map-gone": Fault("object-missing", gone("ConfigMap")),
    "config-map-renamed": Fault("object-missing", at(f"{POD} volumes name=config configMap name", "ngshare")),
    "secret-gone": Fault("object-missing", gone("Secret"), "token-by-value"),
    "account-gone": Fault("object-missing", gone("ServiceAccount")),
    "pull-secret-unknown": Fault("object-missing", added(f"{POD} imagePullSecrets", {"name": "other"})),
    "variable-from-nowhere": Fault(
        "object-missing", added(f"{CONTAINER} envFrom", {"configMapRef": {"name": "other"}})
    ),
    "variable-from-no-secret": Fault(
        "object-missing",
        added(f"{CONTAINER} env", {"name": "A", "valueFrom": {"secretKeyRef": {"name": "other", "key": "a"}}}),
    ),
    "projected-from-nowhere": Fault(
        "object-missing",
        at(
            f"{POD} volumes name=hub-token",
            {"name": "hub-token", "projected": {"sources": [{"secret": {"name": "x"}}]}},
        ),
    ),
    "key-renamed": Fault(
        "key-missing", at(f"{POD} volumes name=hub-token secret items 0 key", "apiToken"), "token-by-value"
    ),
    # Quantities
    "quantity-with-a-blank": Fault("quantity-invalid", at(f"{CONTAINER} resources limits memory", "512 Mi")),
    "quantity-of-bytes": Fault("quantity-invalid", at("PersistentVolumeClaim spec resources requests storage", "10GB")),
    "request-of-the-test-pod": Fault("request-above-limit", at(f"{DOCTOR} resources requests memory", "1Gi")),
    # Replicas
    "replicas-on-one-volume": Fault("volume-shared-by-replicas", at("Deployment spec replicas", 2)),
    "volume-of-one-node": Fault(
        "volume-shared-by-replicas", at("PersistentVolumeClaim spec accessModes", ["ReadWriteOnce"]), SHARED
    ),
    "rolling-update": Fault("update-waits-for-volume", at("Deployment spec strategy", {"type": "RollingUpdate"})),
    "no-strategy": Fault("update-waits-for-volume", without("Deployment spec strategy")),
    "budget-of-none": Fault("disruption-budget-blocks", at("PodDisruptionBudget spec maxUnavailable", 0), SHARED),
    "budget-that-keeps-all": Fault(
        "disruption-budget-blocks",
        at("PodDisruptionBudget spec", {"minAvailable": "100%", "selector": {}}),
        SHARED,
    ),
    "killed-too-soon": Fault("killed-while-draining", at(f"{POD} terminationGracePeriodSeconds", 60)),
    "no-grace-period": Fault("killed-while-draining", without(f"{POD} terminationGracePeriodSeconds")),
    "long-hook": Fault("killed-while-draining", at(f"{CONTAINER} lifecycle preStop exec command", ["sleep", "30"])),
    "long-drain": Fault("killed-while-draining", at("ConfigMap data ngshare-fs.yaml", "drain-seconds: 120")),
    # Secrets
    "token-in-the-file": Fault("secret-shown", at("ConfigMap data token", TOKEN), "token-by-value"),
    "token-in-a-variable": Fault(
        "secret-shown", added(f"{CONTAINER} env", {"name": "JUPYTERHUB_API_TOKEN", "value": TOKEN}), "token-by-value"
    ),
    "token-in-the-arguments": Fault("secret-shown", added(f"{CONTAINER} args", f"--token={TOKEN}"), "token-by-value"),
    "token-in-an-annotation": Fault(
        "secret-shown", at("Deployment spec template metadata annotations token", TOKEN), "token-by-value"
    ),
    # The profile `restricted`
    "network-of-the-node": Fault("host-namespace", at(f"{POD} hostNetwork", True)),
    "processes-of-the-node": Fault("host-namespace", at(f"{POD} hostPID", True)),
    "memory-of-the-node": Fault("host-namespace", at("Pod spec hostIPC", True)),
    "host-process": Fault("host-process", at(f"{CONTAINER} securityContext windowsOptions", {"hostProcess": True})),
    "port-of-the-node": Fault("host-port", at(f"{PORT} hostPort", 8080)),
    "probe-of-another-host": Fault("host-of-handler", at(f"{CONTAINER} livenessProbe httpGet host", "169.254.169.254")),
    "privileged": Fault("privileged", at(f"{CONTAINER} securityContext privileged", True)),
    "capability": Fault("capability-added", at(f"{CONTAINER} securityContext capabilities add", ["CHOWN"])),
    "capabilities-not-dropped": Fault("capabilities-kept", without(f"{CONTAINER} securityContext capabilities")),
    "some-capabilities-dropped": Fault(
        "capabilities-kept", at(f"{DOCTOR} securityContext capabilities drop", ["NET_RAW"])
    ),
    "escalation": Fault("escalation-allowed", without(f"{CONTAINER} securityContext allowPrivilegeEscalation")),
    "escalation-of-a-container-that-starts-first": Fault(
        "escalation-allowed",
        at(f"{POD} initContainers name=look securityContext allowPrivilegeEscalation", True),
        EXTRA,
    ),
    "root-allowed": Fault("may-run-as-root", without(f"{POD} securityContext runAsNonRoot")),
    "root-allowed-to-a-container": Fault("may-run-as-root", at(f"{CONTAINER} securityContext runAsNonRoot", False)),
    "root": Fault("runs-as-root", at(f"{POD} securityContext runAsUser", 0)),
    "root-in-a-container": Fault("runs-as-root", at(f"{DOCTOR} securityContext runAsUser", 0)),
    "folder-of-the-node": Fault(
        "volume-type", at(f"{POD} volumes name=tmp", {"name": "tmp", "hostPath": {"path": "/"}})
    ),
    "no-apparmor": Fault("apparmor", at(f"{POD} securityContext appArmorProfile", {"type": "Unconfined"})),
    "no-apparmor-by-annotation": Fault(
        "apparmor",
        at("Pod metadata annotations container.apparmor.security.beta.kubernetes.io/doctor", "unconfined"),
    ),
    "selinux-type": Fault("selinux", at(f"{CONTAINER} securityContext seLinuxOptions", {"type": "spc_t"})),
    "selinux-role": Fault("selinux", at(f"{POD} securityContext seLinuxOptions", {"role": "sysadm_r"})),
    "bare-proc": Fault("proc-mount", at(f"{CONTAINER} securityContext procMount", "Unmasked")),
    "no-seccomp": Fault("seccomp", without(f"{POD} securityContext seccompProfile")),
    "no-seccomp-in-a-container": Fault(
        "seccomp", at(f"{CONTAINER} securityContext seccompProfile", {"type": "Unconfined"})
    ),
    "sysctl": Fault("sysctl", at(f"{POD} securityContext sysctls", [{"name": "kernel.msgmax", "value": "1"}])),
    "root-that-is-written": Fault("root-writable", without(f"{CONTAINER} securityContext readOnlyRootFilesystem")),
    "api-token": Fault("api-token-mounted", without(f"{POD} automountServiceAccountToken")),
    "api-token-of-the-test-pod": Fault("api-token-mounted", at("Pod spec automountServiceAccountToken", True)),
    "variables-of-services": Fault("service-links", without(f"{POD} enableServiceLinks")),
}
