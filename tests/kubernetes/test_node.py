"""The node itself: nothing of it outlives those who wanted it, and nothing of it is left."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

from tests.kubernetes.node import COMMAND, Node, run
from tests.waiting import until


def processes_of(folder: Path) -> list[str]:
    """Return the processes that have to do with a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and "pytest" not in command:
            found.append(f"{process.name} {command}")
    return found


def test_a_node_outlives_who_typed_up_and_ends_with_whom_it_was_for(node: Node, tmp_path: Path) -> None:
    folder = tmp_path / "another"
    owner = subprocess.Popen(["sleep", "infinity"])
    try:
        up = subprocess.Popen([COMMAND, "up", "--folder", str(folder), "--until-end-of", str(owner.pid)])
        until(lambda: (folder / "kubeconfig").exists() or up.poll() is not None, "the node starts")
        up.kill()
        up.wait()
        until(lambda: is_ready(folder), "the node gets ready though its command was killed")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        until(lambda: not processes_of(folder), "the node ends with its owner")
    finally:
        owner.kill()
        owner.wait()
        run([COMMAND, "down", "--folder", str(folder)])
    assert not folder.exists()
    assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line]
    assert not control_groups(folder)
    assert control_groups(node.folder), "the node of the other tests still runs"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = subprocess.run([COMMAND, "up", "--folder", str(tmp_path)], capture_output=True, text=True)
    assert refused.returncode == 1
    assert "has other things in it" in refused.stderr
    run([COMMAND, "down", "--folder", str(tmp_path)])
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def is_ready(folder: Path) -> bool:
    """Return whether a node that is starting is ready."""
    asked = [COMMAND, "run", "--folder", str(folder), "kubectl", "get", "nodes"]
    return " Ready " in subprocess.run(asked, capture_output=True, text=True).stdout


def control_groups(folder: Path) -> list[Path]:
    """Return the control groups of a node."""
    name = "ngshare-fs-node-" + hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return list(Path("/sys/fs/cgroup").glob(f"*/{name}"))
