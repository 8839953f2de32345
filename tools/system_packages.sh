#!/bin/sh
# Installs the Debian packages that the slow tests use; without them, those tests skip. Needs root, and apt-get.
#   glusterfs-server, iproute2, ceph-*: volumes that several machines share
#   user-mode-linux, kmod, nfs-kernel-server, nfs-common: the same by NFS, in a kernel that is a process
#   xfsprogs: power cuts on XFS     strace: faults
#   chromium, chromium-headless-shell: the browser that signs in at a hub     podman, runc, mmdebstrap: the image, built and run
#   rsync, restic: backups under load
#   prometheus: a real scrape, the alerts            systemd: the unit of examples/systemd
set -eu

missing=""
for pair in glusterd:glusterfs-server ip:iproute2 linux.uml:user-mode-linux modprobe:kmod rpc.nfsd:nfs-kernel-server \
    mount.nfs:nfs-common ceph:ceph-common ceph-mon:ceph-mon ceph-osd:ceph-osd ceph-mds:ceph-mds \
    ceph-fuse:ceph-fuse mkfs.xfs:xfsprogs strace:strace chromium:chromium chromium-headless-shell:chromium-headless-shell \
    podman:podman runc:runc mmdebstrap:mmdebstrap rsync:rsync restic:restic promtool:prometheus \
    systemd-analyze:systemd; do
    PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "missing:$missing; root can install them where there is apt-get" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # one word for each package
apt-get install -qq -y --no-install-recommends $missing >/dev/null
