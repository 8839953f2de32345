"""The command: see README.md."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.kubernetes import binaries, control_groups, images, requirements
from tools.kubernetes.failure import Failure
from tools.kubernetes.node_folder import REPOSITORY, NodeFolder, binaries_folder, cache

START_SECONDS = 180
END_SECONDS = 20


def main() -> int:
    """Return the exit code."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.action(arguments) or 0)
    except Failure as failure:
        print(f"node: {failure}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tools/kubernetes/node", description="A Kubernetes node on this machine.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def add(name: str, action: object, text: str, has_folder: bool = True) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=text, description=text)
        added.set_defaults(action=action)
        if has_folder:
            added.add_argument("--folder", type=Path, help="of the node (default: `node` in the cache)")
        return added

    add("install", _install, "install the Debian packages that are missing (root)", has_folder=False)
    add("build", _build, "build Kubernetes, unless it is there", has_folder=False)
    up = add("up", _up, "start a node, and wait until it is ready")
    up.add_argument("--until-end-of", type=int, metavar="PID", help="the node ends with this process")
    up.add_argument("images", nargs="*", type=Path, help="files of `podman save` to load")
    run = add("run", _run, "run a command in the node's network, with helm, kubectl and KUBECONFIG")
    run.add_argument("command", nargs=argparse.REMAINDER)
    inside = add("inside", _inside, "run a command with the node's processes, mounts and network (ctr, pgrep, …)")
    inside.add_argument("command", nargs=argparse.REMAINDER)
    load = add("images", _images, "load images, or list those that are there")
    load.add_argument("images", nargs="*", type=Path, help="files of `podman save`")
    add("down", _down, "end a node, and remove all that it kept")
    return parser


def _folder(arguments: argparse.Namespace) -> NodeFolder:
    return NodeFolder(arguments.folder or cache() / "node")


def _install(_: argparse.Namespace) -> None:
    requirements.install(requirements.missing_packages({**requirements.TO_BUILD, **requirements.TO_RUN}))


def _build(_: argparse.Namespace) -> None:
    target = binaries_folder()
    binaries.build(target)
    print(target)


def _up(arguments: argparse.Namespace) -> None:
    requirements.require_machine()
    requirements.require(requirements.TO_RUN)
    target = binaries_folder()
    binaries.check(target)
    folder = _folder(arguments)
    folder.make()
    lock = folder.acquire()
    _remove_state(folder)
    folder.make()
    owner = -1
    if arguments.until_end_of is not None:
        try:
            owner = os.pidfd_open(arguments.until_end_of)
        except OSError as error:
            raise Failure(f"process {arguments.until_end_of}: {error.strerror}") from None
    reading, report = os.pipe()
    command = [
        *("unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--"),
        *(sys.executable, "-m", "tools.kubernetes.inside"),
        *(str(folder.path), str(target), str(lock), str(report), str(owner)),
    ]
    environment = {**os.environ, "PATH": requirements.search_path()}
    with open(folder.logs / "node", "wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            cwd=REPOSITORY,
            pass_fds=[number for number in (lock, report, owner) if number >= 0],
            start_new_session=True,  # neither Ctrl-C nor the end of a terminal ends the node
            preexec_fn=lambda: control_groups.enter(folder.control_group),
        )
    for number in (lock, report):
        os.close(number)
    try:
        with open(reading, encoding="utf-8", errors="replace") as answer:
            said = answer.readline().strip()  # nothing if all who could write it have ended
        if said != "ready":
            raise Failure(f"the node does not come up: {said or 'it was killed'}\n{folder.log_tails()}")
        for file in arguments.images:
            _load(folder, file)
    except BaseException:
        process.kill()
        _end(folder)
        raise
    print(folder.path)


def _run(arguments: argparse.Namespace) -> None:
    folder = _folder(arguments)
    environment = {
        **os.environ,
        "KUBECONFIG": str(folder.kubeconfig),
        "PATH": os.pathsep.join([_clients(), requirements.search_path()]),
    }
    _enter(folder, ["--net"], _command(arguments), environment)


def _inside(arguments: argparse.Namespace) -> None:
    environment = {**os.environ, "PATH": requirements.search_path(), "CONTAINERD_ADDRESS": images.SOCKET}
    _enter(_folder(arguments), ["--all"], _command(arguments), environment)


def _images(arguments: argparse.Namespace) -> None:
    folder = _folder(arguments)
    for file in arguments.images:
        _load(folder, file)
    if not arguments.images:
        _enter(folder, ["--all"], images.list_command(), {**os.environ, "PATH": requirements.search_path()})


def _down(arguments: argparse.Namespace) -> None:
    folder = _folder(arguments)
    if folder.exists:
        _end(folder)
        _remove_state(folder)
        shutil.rmtree(folder.path)


def _load(folder: NodeFolder, file: Path) -> None:
    if not file.is_file():
        raise Failure(f"{file}: no such file; `podman save --output {file} IMAGE` writes one")
    enter = ["nsenter", "--target", str(folder.process()), "--all", "--"]
    command = [*enter, *images.load_command(file.absolute())]
    ran = subprocess.run(
        command, env={**os.environ, "PATH": requirements.search_path()}, capture_output=True, text=True
    )
    if ran.returncode:
        raise Failure(f"{file} cannot be loaded: {ran.stderr.strip()}")


def _end(folder: NodeFolder) -> None:
    """End a node that may be in any state: once its process 1 is killed, the kernel ends the rest."""
    if folder.runs:
        os.kill(folder.process(), 9)
        folder.wait_until_ended(END_SECONDS)


def _remove_state(folder: NodeFolder) -> None:
    """Remove what a node has left, but for the folder and its lock.

    Raises:
        Failure: something is mounted in it; nothing is removed then.
    """
    control_groups.remove(folder.control_group)
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if inside := [path for path in mounted if Path(path).is_relative_to(folder.path.resolve())]:
        raise Failure(f"{inside[0]} is mounted, and not by a node; unmount it first")
    for entry in folder.path.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _clients() -> str:
    """Return the folder of helm 4 and kubectl."""
    ran = subprocess.run([sys.executable, REPOSITORY / "tools/helm.py", "4"], stdout=subprocess.PIPE, text=True)
    if ran.returncode:
        raise Failure("no helm and no kubectl; tools/helm.py says above what to do")
    return ran.stdout.strip()


def _command(arguments: argparse.Namespace) -> list[str]:
    command: list[str] = arguments.command
    command = command[1:] if command[:1] == ["--"] else command
    return command or [os.environ.get("SHELL", "/bin/sh")]


def _enter(folder: NodeFolder, namespaces: list[str], command: list[str], environment: dict[str, str]) -> None:
    """Become the command; from here on, its exit code is ours."""
    words = ["nsenter", "--target", str(folder.process()), *namespaces, f"--wd={os.getcwd()}", "--", *command]
    os.execvpe(words[0], words, environment)
