"""What a command says when it fails."""

import os
import re
import sys
from collections.abc import Sequence

from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.settings import PROGRAM
from ngshare_fs.settings.options import BY_NAME
from ngshare_fs.terminal.logs import LOG, set_up

# As a shell gives it for a command that Ctrl-C has ended.
STOPPED = 130


def fail(message: str, code: int, words: Sequence[str] = (), log_format: str = "") -> int:
    """Say in one line why it ends; as JSON where that was asked for, as far as this can be known yet.

    Args:
        message: the reason.
        code: the exit code.
        words: those of the command, where no settings were read yet.
        log_format: of the settings, where they were.

    Returns:
        The exit code.
    """
    asked = re.search(r"--log-format[ =]json\b", " ".join(words)) or (
        os.environ.get(BY_NAME["log-format"].variable) == "json"
    )
    line = in_one_line(" ".join(message.split()))
    if log_format == "json" or asked:
        set_up("json")
        LOG.critical("%s", line)
    else:
        print(f"{PROGRAM}: {line}", file=sys.stderr)
    return code
