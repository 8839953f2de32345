"""The commands of a node's daemons; paths are those that the node sees."""

from pathlib import Path

from tools.kubernetes.api import ADDRESS, PORT
from tools.kubernetes.folder_volumes import NODE
from tools.kubernetes.images import PAUSE, SOCKET
from tools.kubernetes.node_folder import KUBECONFIG, SEEN_INSIDE
from tools.kubernetes.requirements import PLUG_INS
from tools.kubernetes.service_names import DOMAIN

SERVICES = "10.97.0.0/24"
PODS = "10.98.0.0/22"
CERTIFICATES = SEEN_INSIDE / "certificates"
AUTHORITY = CERTIFICATES / "apiserver.crt"
SERVICE_ACCOUNT_KEY = CERTIFICATES / "service-accounts.key"
TOKENS = CERTIFICATES / "tokens.csv"
CONTAINERD_CONFIG = SEEN_INSIDE / "containerd.toml"
NETWORKS = SEEN_INSIDE / "networks"
RESOLV_CONF = SEEN_INSIDE / "resolv.conf"
ETCD = "http://127.0.0.1:2379"

CONTAINERD = f"""version = 2
root = "{SEEN_INSIDE}/containerd"
state = "/run/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt",
]
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{PLUG_INS}"
    conf_dir = "{NETWORKS}"
"""

NETWORK = f"""{{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {{"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {{"type": "host-local", "dataDir": "/run/addresses", "ranges": [[{{"subnet": "{PODS}"}}]],
            "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
"""


def kubeconfig(token: str, authority: Path) -> str:
    """Return the configuration of clients.

    Args:
        token: of an administrator.
        authority: where the client finds the certificate that the API server's is signed by.
    """
    return f"""apiVersion: v1
kind: Config
clusters: [{{name: node, cluster: {{server: "https://{ADDRESS}:{PORT}", certificate-authority: "{authority}"}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: node, context: {{cluster: node, user: admin, namespace: default}}}}]
current-context: node
"""


def etcd() -> list[str]:
    """Return the command of the data base; what it keeps need not outlive a power cut."""
    return [
        "etcd",
        f"--data-dir={SEEN_INSIDE}/etcd",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--log-level=error",
        "--unsafe-no-fsync",
    ]


def apiserver(binaries: Path) -> list[str]:
    """Return the command of the API server."""
    return [
        str(binaries / "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        f"--bind-address={ADDRESS}",
        f"--advertise-address={ADDRESS}",
        f"--secure-port={PORT}",
        f"--cert-dir={CERTIFICATES}",
        f"--token-auth-file={TOKENS}",
        "--authorization-mode=RBAC",
        f"--service-account-key-file={SERVICE_ACCOUNT_KEY}",
        f"--service-account-signing-key-file={SERVICE_ACCOUNT_KEY}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICES}",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
    ]


def controllers(binaries: Path) -> list[str]:
    """Return the command of the controllers."""
    return [
        str(binaries / "kube-controller-manager"),
        f"--kubeconfig={SEEN_INSIDE}/{KUBECONFIG}.inside",
        f"--service-account-private-key-file={SERVICE_ACCOUNT_KEY}",
        f"--root-ca-file={AUTHORITY}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--port=0",
        "--secure-port=0",
        "--controllers=*,-bootstrapsigner,-tokencleaner",
    ]


def scheduler(binaries: Path) -> list[str]:
    """Return the command of the scheduler."""
    return [
        str(binaries / "kube-scheduler"),
        f"--kubeconfig={SEEN_INSIDE}/{KUBECONFIG}.inside",
        "--leader-elect=false",
        "--port=0",
        "--secure-port=0",
    ]


def containerd() -> list[str]:
    """Return the command of what runs containers."""
    return ["containerd", "--config", str(CONTAINERD_CONFIG)]


def kubelet(binaries: Path) -> list[str]:
    """Return the command of the kubelet: it asks nobody's leave, since only the node's own network reaches it."""
    return [
        str(binaries / "kubelet"),
        f"--kubeconfig={SEEN_INSIDE}/{KUBECONFIG}.inside",
        "--container-runtime=remote",
        f"--container-runtime-endpoint=unix://{SOCKET}",
        "--cgroup-driver=cgroupfs",
        "--cgroups-per-qos=false",
        "--enforce-node-allocatable=",
        "--fail-swap-on=false",
        f"--hostname-override={NODE}",
        f"--node-ip={ADDRESS}",
        f"--root-dir={SEEN_INSIDE}/kubelet",
        f"--cert-dir={SEEN_INSIDE}/kubelet/pki",
        f"--cluster-dns={ADDRESS}",
        f"--cluster-domain={DOMAIN}",
        f"--address={ADDRESS}",
        "--healthz-port=0",
        "--anonymous-auth=true",
        "--authorization-mode=AlwaysAllow",
        "--oom-score-adj=0",
        "--image-gc-high-threshold=100",
        "--eviction-hard=",
        f"--resolv-conf={RESOLV_CONF}",
        f"--pod-infra-container-image={PAUSE}",
        "--registry-qps=0",
        "--event-qps=0",
        "--node-status-update-frequency=2s",
    ]


def proxy(binaries: Path) -> list[str]:
    """Return the command of what makes Services reachable; it leaves the machine's limits on connections alone."""
    return [
        str(binaries / "kube-proxy"),
        f"--kubeconfig={SEEN_INSIDE}/{KUBECONFIG}.inside",
        f"--hostname-override={NODE}",
        "--proxy-mode=iptables",
        f"--cluster-cidr={PODS}",
        "--conntrack-max-per-core=0",
        "--conntrack-min=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
        "--healthz-bind-address=127.0.0.1:10256",
        "--metrics-bind-address=127.0.0.1:10249",
        "--oom-score-adj=0",
    ]
