"""What a folder lies on, and what is said where servers on several machines would not agree there."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ngshare_fs.file_systems.mounted import TAKES_LOST_LOCKS, FileSystem, file_system_of, mount_in
from ngshare_fs.file_systems.several_machines import KNOWN, LOCAL, is_local, sharing_of
from ngshare_fs.server.startup_message import announce
from ngshare_fs.settings import read_settings
from ngshare_fs.store.checking import volume_check

NFS = (
    "rw,sync,vers=4.2,rsize=262144,wsize=262144,namlen=255,acregmin=0,acregmax=0,acdirmin=0,acdirmax=0,hard,noac,"
    "proto=tcp,timeo=600,retrans=2,sec=sys,clientaddr=192.0.2.2,lookupcache=none,local_lock=none,addr=192.0.2.1"
)
MOUNTS = rf"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
46 27 0:39 / /var/lib/docker/overlay2/merged rw,relatime - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w
60 27 254:0 /srv/real /srv/bound rw,relatime shared:1 - ext4 /dev/vda rw,discard
61 27 0:50 / /srv/exchange rw,noatime shared:7 master:2 - nfs4 192.0.2.1:/ex\040change {NFS}
62 61 0:51 / /srv/exchange/inner\040one rw,relatime shared:8 - fuse.glusterfs 192.0.2.1:/volume rw,user_id=0
63 27 0:52 / /srv/a\134b\011c ro - cifs //server/sh\043are rw,vers=3.1.1,cache=strict,username=kevin
64 27 0:53 / /srv/nameless rw - tmpfs  rw,size=4k
""".strip()


def mounted(kind: str, options: str = "rw", source: str = "server:/exchange") -> FileSystem:
    return mount_in([f"1 0 0:1 / /srv rw,relatime - {kind} {source} {options}\n"], "1")


@pytest.mark.parametrize(
    ("number", "kind", "source", "option"),
    [
        ("27", "ext4", "/dev/vda", "discard"),
        ("46", "overlay", "overlay", "upperdir=/u"),
        ("60", "ext4", "/dev/vda", "relatime"),
        ("61", "nfs4", "192.0.2.1:/ex change", "lookupcache=none"),
        ("62", "fuse.glusterfs", "192.0.2.1:/volume", "relatime"),
        ("63", "cifs", "//server/sh#are", "ro"),
        ("64", "tmpfs", "", "size=4k"),
        ("6", "", "", ""),
    ],
)
def test_a_mount_is_understood(number: str, kind: str, source: str, option: str) -> None:
    found = mount_in(MOUNTS.splitlines(keepends=True), number)
    assert (found.kind, found.source) == (kind, source)
    assert not option or option in found.options


def test_a_folder_lies_on_what_is_mounted_there(tmp_path: Path) -> None:
    assert file_system_of("/proc").kind == "proc"
    (tmp_path / "link").symlink_to("/proc/self")
    assert file_system_of(str(tmp_path / "link")).kind == "proc"
    assert is_local(file_system_of(str(tmp_path)))
    with pytest.raises(FileNotFoundError):
        file_system_of(str(tmp_path / "none"))


# A mount below one that hides it has the longest mount point above the path, and is not where the path leads.
HIDDEN = """
set -e
mkdir -p {place}/below
mount -t tmpfs -o size=100k hidden {place}/below
mount -t tmpfs -o size=100k "over it" {place}
mkdir {place}/below {place}/bound
mount --bind {place}/below {place}/bound
exec {python} -c 'import sys
from ngshare_fs.file_systems.mounted import file_system_of
for path in sys.argv[1:]: print(file_system_of(path).source)' {place}/below {place}/bound {place}/..
"""


