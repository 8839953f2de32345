"""Brings a volume to the present layout, step by step, while nobody else uses it.

`ngshare.yaml` says from the first change to the last that an upgrade is under way, under the new number: an older
program refuses the volume from then on, and a newer one that finds it so after a crash goes on.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml
from ngshare_fs.store.errors import VolumeError
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout, volume_file
from ngshare_fs.store.format.volume_file import VolumeFile
from ngshare_fs.store.migrations import table
from ngshare_fs.store.migrations.migration import InTheWay, Migration
from ngshare_fs.store.migrations.workplace import Workplace
from ngshare_fs.store.writing.flushers import flusher_for
from ngshare_fs.store.writing.locks import lock_on
from ngshare_fs.store.writing.staging import Staging

logger = logging.getLogger(__name__)

LOCK_FILE = "upgrade.lock"
# A program of the old layout that read `ngshare.yaml` just before it was marked holds its lock by then.
SETTLE_SECONDS = 1.0


def present_state(root: str) -> VolumeFile:
    """What a volume's `ngshare.yaml` says.

    Raises:
        VolumeError: it is broken.
        OSError: it cannot be read.
    """
    file = os.path.join(root, layout.VOLUME_FILE)
    try:
        return yaml_text.parse(retry_on_estale(_read, file), file, volume_file.understand)
    except BrokenYaml as error:
        raise VolumeError(str(error)) from None


def steps_from(state: VolumeFile) -> list[Migration]:
    """The migrations that a volume still needs; the first of them may have begun."""
    done = state.layout if state.upgrading_from is None else state.upgrading_from
    return [migration for migration in table.MIGRATIONS if migration.to > done]


def check_next(root: str, steps: list[Migration]) -> None:
    """Look whether the first of the migrations could be made now; changes nothing.

    Raises:
        VolumeError: something is in the way.
    """
    try:
        steps[0].check(root)
    except InTheWay as problem:
        raise VolumeError(f"{root} cannot be upgraded to layout {steps[0].to}: {problem}") from None
    _check_alone(root, "")


def upgrade(root: str) -> None:
    """Bring a volume to the present layout; where another process is at it, wait until that has done it.

    Raises:
        VolumeError: something is in the way, or others use the volume.
        OSError: the disk fails or is full; what is begun is gone on with the next time.
    """
    # A lock of its own, without an end of patience: a large volume may take minutes. It ends with its holder.
    with lock_on(os.path.join(root, layout.LOCKS, LOCK_FILE)):
        state = present_state(root)
        steps = steps_from(state)
        if not steps:
            return
        with _own_staging(root) as staging:
            for step in steps:
                _make(root, staging, step, has_begun=state.upgrading_from == step.to - 1)


def _make(root: str, staging: Staging, step: Migration, has_begun: bool) -> None:
    flusher = flusher_for(root)
    try:
        place = Workplace(root, flusher, staging, step.to - 1)
        if not has_begun:
            check_next(root, [step])
        _check_alone(root, staging.name)
        if not has_begun:
            place.write_unkept(layout.VOLUME_FILE, VolumeFile(step.to, step.to - 1).to_yaml())
            time.sleep(SETTLE_SECONDS)
            try:
                _check_alone(root, staging.name)
            except VolumeError:
                place.write_unkept(layout.VOLUME_FILE, VolumeFile(step.to - 1).to_yaml())
                raise
        logger.warning("%s: upgrading to layout %d: %s", root, step.to, step.what)
        step.apply(place)
        place.write_unkept(layout.VOLUME_FILE, VolumeFile(step.to).to_yaml())
        logger.warning("%s: has layout %d now", root, step.to)
    finally:
        flusher.close()


@contextlib.contextmanager
def _own_staging(root: str) -> Iterator[Staging]:
    staging = Staging(os.path.join(root, layout.STAGING), os.path.join(root, layout.LOCKS))
    staging.begin()
    try:
        yield staging
    finally:
        staging.close()


def _check_alone(root: str, own: str) -> None:
    """Look whether any other process has the volume open: each holds a lock for as long as it lives.

    Raises:
        VolumeError: one does. It would go on writing by the rules of the old layout.
    """
    locks = os.path.join(root, layout.LOCKS)
    for name in sorted(os.listdir(locks)) if os.path.isdir(locks) else ():
        if name.startswith("process-") and name != f"{own}.lock" and _is_held(os.path.join(locks, name)):
            raise VolumeError(
                f"{root} is in use by another process, here or on another machine, that works by the rules of the old "
                f"layout ({layout.LOCKS}/{name}): stop all servers and commands on it, then upgrade it"
            )


def _is_held(lock_file: str) -> bool:
    try:
        # For reading, and shared: a look changes nothing.
        descriptor = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _read(file: str) -> bytes:
    with open(open_plain(file), "rb") as opened:
        return opened.read()
