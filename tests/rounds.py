"""How often what is drawn at random is repeated: a quarter of it in the short check, all of it with `--long`.

`NGSHARE_FS_ROUNDS=10` asks for ten times as much, whichever check it is.
"""

import os

SHORT, LONG = 0.25, 1.0
_share = SHORT


def ask_for(long: bool) -> None:
    """Say which check this is, before test modules are imported."""
    global _share
    _share = LONG if long else SHORT


def rounds(of_long_check: int, least: int = 1) -> int:
    """How many rounds to make of so many in the long check."""
    share = float(os.environ.get("NGSHARE_FS_ROUNDS") or _share)
    return max(least, round(of_long_check * share))
