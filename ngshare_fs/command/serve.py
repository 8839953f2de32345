"""`ngshare-fs serve`: serve the exchange."""

import argparse
import os

from ngshare_fs.command.output import fail
from ngshare_fs.command.parser import add_options, flags_in
from ngshare_fs.server.handover import Handover
from ngshare_fs.server.sockets import ListenError
from ngshare_fs.settings import Settings, read_settings
from ngshare_fs.terminal.logs import set_up
from ngshare_fs.terminal.standard_streams import open_standard_streams

HELP = "serve the exchange"
DESCRIPTION = (
    "Serve the exchange. Every option can also be set as NGSHARE_FS_* in the environment, or in a YAML file; a flag "
    "counts before the environment, the environment before the file."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    add_options(parser)


def run(given: argparse.Namespace) -> int:
    """Serve until told to stop.

    Returns:
        The exit code: 0, or 1 where it could not serve.

    Raises:
        SettingsError: an option or value is wrong.
    """
    open_standard_streams()
    flags = flags_in(given)

    def read() -> Settings:
        return read_settings(flags, os.environ)

    handover = Handover.take(os.environ)
    settings = read_settings(flags, os.environ, None if handover is None else handover.file())
    set_up(settings.log_format, settings.debug)
    # Imported where they are used: a supervisor does without aiohttp, and `--help` without either.
    if settings.workers > 1 and handover is None:
        from ngshare_fs.server.supervisor import supervise

        try:
            return supervise(settings, read)
        except ListenError as error:
            return fail(str(error), 1, log_format=settings.log_format)
    from ngshare_fs.server.worker import serve
    from ngshare_fs.store import VolumeError

    try:
        return serve(settings, handover)
    except (ListenError, VolumeError) as error:
        return fail(str(error), 1, log_format=settings.log_format)
