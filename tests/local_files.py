"""Files of a folder as the plug-ins send them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ngshare_fs.exchange.sending.request_body import LocalFile


def files_in(folder: str) -> list[LocalFile]:
    """All files below a folder, sorted by path."""
    places = [place for place in Path(folder).rglob("*") if place.is_file()]
    files = [LocalFile(str(place.relative_to(folder)), str(place), place.stat().st_size) for place in places]
    return sorted(files, key=lambda file: file.path)


def checksums_of(files: Iterable[LocalFile]) -> dict[str, str]:
    """MD5 of local files by path."""
    return {file.path: hashlib.md5(Path(file.place).read_bytes()).hexdigest() for file in files}
