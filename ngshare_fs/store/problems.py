"""What cannot be read of a course, in words for those who teach it. The rest goes on, and so do all other courses."""

import contextlib
import os
from collections.abc import Iterator

from ngshare_fs.one_line import in_one_line
from ngshare_fs.store import layout
from ngshare_fs.store.errors import BrokenManifest, concerns_one_place
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

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note what cannot be read here, and go on behind it. What is wrong with the whole volume is raised."""
        try:
            yield
        except BrokenManifest as error:
            self._note(error.seen_from(self._root))
        except OSError as error:
            if not concerns_one_place(error):
                raise
            # What was looked at by descriptor has no path.
            named = isinstance(error.filename, str) and os.path.isabs(error.filename)
            place = f"{os.path.relpath(error.filename, self._root)}: " if named else ""
            self._note(f"{place}cannot be read: {error.strerror}")

    def note_of_roster(self, course: str) -> None:
        """Note what is wrong with a course's `course.yaml`, even where an earlier version of it serves on."""
        with self.noted(), contextlib.suppress(FileNotFoundError):
            # Raises what is wrong by now.
            _ = self._volume.rosters.read(layout.roster(self._root, course)).present

    def _note(self, problem: str) -> None:
        self.first = self.first or in_one_line(problem)
