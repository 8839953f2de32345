"""Which layout a volume has, and whether this program knows it, and works on it."""

import logging

from ngshare_fs.formats import yaml_text
from ngshare_fs.formats.yaml_text import BrokenYaml
from ngshare_fs.store.errors import VolumeError
from ngshare_fs.store.files.estale import retry_on_estale
from ngshare_fs.store.files.plain_file import open_plain
from ngshare_fs.store.format import layout, volume_file
from ngshare_fs.store.format.volume_file import VolumeFile

logger = logging.getLogger(__name__)


def read_volume_file(file: str) -> VolumeFile:
    """What a volume's `ngshare.yaml` says.

    Raises:
        VolumeError: it is broken.
        OSError: it cannot be read.
    """
    try:
        return yaml_text.parse(retry_on_estale(_read_plain, file), file, volume_file.understand)
    except BrokenYaml as error:
        raise VolumeError(f"{error}: restore the file; it holds one line, `layout: {layout.LAYOUT}`") from None


def check_layout(file: str, layout_has_to_be_present: bool = False) -> VolumeFile:
    """Look whether this program knows the layout that a volume's `ngshare.yaml` gives.

    Args:
        layout_has_to_be_present: whether an older one will not do.

    Raises:
        VolumeError: it does not, or the file is broken.
        OSError: the file cannot be read.
    """
    found = read_volume_file(file)
    if found.layout > layout.LAYOUT:
        raise VolumeError(
            f"{file} says layout {found.layout}, and this program knows layouts up to {layout.LAYOUT}: "
            "install the newer ngshare-fs that wrote it"
        )
    if layout_has_to_be_present:
        check_is_present_layout(found, file)
    for remark in found.misspelt_keys:
        logger.warning("%s: %s", file, remark)
    return found


def check_is_present_layout(found: VolumeFile, file: str) -> None:
    """Look whether a volume has the layout that this program writes.

    Args:
        file: where that was found.

    Raises:
        VolumeError: it has an older one, or its upgrade was cut short.
    """
    if found.upgrading_from is not None:
        raise VolumeError(
            f"{file}: the upgrade from layout {found.upgrading_from} to {found.layout} is not finished: "
            "finish it with `ngshare-fs migrate`"
        )
    if found.layout < layout.LAYOUT:
        raise VolumeError(
            f"{file} says layout {found.layout}, and this program works on layout {layout.LAYOUT}: "
            "upgrade the volume with `ngshare-fs migrate`"
        )


def _read_plain(file: str) -> bytes:
    with open(open_plain(file), "rb") as opened:
        return opened.read()
