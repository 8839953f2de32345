"""Kills a command before each of the steps by which it changes a volume, each time on a copy of its own.

`python -m tests.killed_steps TEMPLATE COPIES MODULE STRIDE WORDS…` runs the command WORDS, after calling `prepare` of
MODULE (`-` for none), on copies of TEMPLATE: COPIES/1 is what the first kill left, and so on. The last went through.
"""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from ngshare_fs.command.main import main
from tests.rounds import rounds

_CHANGES = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.link")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_DEVICE = re.compile("/dev/(?!shm/)")
_KILLED = 99


def copies_after_kills(template: Path, copies: Path, *words: str, module: str = "-") -> list[Path]:
    """What each kill left, in order; the last one is what the command leaves that nobody kills.

    In the short check only every fifth step is a kill.

    Args:
        template: the volume to begin with.
        copies: an empty folder.
        words: of the command, but for `--data`.
        module: with a function `prepare`, that is called first.
    """
    command = [
        sys.executable,
        "-m",
        "tests.killed_steps",
        str(template),
        str(copies),
        module,
        str(5 // rounds(5)),
        *words,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr
    return sorted(copies.iterdir(), key=lambda copy: int(copy.name))


def _run(words: list[str], step: int) -> None:
    left = step

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES
        if event in _CHANGES or (writes and not _DEVICE.match(str(arguments[0]))):
            left -= 1
            if left == 0:
                os._exit(_KILLED)

    sys.addaudithook(look)
    os._exit(main(words))


def _kill_everywhere(template: Path, copies: Path, module: str, stride: int, words: list[str]) -> None:
    if module != "-":
        importlib.import_module(module).prepare()
    for step in range(1, 1000, stride):
        shutil.copytree(template, copies / str(step), symlinks=True)
        child = os.fork()
        if child == 0:
            _run([*words, "--data", str(copies / str(step))], step)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != _KILLED:
            assert code == 0, f"exit code {code}"
            return
    raise AssertionError("it does not end")


if __name__ == "__main__":
    _kill_everywhere(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5:])
