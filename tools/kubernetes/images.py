"""Images: the one that every pod needs, and those that are loaded from files."""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

from tools.kubernetes.failure import Failure

PAUSE = "localhost/pause:1"
SOCKET = "/run/node/containerd.sock"


def make_pause(file: Path) -> None:
    """Compile pause.c, and write an image of it as `docker save` would.

    Raises:
        Failure: it does not compile.
    """
    source = Path(__file__).with_name("pause.c")
    program = file.with_suffix(".program")
    ran = subprocess.run(["cc", "-static", "-Os", "-s", "-o", program, source], capture_output=True, text=True)
    if ran.returncode:
        raise Failure(f"{source} does not compile: {ran.stderr.strip()}")
    layer = _tar({"pause": (program.read_bytes(), 0o755)})
    configuration = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/pause"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        }
    ).encode()
    name = hashlib.sha256(configuration).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [PAUSE], "Layers": ["layer.tar"]}]).encode()
    parts = {"manifest.json": manifest, name: configuration, "layer.tar": layer}
    file.write_bytes(_tar({path: (content, 0o644) for path, content in parts.items()}))
    program.unlink()


def load_command(file: Path) -> list[str]:
    """Return the command that loads a file of `podman save`, to be run inside a node."""
    return ["ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "import", str(file)]


def list_command() -> list[str]:
    """Return the command that lists the images of a node, to be run inside."""
    return ["ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "list", "-q"]


def _tar(files: dict[str, tuple[bytes, int]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, (content, mode) in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
