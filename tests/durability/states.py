"""What lies on a volume, in a form that two runs of the same verb share; and what no run may leave behind."""

import hashlib
import os
import re
import stat
from pathlib import Path

State = dict[str, str]

_IN_NAMES = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_IN_TEXT = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC")
_DELETION = re.compile(r"(trash/T\d+)-[0-9a-f]{8}")
_EMPTY_FOLDER = re.compile(r".*/(submissions/[^/]+|feedback)")
_CUT_SHORT = re.compile(r"(trash/T\d+-x)(/trash\.yaml)?")


def state_of(root: Path) -> State:
    """Everything on a volume but what is the server's own: kind and mode of each, the bytes of files.

    Points in time become `T0`, `T1`, ... in their order, for each run has others.
    """
    paths = sorted(path for path in root.rglob("*") if ".ngshare" not in path.parts)
    moments = sorted({moment for path in paths for moment in _IN_NAMES.findall(str(path.relative_to(root)))})
    ranks = {moment: f"T{rank}" for rank, moment in enumerate(moments)}
    return {_masked_name(str(path.relative_to(root)), ranks): _looks(path, ranks) for path in paths}


def _masked_name(name: str, ranks: dict[str, str]) -> str:
    name = _IN_NAMES.sub(lambda found: ranks[found[0]], name)
    return _DELETION.sub(r"\1-x", name)


def _looks(path: Path, ranks: dict[str, str]) -> str:
    status = path.lstat()
    kind = f"{stat.filemode(status.st_mode)} "
    if not stat.S_ISREG(status.st_mode):
        return kind
    content = path.read_bytes()
    if len(content) < 10_000:
        content = _IN_TEXT.sub(lambda found: ranks.get(_folder(found[0]), "?").encode(), content)
        if path.suffix == ".yaml":
            return kind + content.decode()
    return kind + hashlib.sha256(content).hexdigest()


def _folder(text: bytes) -> str:
    return text.decode().removesuffix(" UTC").replace("-", "").replace(":", "").replace(" ", "T") + "Z"


def without_leftovers(state: State, of: State) -> State:
    """A state without what a failure may leave on a volume by `docs/volume-format.md`, and what means nothing there.

    That is a student's folder without submissions, `feedback` without trees, and an entry of the trash without the
    folder that was to be deleted.

    Args:
        of: the state before: what is in it is no left-over.
    """
    new = [path for path in state if path not in of]
    empty = {path for path in new if not any(other.startswith(path + "/") for other in state)}
    leftovers = {path for path in empty if _EMPTY_FOLDER.fullmatch(path)}
    for path in new:
        found = _CUT_SHORT.fullmatch(path)
        if found and not any(other.startswith(found[1] + "/") and not _CUT_SHORT.fullmatch(other) for other in state):
            leftovers.add(path)
    return {path: looks for path, looks in state.items() if path not in leftovers}


def difference(state: State, wanted: State) -> str:
    """The paths in which two states differ, for messages."""
    paths = sorted(path for path in {**state, **wanted} if state.get(path) != wanted.get(path))
    return "; ".join(f"{path}: {state.get(path)!r}, not {wanted.get(path)!r}" for path in paths[:5])


def left_by_the_server(root: Path) -> list[str]:
    """What lies in the server's own folder, where no process runs; the shared lock files are there for good."""
    private = root / ".ngshare"
    found = []
    for folder, folders, files in os.walk(private):
        for name in folders + files:
            path = os.path.relpath(os.path.join(folder, name), private)
            if path not in ("locks", "staging") and not re.fullmatch(r"locks/\d{4}\.lock", path):
                found.append(path)
    return found