def test_mounts_that_are_hidden_are_passed_over(tmp_path: Path) -> None:
    apart = ["unshare", "--mount", "--propagation", "private"]
    if not shutil.which("unshare") or subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip("mounts of one's own are not allowed here")
    script = HIDDEN.format(place=tmp_path / "place", python=sys.executable)
    done = subprocess.run([*apart, "sh", "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["over it", "over it", file_system_of(str(tmp_path)).source]


@pytest.mark.parametrize("kind", sorted(LOCAL))
def test_what_one_machine_sees_needs_nothing(kind: str) -> None:
    sharing = sharing_of(mounted(kind))
    assert (sharing.may, sharing.remedy, is_local(mounted(kind))) == (True, "", True)


@pytest.mark.parametrize("kind", sorted(KNOWN))
def test_no_network_file_system_is_taken_for_a_local_one(kind: str) -> None:
    assert not is_local(mounted(kind))


@pytest.mark.parametrize(
    ("kind", "options", "may", "said"),
    [
        ("nfs4", NFS, True, "may share it"),
        ("nfs4", NFS.replace(",lookupcache=none", ""), True, "may share it"),
        ("nfs4", NFS.replace(",noac", "").replace(",lookupcache=none", ""), True, "may share it"),  # actimeo=0
        ("nfs4", "rw,vers=4.1,lookupcache=none,local_lock=none", True, "may share it"),
        ("nfs4", "rw,vers=4.1,lookupcache=pos,local_lock=none", False, "mounted without lookupcache=none"),
        ("nfs4", "rw,vers=4.1,acregmin=0,acregmax=0", False, "mounted without lookupcache=none"),
        ("nfs4", "rw,vers=4.1,nconnect=4,acregmin=30,acregmax=30", False, "mounted without lookupcache=none"),
        ("nfs4", NFS.replace("local_lock=none", "local_lock=all"), False, "mounted with local_lock=all"),
        ("nfs4", "rw,local_lock=flock", False, "without lookupcache=none and with local_lock=flock"),
        ("nfs4", f"{NFS},{TAKES_LOST_LOCKS}", False, "with nfs.recover_lost_locks=Y"),
        ("nfs", "rw,vers=3,nolock,local_lock=all", False, "NFSv3"),
        ("ceph", "rw,name=admin,secret=<hidden>,acl", True, "may share it"),
        ("fuse.ceph-fuse", "rw,user_id=0", True, "may share it"),
        ("fuse.glusterfs", "rw,user_id=0", None, "cannot be seen from here"),
        ("cifs", "rw,cache=none", False, "SMB"),
        ("9p", "rw,trans=virtio", False, "9p"),
        ("smb3", "rw,vers=3.1.1,cache=none,actimeo=0", False, "SMB"),
        ("fuse.sshfs", "rw,user_id=0", False, "no locks between machines"),
        ("fuse.s3fs", "rw", False, "object store"),
        ("fuse.gcsfuse", "rw,implicit_dirs", False, "object store"),
        ("fuse.rclone", "rw", False, "object store"),
        ("fuse", "rw,user_id=0", None, "nobody has tried"),
        ("fuse.unheard-of", "rw", None, "nobody has tried"),
    ],
)
def test_it_is_known_whether_servers_on_several_machines_agree(
    kind: str, options: str, may: bool | None, said: str
) -> None:
    sharing = sharing_of(mounted(kind, options))
    assert sharing.may is may
    assert said in sharing.why
    assert bool(sharing.remedy) is (may is not True)
    for line in (sharing.why, sharing.remedy):
        assert "\n" not in line


@pytest.mark.parametrize("program", ["mountpoint-s3", "blobfuse2"])
def test_a_program_that_gives_no_type_of_its_own_is_known_by_its_name(program: str) -> None:
    sharing = sharing_of(mounted("fuse", "rw,nosuid,user_id=0", program))
    assert sharing.may is False
    assert "object store" in sharing.why


@pytest.mark.parametrize("kind", [kind for kind, known in KNOWN.items() if known.never])
def test_one_server_is_offered_where_it_can_work(kind: str) -> None:
    remedy = sharing_of(mounted(kind)).remedy
    assert ("let one server serve it, with as many --workers" in remedy) is KNOWN[kind].alone
    assert "use another file system" in remedy


SHARED = mounted("nfs4", "rw,vers=4.2,local_lock=none", source=r"server:/ex\012change")


def test_the_doctor_says_what_it_is_and_what_to_do_before_a_second_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here,) = [found for found in volume_check.look_at_volume(tmp_path) if found.subject == "file system"]
    assert here.ok is True
    assert file_system_of(str(tmp_path)).kind in here.detail
    monkeypatch.setattr(volume_check, "file_system_of", lambda _: SHARED)
    (shared,) = [found for found in volume_check.look_at_volume(tmp_path) if found.subject == "file system"]
    assert shared.ok is None  # one server alone works
    assert r"nfs4 of server:/ex\nchange" in shared.detail
    assert "mount it with lookupcache=none before several serve it" in shared.remedy
    monkeypatch.setattr(volume_check, "file_system_of", lambda _: FileSystem())
    (unknown,) = [found for found in volume_check.look_at_volume(tmp_path) if found.subject == "file system"]
    assert unknown.ok is None


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_start_says_in_one_line_what_speaks_against_a_second_machine(
    log_format: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    settings = read_settings({"standalone": True, "log-format": log_format, "data": str(tmp_path)}, {})
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def said() -> list[str]:
            caplog.clear()
            announce(settings, listener)
            lines = [*capsys.readouterr().err.splitlines(), *caplog.messages]
            return [line for line in lines if "several machines" in line]

        assert said() == []
        monkeypatch.setattr("ngshare_fs.server.startup_message.file_system_of", lambda _: SHARED)
        (line,) = said()
        assert "would not agree there: it is mounted without lookupcache=none" in line
        assert "one server alone, whatever its --workers, needs nothing of that" in line
        monkeypatch.setattr("ngshare_fs.server.startup_message.file_system_of", lambda _: FileSystem("fuse.unheard-of"))
        assert said() == []
