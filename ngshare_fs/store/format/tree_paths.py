"""The rule for paths inside a directory tree."""

from ngshare_fs.store.errors import IllegalPath

LONGEST_COMPONENT = 255
# The system's limit is 4,096 bytes for the whole; names above a tree take up to 1,000 of them.
LONGEST_PATH = 2048
DEEPEST_PATH = 256


def check_path(path: str) -> None:
    """The rule for paths inside a tree.

    Raises:
        IllegalPath: it is empty or absolute, has an empty, `.` or `..` component or a NUL, cannot be encoded in
            UTF-8, or is longer or deeper than file systems and the tools around them take.
    """
    try:
        components = path.encode("utf-8").split(b"/")
    except UnicodeEncodeError:
        raise IllegalPath(repr(path)) from None
    if "\0" in path or len(components) > DEEPEST_PATH or sum(map(len, components)) > LONGEST_PATH:
        raise IllegalPath(repr(path[:100]))
    for component in components:
        if component in (b"", b".", b"..") or len(component) > LONGEST_COMPONENT:
            raise IllegalPath(repr(path))
