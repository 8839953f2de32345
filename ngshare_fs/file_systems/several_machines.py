"""What is known of file systems: whether servers on several machines may share a volume there.

What was tried and what is known from documentation alone is in docs/shared-volumes.md.
"""

from dataclasses import dataclass

from ngshare_fs.file_systems.mounted import TAKES_LOST_LOCKS, FileSystem

# Of one machine at a time, as a rule on a disk. Processes of one machine see the same at once.
LOCAL = frozenset(
    (
        "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "nilfs2", "ntfs3", "overlay", "ramfs",
        "reiserfs", "tmpfs", "vfat", "xfs", "zfs",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What is known of a type of file system.

    Args:
        needs: an option without which a machine does not see at once what another one has written.
        or_all_of: options that do the same together.
        forbids: options with which locks hold on one machine only, or seem to hold when they were lost.
        unseen: what else it has to be told, which no machine is shown.
        never: why servers on several machines never agree; empty where they may.
        alone: whether one server can have its volume there.
    """

    needs: str = ""
    or_all_of: frozenset[str] = frozenset()
    forbids: tuple[str, ...] = ()
    unseen: str = ""
    never: str = ""
    alone: bool = True


_OBJECT_STORES = (
    "fuse.s3fs", "fuse.gcsfuse", "fuse.goofys", "fuse.geesefs", "fuse.rclone", "fuse.blobfuse", "fuse.blobfuse2",
    "fuse.mountpoint-s3",
)  # fmt: skip
_OBJECT_STORE = Known(never="an object store has no locks, and no rename in one step", alone=False)
_SMB = Known(never="machines see each other's changes late on SMB, whatever the options")

KNOWN = {
    # `noac` and `actimeo=0` are shown as these numbers; to keep no names costs half of what they do.
    "nfs4": Known(
        "lookupcache=none",
        frozenset(("acregmax=0", "acdirmax=0")),
        ("local_lock=flock", "local_lock=all", TAKES_LOST_LOCKS),
    ),
    "nfs": Known(
        never="NFSv3 leaves locks to another service, and may take a rename that was done for one that failed"
    ),
    "ceph": Known(),
    "fuse.ceph-fuse": Known(),
    "fuse.glusterfs": Known(
        unseen="the mount options attribute-timeout=0,entry-timeout=0, and of the volume "
        "performance.stat-prefetch off, performance.open-behind off and client.strict-locks on"
    ),
    "cifs": _SMB,
    "smb3": _SMB,
    "9p": Known(never="locks of 9p hold on one machine only"),
    **dict.fromkeys(_OBJECT_STORES, _OBJECT_STORE),
    "fuse.sshfs": Known(never="sshfs has no locks between machines"),
}

_ALONE = "one server alone, whatever its --workers, needs nothing of that"
_PAGE = "see docs/shared-volumes.md"


@dataclass(frozen=True)
class Sharing:
    """Whether servers on several machines may share a volume.

    Args:
        may: None where nobody can tell.
        why: what is known, in one line.
        remedy: what to do before several share it; empty where nothing has to be done.
    """

    may: bool | None
    why: str
    remedy: str = ""


def sharing_of(mounted: FileSystem) -> Sharing:
    """Whether servers on several machines may share a volume on a mounted file system."""
    if mounted.kind in LOCAL:
        return Sharing(True, "seen by one machine")
    # Some programs do not give a type of their own, only their name in place of a device.
    known = KNOWN.get(f"fuse.{mounted.source}" if mounted.kind == "fuse" else mounted.kind)
    if known is None:
        return Sharing(None, "nobody has tried whether servers on several machines agree there", f"{_PAGE}; {_ALONE}")
    if known.never:
        why = f"servers on several machines would not agree there: {known.never}"
        other = f"use another file system ({_PAGE})"
        alone = f"let one server serve it, with as many --workers as you like, or {other}"
        return Sharing(False, why, alone if known.alone else f"{other}; not even one server's work is safe there")
    has_others = bool(known.or_all_of) and known.or_all_of <= mounted.options
    missing = "" if known.needs in mounted.options or has_others else known.needs
    spoiling = ",".join(option for option in known.forbids if option in mounted.options)
    if missing or spoiling:
        how = " and ".join(filter(None, (missing and f"without {missing}", spoiling and f"with {spoiling}")))
        why = f"servers on several machines would not agree there: it is mounted {how}"
        remedy = f"mount it {'with ' + missing if missing else 'without ' + spoiling}"
        return Sharing(False, why, f"{remedy} before several serve it ({_PAGE}); {_ALONE}")
    if known.unseen:
        why = "servers on several machines agree there with options that cannot be seen from here"
        return Sharing(None, why, f"it needs {known.unseen} ({_PAGE}); {_ALONE}")
    return Sharing(True, "servers on several machines may share it")


def is_local(mounted: FileSystem) -> bool:
    """Whether no other machine can change anything there; a file system that nobody knows is taken for a shared one."""
    return mounted.kind in LOCAL
