"""The words of a command: options made from the table, and what is wrong with them in one line."""

import argparse
import re
from typing import NoReturn

from ngshare_fs.settings import SettingsError
from ngshare_fs.settings.options import BY_NAME, CONFIG_VARIABLE, OPTIONS, near_match
from ngshare_fs.settings.values import Raw


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage of twenty lines before it."""

    def error(self, message: str) -> NoReturn:
        unknown = re.fullmatch(r"unrecognized arguments: --([^ =]+).*", message, re.DOTALL)
        if unknown:
            message = f"--{unknown[1]} is no option{near_match(unknown[1], list(BY_NAME), '--')}"
        raise SettingsError(message)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the flags of all options. What is not given is not in its result: other sources may have it."""
    of_file = f"a YAML file with options (or {CONFIG_VARIABLE})"
    parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help=of_file)
    for option in OPTIONS:
        default = (option.default_text or option.default or "").replace("`", "")
        text = f"{option.help.replace('`', '')} (default: {default})".replace("%", "%%")
        if option.is_switch:
            action = argparse.BooleanOptionalAction
            parser.add_argument(option.flag, action=action, default=argparse.SUPPRESS, help=text)
        else:
            parser.add_argument(option.flag, metavar=option.metavar, default=argparse.SUPPRESS, help=text)


def flags_in(given: argparse.Namespace) -> dict[str, Raw]:
    """The flags that were given, by option name (`max-request`)."""
    return {name.replace("_", "-"): value for name, value in vars(given).items() if name != "command"}
