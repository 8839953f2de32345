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
from dataclasses import dataclass

from ngshare_fs.file_systems.mounted import file_system_of
from ngshare_fs.file_systems.several_machines import is_local
from ngshare_fs.store.errors import LockLost, VolumeError
from ngshare_fs.store.format import layout
from ngshare_fs.store.format.volume_file import VolumeFile
from ngshare_fs.store.migrations import table
from ngshare_fs.store.migrations.migration import InTheWay, Migration
from ngshare_fs.store.migrations.present_layout import check_layout
from ngshare_fs.store.migrations.workplace import Workplace
from ngshare_fs.store.writing.flushers import flusher_for
from ngshare_fs.store.writing.last_check import LastCheck
from ngshare_fs.store.writing.locks import held_for_long
from ngshare_fs.store.writing.staging import Staging

logger = logging.getLogger(__name__)

LOCK_FILE = "upgrade.lock"
# A program of the old layout that read `ngshare.yaml` just before it was marked holds its lock by then.
SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class LayoutState:
    """Which layouts there are, and where a volume stands.

    Args:
        volume_file: what its `ngshare.yaml` says.
    """

    volume_file: VolumeFile

    @property
    def present(self) -> int:
        """The layout that this program works on."""
        return layout.LAYOUT

    @property
    def known(self) -> tuple[Migration, ...]:
        """All migrations."""
        return table.MIGRATIONS

    @property
    def layout(self) -> int:
        """The layout that the volume has, or had before the upgrade that is under way."""
        before = self.volume_file.upgrading_from
        return self.volume_file.layout if before is None else before

    @property
    def steps(self) -> list[Migration]:
        """The migrations that it still needs; the first of them may have begun."""
        return [migration for migration in self.known if migration.to > self.layout]

    def has_begun(self, step: Migration) -> bool:
        """Whether a migration was cut off."""
        return self.volume_file.upgrading_from is not None and self.volume_file.layout == step.to

    def of(self, number: int) -> str:
        """What the volume has to do with a layout, in a word or two."""
        if number > self.layout:
            return "cut off" if self.volume_file.layout == number else "to come"
        return "the volume's" if number == self.layout else "left behind"


def layout_state(root: str) -> LayoutState:
    """Where a volume stands.

    Raises:
        VolumeError: it is none that this program knows.
        OSError: it cannot be looked at.
    """
    file = os.path.join(root, layout.VOLUME_FILE)
    try:
        return LayoutState(check_layout(file))
    except FileNotFoundError:
        raise VolumeError(f"{root} is no volume: it has no {layout.VOLUME_FILE}") from None


def check_step(root: str, step: Migration, own: str = "") -> None:
    """Look whether a migration could be made now; changes nothing.

    Args:
        own: the name of this process's staging folder, if it has one.

    Raises:
        VolumeError: something is in the way.
    """
    try:
        step.check(root)
    except InTheWay as problem:
        raise VolumeError(f"{root} cannot be upgraded to layout {step.to}: {problem}") from None
    _check_alone(root, own)


def upgrade(root: str) -> None:
    """Bring a volume to the present layout; where another process is at it, wait until that has done it.

    Raises:
        VolumeError: something is in the way, or others use the volume.
        OSError: the disk fails or is full; what is begun is gone on with the next time.
    """
    # A lock of its own, without an end of patience: a large volume may take minutes. It ends with its holder.
    lock_file = os.path.join(root, layout.LOCKS, LOCK_FILE)
    try:
        with held_for_long(lock_file, can_be_lost=not is_local(file_system_of(root))) as still_locked:
            state = layout_state(root)
            if not state.steps:
                return
            with _own_staging(root) as staging:
                for step in state.steps:
                    _make(root, staging, step, state.has_begun(step), still_locked)
    except LockLost as error:
        raise VolumeError(
            f"{root}: {error}: another machine may go on with the upgrade; start this again, to go on with it as well"
        ) from error


def upgrade_copy(root: str, accepts_damage: bool) -> None:
    """Bring a copy that nobody else knows, such as an unpacked archive, to the present layout.

    Args:
        accepts_damage: whether that is done although something is in the way.

    Raises:
        VolumeError: something is in the way.
        OSError: the disk fails or is full.
    """
    os.makedirs(os.path.join(root, layout.LOCKS))
    os.makedirs(os.path.join(root, layout.STAGING))
    flusher = flusher_for(root)
    try:
        with _own_staging(root) as staging:
            for step in layout_state(root).steps:
                try:
                    step.check(root)
                except InTheWay as problem:
                    if not accepts_damage:
                        text = str(problem).replace(root + os.sep, "")
                        raise VolumeError(f"it cannot be brought to layout {step.to}: {text}") from None
                place = Workplace(root, flusher, staging, step.to - 1)
                step.apply(place)
                place.write_unkept(layout.VOLUME_FILE, VolumeFile(step.to).to_yaml())
    finally:
        flusher.close()


def _make(root: str, staging: Staging, step: Migration, has_begun: bool, still_locked: LastCheck) -> None:
    flusher = flusher_for(root)
    try:
        place = Workplace(root, flusher, staging, step.to - 1, still_locked)
        if has_begun:
            _check_alone(root, staging.name)
        else:
            check_step(root, step, staging.name)
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
