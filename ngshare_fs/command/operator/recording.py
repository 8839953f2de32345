"""What a command has done goes into the journal."""

from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import DONE, SOMETHING_LEFT
from ngshare_fs.command.output import fail

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.store.journal import Event


def recorded(volume: "Volume", event: "Event") -> int:
    """Write down what was done; it stays done where that fails.

    Returns:
        The exit code.
    """
    from ngshare_fs.store.journal import record

    try:
        record(volume, event)
    except OSError as error:
        return fail(f"it is done, but the journal does not say so: {error.filename}: {error.strerror}", SOMETHING_LEFT)
    return DONE
