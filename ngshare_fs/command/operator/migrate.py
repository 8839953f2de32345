"""`ngshare-fs migrate`: bring a volume of an older layout to the present one."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ngshare_fs.command.operator.data_folder import (
    DONE,
    SOMETHING_LEFT,
    add_data,
    add_dry_run,
    add_json,
    data_folder,
)
from ngshare_fs.command.operator.document import print_document
from ngshare_fs.command.output import fail
from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.saying import say
from ngshare_fs.terminal.table import table

if TYPE_CHECKING:
    from ngshare_fs.store.migrations.upgrade import LayoutState

HELP = "bring a volume of an older layout to the present one"
DESCRIPTION = (
    "Bring a volume of an older layout to the present one, as the server does when it starts. All servers on it have "
    "to be stopped. What is replaced is kept in the trash. After it was cut off, run it again. Exit code 0: the volume "
    "has the present layout (with --dry-run: it can be brought to it); 1: something is in the way; 2: wrong use, or a "
    "folder that is no volume."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    add_data(parser)
    add_dry_run(parser)
    parser.add_argument("--list", action="store_true", help="show all layouts, and which the volume has")
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Migrate, or tell.

    Returns:
        The exit code: 0, or 1 where something is in the way.

    Raises:
        SettingsError: there is no volume, or it cannot be used.
    """
    root = os.path.abspath(data_folder(given))
    from ngshare_fs.store import Volume, VolumeError
    from ngshare_fs.store.migrations.upgrade import check_step, layout_state

    try:
        state = layout_state(root)
    except (VolumeError, OSError) as error:
        raise SettingsError(str(error)) from None
    if given.list:
        return _list(state, given.json)
    if not given.json:
        for step in state.steps:
            say(f"layout {step.to}, {step.name}: {step.what}")
        if not state.steps:
            say(f"the volume has the present layout, {state.present}: nothing to do")
    try:
        if state.steps and given.dry_run:
            check_step(root, state.steps[0])
        elif state.steps:
            Volume.upgrade_layout(Path(root))
    except (VolumeError, OSError) as error:
        return fail(str(error), SOMETHING_LEFT)
    if given.json:
        steps = [{"layout": step.to, "name": step.name, "what": step.what} for step in state.steps]
        print_document(
            {"dry_run": given.dry_run, "would_do" if given.dry_run else "done": steps, "layout": state.layout}
        )
    elif state.steps and not given.dry_run:
        say(f"done: the volume has layout {state.present}; what was replaced is in the trash")
    return DONE


def _list(state: "LayoutState", as_json: bool) -> int:
    rows = [(1, "the first", "")] + [(step.to, step.name, step.what) for step in state.known]
    entries = [{"layout": number, "name": name, "what": what, "state": state.of(number)} for number, name, what in rows]
    if as_json:
        print_document({"layouts": entries})
    else:
        columns = ("layout", "name", "what it does", "state")
        print(table(columns, [list(entry.values()) for entry in entries], right=("layout",)))
    return DONE
