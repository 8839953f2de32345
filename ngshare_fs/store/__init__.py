"""The volume. Plain, synchronous, typed; it knows nothing of HTTP.

Its verbs are functions of the modules named after what they are about: `course`, `roster`, `assignment`, `release`,
`submission`, `feedback`; each takes the open `Volume` first.
"""

from ngshare_fs.store.errors import StoreError, VolumeError
from ngshare_fs.store.volume import Volume

__all__ = ["StoreError", "Volume", "VolumeError"]
