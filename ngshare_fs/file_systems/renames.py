"""What is known of file systems: what they ask of whoever renames a file, for other machines to see it at once."""

from ngshare_fs.file_systems.mounted import FileSystem

# A file that nobody has open while it is renamed keeps whoever looks at it on another machine waiting, until the
# metadata server writes its journal: for up to 5 s. Seen with ceph-fuse 16.2. Flushing the folder afterwards, or the
# file by a descriptor for reading, does not end that; having it open for reading does not always. Folders are seen at
# once.
_OPEN_FOR_WRITING = frozenset(("fuse.ceph-fuse",))


def keeps_waiting(mounted: FileSystem) -> bool:
    """Whether a file should be open for writing while it is renamed."""
    return mounted.kind in _OPEN_FOR_WRITING
