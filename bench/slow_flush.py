"""A disk whose every flush takes longer: a library of some C, compiled on first use and loaded before all others."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.others.ngshare_reference import cache

SOURCE = Path(__file__).with_name("slow_flush.c")


class NoCompiler(Exception):
    """There is no C compiler; the message says what to install."""


def library() -> Path:
    """The compiled library, kept in the cache.

    Raises:
        NoCompiler: see there.
    """
    compiled = cache().absolute() / f"slow_flush-{hashlib.md5(SOURCE.read_bytes()).hexdigest()[:12]}.so"
    if compiled.exists():
        return compiled
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoCompiler("the slow disk needs a C compiler; on Debian and Ubuntu: apt-get install gcc libc6-dev")
    compiled.parent.mkdir(parents=True, exist_ok=True)
    unfinished = compiled.with_suffix(f".{os.getpid()}")
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(unfinished), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise NoCompiler(f"{' '.join(command)}:\n{done.stderr}on Debian and Ubuntu: apt-get install gcc libc6-dev")
    unfinished.rename(compiled)
    return compiled


def environment(milliseconds: float) -> dict[str, str]:
    """What a process needs in its environment so that each of its flushes takes this much longer."""
    return {"LD_PRELOAD": str(library()), "FLUSH_DELAY_MICROSECONDS": str(int(milliseconds * 1000))}
