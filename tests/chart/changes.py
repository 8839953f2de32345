"""Changes of manifests, by the place where they are made.

A place is a kind and a path of keys; in a list, `name=NAME` is the entry of that name, and a number the entry of that
number.
"""

import copy
from collections.abc import Callable
from typing import Any

from tests.chart.manifests import Manifest, of_kind

Change = Callable[[list[Manifest]], None]


def at(place: str, value: Any) -> Change:
    """Put a value there: `KIND key key ...`."""

    def change(manifests: list[Manifest]) -> None:
        parent, last = _parent(manifests, place)
        parent[last] = value

    return change


def without(place: str) -> Change:
    """Take away what is there."""

    def change(manifests: list[Manifest]) -> None:
        parent, last = _parent(manifests, place)
        del parent[last]

    return change


def added(place: str, value: Any) -> Change:
    """Append to the list there, which is made where there is none."""

    def change(manifests: list[Manifest]) -> None:
        parent, last = _parent(manifests, place)
        if isinstance(parent, dict):
            parent.setdefault(last, [])
        parent[last].append(value)

    return change


def twice(kind: str) -> Change:
    """The object of that kind is there a second time."""

    def change(manifests: list[Manifest]) -> None:
        manifests.append(copy.deepcopy(of_kind(manifests, kind)[0]))

    return change


def gone(kind: str) -> Change:
    """The object of that kind is not there."""

    def change(manifests: list[Manifest]) -> None:
        manifests.remove(of_kind(manifests, kind)[0])

    return change


def _parent(manifests: list[Manifest], place: str) -> tuple[Any, Any]:
    kind, *keys = place.split()
    part: Any = of_kind(manifests, kind)[0]
    for position, key in enumerate(keys):
        last = position == len(keys) - 1
        if isinstance(part, list):
            index = int(key) if not key.startswith("name=") else [each.get("name") for each in part].index(key[5:])
            if last:
                return part, index
            part = part[index]
        elif last:
            return part, key
        else:
            part = part.setdefault(key, {})
    raise AssertionError(place)
