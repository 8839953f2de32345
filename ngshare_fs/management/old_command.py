"""`ngshare-course-management`, so that old notes keep working."""

import sys

from ngshare_fs.terminal.installation import how_to_install


def main() -> int:
    """Run it.

    Returns:
        the exit code.
    """
    try:
        from ngshare_fs.management.actions import old_main
    except ImportError as error:
        print(f"ngshare-course-management: {error}: {how_to_install('client')}", file=sys.stderr)
        return 1
    return old_main()
