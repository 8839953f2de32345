"""Which volume a command is about, and how it opens it: no server is needed, and running ones are not disturbed."""

import argparse
import contextlib
import os
import pwd
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ngshare_fs.settings import SettingsError
from ngshare_fs.settings.options import BY_NAME
from ngshare_fs.settings.values import understand
from ngshare_fs.store import Volume, VolumeError

DONE = 0
SOMETHING_LEFT = 1
WRONG_USE = 2


def add_data(parser: argparse.ArgumentParser) -> None:
    """Give the parser of a command the option that names the volume."""
    parser.add_argument("--data", metavar="DIR", help=f"the data folder (or {BY_NAME['data'].variable})")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Give it the option for scripts: one JSON document on the standard output, and nothing else there."""
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Give it the option that changes nothing."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def data_folder(given: argparse.Namespace) -> Path:
    """The folder that was named.

    Raises:
        SettingsError: none was, or it is not there.
    """
    folder = _named(given)
    if not folder.is_dir():
        raise SettingsError(f"{folder}: no such folder")
    return folder


def _named(given: argparse.Namespace) -> Path:
    data = given.data or os.environ.get(BY_NAME["data"].variable)
    if not data:
        raise SettingsError(f"{given.command}: name the data folder with --data DIR or {BY_NAME['data'].variable}")
    return Path(data)


def server_option(name: str) -> int:
    """A number that the server has as an option, as far as a command can know it: from the environment, or the default.

    Raises:
        SettingsError: the environment has something else.
    """
    option = BY_NAME[name]
    return int(understand(option.parse, os.environ.get(option.variable) or str(option.default), option.variable))


def opened(given: argparse.Namespace) -> AbstractContextManager[Volume]:
    """Open the volume that was named, for reading and for changes; nothing is made of a folder that is none.

    Raises:
        SettingsError: it is not there, is no volume, has a newer layout, or cannot be used; nothing was changed.
    """
    return _closing(Volume.open_existing, data_folder(given))


def opened_folder(folder: Path, is_dry: bool) -> AbstractContextManager[Volume]:
    """Open the volume that a server with the same settings would serve, for changes, or to look at it alone.

    Raises:
        SettingsError: see `opened` and `opened_for_reading`.
    """
    return _closing(Volume.read_only if is_dry else Volume.open_existing, folder)


@contextmanager
def opened_or_made(given: argparse.Namespace) -> Iterator[Volume]:
    """Open the volume that was named, or make one of a folder that is missing or empty: for what moves in.

    In a dry run nothing is made there: what is not there yet is like a new one somewhere else.

    Raises:
        SettingsError: it is not named, or cannot be one; nothing was changed.
    """
    folder = _named(given)
    with contextlib.ExitStack() as stack:
        if not given.dry_run:
            yield stack.enter_context(_closing(Volume.open_or_make, folder))
        elif _is_free(folder):
            other = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield stack.enter_context(_closing(Volume.open_or_make, other))
        else:
            yield stack.enter_context(opened_for_reading(given))


def _is_free(folder: Path) -> bool:
    """Whether a new volume can be made here."""
    try:
        return not {entry.name for entry in folder.iterdir()} - {"lost+found"}
    except FileNotFoundError:
        return True
    except OSError as error:
        raise SettingsError(f"{folder}: {error.strerror}") from None


def opened_for_reading(given: argparse.Namespace) -> AbstractContextManager[Volume]:
    """Open the volume that was named, to look at it; a backup that nobody may write will do.

    Raises:
        SettingsError: it is not there, is no volume, has a newer layout, or cannot be read.
    """
    return _closing(Volume.read_only, data_folder(given))


def opened_to_make_room(given: argparse.Namespace) -> AbstractContextManager[Volume]:
    """Open the volume that was named, to remove things for good; it may be full.

    Raises:
        SettingsError: it is not there, is no volume, has a newer layout, or cannot be used; nothing was changed.
    """
    return _closing(Volume.open_to_make_room, data_folder(given))


def opened_for_change(given: argparse.Namespace) -> AbstractContextManager[Volume]:
    """Open the volume that was named, in a dry run to look at it alone.

    Raises:
        SettingsError: see `opened` and `opened_for_reading`.
    """
    return opened_for_reading(given) if given.dry_run else opened(given)


@contextmanager
def _closing(open_volume: Callable[[Path], Volume], folder: Path) -> Iterator[Volume]:
    """Open a volume, and close it at the end; what keeps it from being opened is the caller's wrong use."""
    try:
        volume = open_volume(folder)
    except VolumeError as error:
        raise SettingsError(str(error)) from None
    try:
        yield volume
    finally:
        volume.close()


def operator() -> str:
    """Who runs the command, for records: the name of the system's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
