"""What cannot be read of a course, in words for those who teach it. The rest goes on, and so do all other courses."""

import contextlib
import os

from ngshare_fs.formats.one_line import in_one_line
from ngshare_fs.store.errors import BrokenManifest, concerns_one_place
from ngshare_fs.store.format import layout
from ngshare_fs.store.volume import Volume


class Problems:
    """Problems as they are met; paths in them are relative to the volume.

    Args:
        volume: where the course is.

    `first` is the first one, in one line; None where there is none.
    """

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self._root = volume.root
        self.first: str | None = None

    def noted(self) -> "Problems":
        """A context: what cannot be read in it is noted, and all goes on behind it; a volume that fails is raised.

        One object for all: a list enters this for each of its submissions.
        """
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, BrokenManifest):
            self._note(error.seen_from(self._root))
            return True
        if isinstance(error, OSError) and concerns_one_place(error):
            # What was looked at by descriptor has no path.
            named = isinstance(error.filename, str) and os.path.isabs(error.filename)
            place = f"{os.path.relpath(error.filename, self._root)}: " if named else ""
            self._note(f"{place}cannot be read: {error.strerror}")
            return True
        return False

    def note_of_roster(self, course: str) -> None:
        """Note what is wrong with a course's `course.yaml`, even where an earlier version of it serves on."""
        with self.noted(), contextlib.suppress(FileNotFoundError):
            # Raises what is wrong by now.
            _ = self._volume.rosters.read(layout.roster(self._root, course)).present

    def _note(self, problem: str) -> None:
        self.first = self.first or in_one_line(problem)
