"""Names that lead to something else by the time that it is used.

On a network file system, and on FUSE, a name is looked up first and what it led to is asked second. Where another
process replaces the file in between, the system says "stale file handle" (ESTALE). Linux then looks again, once; beside
somebody who replaces a file a hundred times a second, that is not enough for one reader in fifty (GlusterFS 10.3).
"""

import errno
from collections.abc import Callable
from typing import ParamSpec, TypeVar

# More in a row is no race any more: the volume itself is gone.
LOOKS = 20

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def retry_on_estale(
    look: Callable[Parameters, Result], *arguments: Parameters.args, **keywords: Parameters.kwargs
) -> Result:
    """Look something up by its name, again where that has come to lead to something else meanwhile.

    Args:
        look: changes nothing, for example `os.stat`. What it opens it also reads: on GlusterFS the system may forget a
            file that was replaced even where somebody has it open.

    Raises:
        OSError: what `look` raised; ESTALE where it went on.
    """
    for _ in range(LOOKS - 1):
        try:
            return look(*arguments, **keywords)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
    return look(*arguments, **keywords)
