"""`ngshare.yaml`: which layout the volume has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import Node, WrongShape, text_in
from ngshare_fs.store.format.unknown_keys import Misspelt, misspelt

KEYS = ("layout", "upgrading_from")


@dataclass(frozen=True)
class VolumeFile:
    """What an `ngshare.yaml` says.

    Args:
        layout: the number of the layout.
        upgrading_from: the number that it had before, while the upgrade is not finished; None otherwise.
        misspelt_keys: keys that may have been meant for one of them.
    """

    layout: int
    upgrading_from: int | None = None
    misspelt_keys: tuple[Misspelt, ...] = ()

    def to_yaml(self) -> bytes:
        """The text of `ngshare.yaml`."""
        document = {"layout": self.layout}
        if self.upgrading_from is not None:
            document["upgrading_from"] = self.upgrading_from
        return yaml_text.dump(document)


def understand(document: Mapping[str, Node]) -> VolumeFile:
    """What a parsed `ngshare.yaml` says.

    Raises:
        WrongShape: it gives no number.
    """
    near = next(misspelt(document, KEYS), None)
    if near is not None and "layout" not in document:
        raise WrongShape((near.key,), str(near))
    layout = _number(document, "layout")
    if layout is None:
        raise WrongShape(("layout",), "`layout` has to be a number")
    before = _number(document, "upgrading_from")
    return VolumeFile(layout, before, tuple(misspelt(document, KEYS)))


def _number(document: Mapping[str, Node], key: str) -> int | None:
    text = text_in(document, key)
    if text is None:
        return None
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise WrongShape((key,), f"`{key}` has to be a number")
    return int(text)
