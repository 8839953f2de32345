"""Pod Security: the profile `restricted` as Kubernetes 1.37 defines it, with `baseline`, which it contains.

No API server of a test needs to be asked: the rules are a list of fields, and this is that list. What goes beyond the
profile comes last.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chart.findings import Finding
from tests.chart.manifests import Manifest, PodTemplate, pod_templates
from tests.chart.ports import handlers

_VOLUME_TYPES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_SELINUX_TYPES = {None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP = ("RuntimeDefault", "Localhost")
_SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}  # fmt: skip


def check_pod_security(manifests: Sequence[Manifest]) -> Iterator[Finding]:
    """Every rule, for every container of every pod."""
    for template in pod_templates(manifests):
        yield from _pod(template)
        of_pod = template.spec.get("securityContext") or {}
        for where, container in template.containers:
            own = container.get("securityContext") or {}
            yield from _container(where, container, own)
            yield from _inherited(where, own, of_pod)


def _pod(template: PodTemplate) -> Iterator[Finding]:
    where, spec = template.owner, template.spec
    context = spec.get("securityContext") or {}
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield Finding("host-namespace", where, field)
    for volume in spec.get("volumes") or []:
        # A volume without a type is an emptyDir.
        kinds = set(volume) - {"name"}
        for kind in kinds - _VOLUME_TYPES:
            yield Finding("volume-type", f"{where} volumes/{volume.get('name')}", kind)
    for sysctl in context.get("sysctls") or []:
        if sysctl.get("name") not in _SAFE_SYSCTLS:
            yield Finding("sysctl", where, str(sysctl.get("name")))
    for key, value in template.annotations.items():
        if key.startswith(_APPARMOR) and not (value == "runtime/default" or value.startswith("localhost/")):
            yield Finding("apparmor", where, f"{key}: {value}")
    yield from _both(where, context)
    # Beyond the profile
    if spec.get("automountServiceAccountToken") is not False:
        yield Finding("api-token-mounted", where)
    if spec.get("enableServiceLinks") is not False:
        yield Finding("service-links", where)


def _both(where: str, context: Mapping[str, Any]) -> Iterator[Finding]:
    """What a pod says for all its containers, and a container for itself."""
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield Finding("host-process", where)
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield Finding("selinux", where, str(selinux))
    apparmor = (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault")
    if apparmor not in ("RuntimeDefault", "Localhost"):
        yield Finding("apparmor", where, apparmor)
    if context.get("runAsUser") == 0:
        yield Finding("runs-as-root", where)


def _container(where: str, container: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _both(where, context)
    if context.get("privileged"):
        yield Finding("privileged", where)
    capabilities = context.get("capabilities") or {}
    for capability in capabilities.get("add") or []:
        if capability != "NET_BIND_SERVICE":
            yield Finding("capability-added", where, capability)
    if "ALL" not in (capabilities.get("drop") or []):
        yield Finding("capabilities-kept", where)
    if context.get("allowPrivilegeEscalation") is not False:
        yield Finding("escalation-allowed", where)
    if context.get("procMount", "Default") != "Default":
        yield Finding("proc-mount", where, context["procMount"])
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield Finding("host-port", where, str(port["hostPort"]))
    for name, handler in handlers(container):
        for kind in ("httpGet", "tcpSocket"):
            if (handler.get(kind) or {}).get("host"):
                yield Finding("host-of-handler", f"{where} {name}", handler[kind]["host"])
    # Beyond the profile
    if context.get("readOnlyRootFilesystem") is not True:
        yield Finding("root-writable", where)


def _inherited(where: str, own: Mapping[str, Any], of_pod: Mapping[str, Any]) -> Iterator[Finding]:
    """What a container says counts before what its pod says."""
    if own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        yield Finding("may-run-as-root", where)
    profile = own.get("seccompProfile", of_pod.get("seccompProfile")) or {}
    if profile.get("type") not in _SECCOMP:
        yield Finding("seccomp", where, str(profile.get("type")))
