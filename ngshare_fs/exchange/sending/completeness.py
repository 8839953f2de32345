"""What is about to be handed in, compared with what was released."""

from collections.abc import Sequence
from typing import NamedTuple

from ngshare_fs.exchange.sending.snapshot import LeftOut
from ngshare_fs.formats.one_line import in_one_line


class Completeness(NamedTuple):
    """Which notebooks of the release are handed in, and which others.

    Args:
        released: the release's notebooks.
        sent: the notebooks that would be handed in, under their released names.
        left_out: what lies in the student's folder and would not be.
    """

    released: Sequence[str]
    sent: Sequence[str]
    left_out: Sequence[LeftOut]

    @property
    def missing(self) -> list[str]:
        """Released, and not sent."""
        return sorted(set(self.released).difference(self.sent))

    @property
    def extra(self) -> list[str]:
        """Sent, and not released."""
        return sorted(set(self.sent).difference(self.released))

    @property
    def lost(self) -> list[LeftOut]:
        """What is left out although the release has it, or a notebook inside it: the student believes to hand it in."""
        return [each for each in self.left_out if any(_is_at(path, each.path) for path in self.missing)]

    def __str__(self) -> str:
        missing, extra = set(self.missing), set(self.extra)
        return "\n".join(
            [
                "Expected:",
                *(
                    f"\t{in_one_line(path)}: {'MISSING' if path in missing else 'FOUND'}"
                    for path in sorted(self.released)
                ),
                "Submitted:",
                *(f"\t{in_one_line(path)}: {'EXTRA' if path in extra else 'OK'}" for path in sorted(self.sent)),
            ]
        )


def _is_at(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")
