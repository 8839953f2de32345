"""Names inside a zip: none leads out of the folder it is unpacked in, and no two are one on any system."""

from ngshare_fs.web.untrusted.file_names import LONGEST, folded, safe_name, shortened

# By what is left beside it, names that may get the same numbered name are known, also where they have to be cut for it.
_LONGEST_MARK = " (999999)"


class ZipNames:
    """The names of one zip.

    Each folder and each file gets a name of its own, also where people's names for them differ only in case, or in
    characters that had to be replaced: then a number tells them apart.
    """

    def __init__(self) -> None:
        self._taken: set[tuple[str, str]] = set()  # the folder above, and the folded name
        self._numbers: dict[tuple[str, str], int] = {}
        self._folders: dict[tuple[str, str], str] = {}  # what was asked for, and what it is called

    def file(self, above: str, path: str) -> str:
        """The name of a new file.

        Args:
            above: the name of the folder that it belongs to, as `folder` gave it; empty for the zip itself.
            path: what somebody has called it, its folders separated by `/`.
        """
        *folders, name = path.split("/")
        for each in folders:
            above = self.folder(above, each)
        return _joined(above, self._free(above, safe_name(name)))

    def folder(self, above: str, name: str) -> str:
        """The name of a folder, the same whenever it is asked for.

        Args:
            above: the folder that it is in; empty for the zip itself.
            name: what somebody has called it.
        """
        wanted = above, name
        if wanted not in self._folders:
            self._folders[wanted] = _joined(above, self._free(above, safe_name(name)))
        return self._folders[wanted]

    def _free(self, above: str, name: str) -> str:
        free = name
        while (above, folded(free)) in self._taken:
            # Counted on from where it was: thousands of names may be the same but for their case.
            base = above, folded(shortened(name, LONGEST, _LONGEST_MARK))
            number = self._numbers[base] = self._numbers.get(base, 1) + 1
            free = shortened(name, LONGEST, f" ({number})")
        self._taken.add((above, folded(free)))
        return free


def _joined(above: str, name: str) -> str:
    return f"{above}/{name}" if above else name
