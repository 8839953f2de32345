"""What a migration is."""

from collections.abc import Callable
from dataclasses import dataclass

from ngshare_fs.store.migrations.workplace import Workplace


class InTheWay(Exception):
    """A volume cannot be migrated as it is. The text is one line: what is in the way, and the remedy."""


@dataclass(frozen=True)
class Migration:
    """The way from a layout to the next one.

    Args:
        to: the number of the layout that it leads to; the one before it leads from.
        name: a few words.
        what: what it does to the volume, in a sentence.
        check: looks at a volume, by its folder, and changes nothing; raises `InTheWay`.
        apply: does it. It may have been cut off after any of its steps: what is done already it leaves alone, and at
            the end the volume is the same.
    """

    to: int
    name: str
    what: str
    check: Callable[[str], None]
    apply: Callable[[Workplace], None]
