"""Files are handed in under the names under which they were released, whichever form of them a machine keeps."""

from collections.abc import Iterable, Iterator

from ngshare_fs.formats.file_names import normal


class ReleasedNames:
    """The names of a release.

    Args:
        paths: of its files.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._exact = {each for path in paths for each in _with_folders(path)}
        self._by_form = {normal(each): each for each in sorted(self._exact)}

    def of(self, path: str) -> str:
        """A path as it was released; what is not in the release stays as it is, inside folders that are."""
        parts = path.split("/")
        for end in range(len(parts), 0, -1):
            start = "/".join(parts[:end])
            released = start if start in self._exact else self._by_form.get(normal(start))
            if released is not None:
                return "/".join([released, *parts[end:]])
        return path

    def both_released(self, twins: tuple[str, str]) -> bool:
        """Whether two names that look alike are both in the release, so that nothing is mixed up."""
        return self._exact.issuperset(twins)


def twins(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of names in the same folder that look alike, and are one name on other machines."""
    found = []
    first: dict[str, str] = {}
    seen: set[str] = set()
    for path in paths:
        for each in _with_folders(path):
            if each in seen:
                break
            seen.add(each)
            other = first.setdefault(normal(each), each)
            if other != each and other.rpartition("/")[0] == each.rpartition("/")[0]:
                found.append((other, each))
    return found


def look_alike(pairs: Iterable[tuple[str, str]]) -> str:
    """What to say of them."""
    lines = [f"{one} is written {ascii(one)[1:-1]} and {ascii(other)[1:-1]}" for one, other in pairs]
    return "\n  ".join(["Two files or folders here have names that look alike. Rename or remove one of them:", *lines])


def _with_folders(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
