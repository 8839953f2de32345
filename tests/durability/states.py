"""What lies on a volume, in a form that two runs of the same verb share; and what no run may leave behind."""

import hashlib
import os
import re
import stat
from pathlib import Path

State = dict[str, str]
# Those of files that have several names, by what a change in place would change.
Contents = dict[tuple[int, int, int], bytes]

_IN_NAMES = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_IN_TEXT = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} UTC")
_DELETION = re.compile(r"(trash/T\d+)-[0-9a-f]{8}")
# A folder that is missing is the same as an empty one.
_MAY_BE_EMPTY = re.compile(r".*/(assignments|submissions|submissions/[^/]+|feedback)")
_ENTRY_OF_TRASH = re.compile(r"(trash/[^/]+)(/trash\.yaml)?")


def state_of(root: Path, template: Path | None = None, contents: Contents | None = None) -> State:
    """Everything on a volume but what is the server's own: kind and mode of each, the bytes of files.

    Points in time become `T0`, `T1`, ... in their order, for each run has others.

    Args:
        template: what the volume is a copy of. With it, that is left out which a failure may leave behind by
            `docs/volume-format.md`, and which means nothing there: empty folders for assignments, submissions and
            feedback, and entries of the trash without what was to be deleted.
        contents: what is known already of files that a template shares with its copies; extended.
    """
    names = _names_below(str(root))
    if template is not None:
        names -= _leftovers({name for name in names if not os.path.exists(f"{template}/{name}")}, names)
    moments = sorted({moment for name in names for moment in _IN_NAMES.findall(name)})
    ranks = {moment: f"T{rank}" for rank, moment in enumerate(moments)}
    return {_masked_name(name, ranks): _looks(f"{root}/{name}", ranks, contents) for name in sorted(names)}


def _names_below(root: str) -> set[str]:
    """The paths of everything, relative to the volume. Strings, for it is done thousands of times."""
    names = set()
    for folder, folders, files in os.walk(root):
        if folder == root and ".ngshare" in folders:
            folders.remove(".ngshare")
        names |= {f"{folder}/{name}"[len(root) + 1 :] for name in folders + files}
    return names


def _leftovers(new: set[str], names: set[str]) -> set[str]:
    found = set()
    for name in new:
        # A student's folder may be empty in one for submissions that was made for it.
        inside = {other for other in names if other.startswith(name + "/")}
        if _MAY_BE_EMPTY.fullmatch(name) and all(_MAY_BE_EMPTY.fullmatch(other) for other in inside):
            found.add(name)
        entry = _ENTRY_OF_TRASH.fullmatch(name)
        if entry and {other for other in names if other.startswith(entry[1] + "/")} <= {entry[1] + "/trash.yaml"}:
            found.add(name)
    return found


def _masked_name(name: str, ranks: dict[str, str]) -> str:
    name = _IN_NAMES.sub(lambda found: ranks[found[0]], name)
    return _DELETION.sub(r"\1-x", name)


def _looks(path: str, ranks: dict[str, str], contents: Contents | None) -> str:
    status = os.lstat(path)
    kind = f"{stat.filemode(status.st_mode)} "
    if not stat.S_ISREG(status.st_mode):
        return kind
    key = (status.st_ino, status.st_mtime_ns, status.st_size)
    if contents is None or status.st_nlink == 1:
        content = Path(path).read_bytes()
    elif key in contents:
        content = contents[key]
    else:
        content = contents[key] = Path(path).read_bytes()
    if len(content) < 10_000:
        content = _IN_TEXT.sub(lambda found: ranks.get(_folder(found[0]), "?").encode(), content)
        if path.endswith(".yaml"):
            return kind + content.decode()
    return kind + hashlib.sha256(content).hexdigest()


def _folder(text: bytes) -> str:
    return text.decode().removesuffix(" UTC").replace("-", "").replace(":", "").replace(" ", "T") + "Z"


def difference(state: State, wanted: State) -> str:
    """The paths in which two states differ, for messages."""
    paths = sorted(path for path in {**state, **wanted} if state.get(path) != wanted.get(path))
    return "; ".join(f"{path}: {state.get(path)!r}, not {wanted.get(path)!r}" for path in paths[:5])


def left_by_the_server(root: Path) -> list[str]:
    """What lies in the server's own folder, where no process runs, but for what is there for good."""
    private = root / ".ngshare"
    found = []
    for folder, folders, files in os.walk(private):
        for name in folders + files:
            path = os.path.relpath(os.path.join(folder, name), private)
            if path not in ("locks", "staging", "last-verify.yaml") and not re.fullmatch(r"locks/\d{4}\.lock", path):
                found.append(path)
    return found
