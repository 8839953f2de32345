"""What is asked once more directly before a change is made.

Whether somebody may do something is looked up before a body arrives, is staged and flushed, and before a lock is had.
Until then the user may have been taken off the roster, or another course may have the name. So each verb that changes
the volume takes a `LastCheck`. Changes of a roster make it under the roster's lock, so that nobody who was removed can
come back; the others directly before the rename that publishes or deletes.
"""

from collections.abc import Callable

# Raises what forbids the change.
LastCheck = Callable[[], None]


def no_check() -> None:
    """Nothing forbids it."""
