"""`ngshare-course-management`, so that old notes keep working."""

import sys


def main() -> int:
    """Run it.

    Returns:
        the exit code.
    """
    try:
        from ngshare_fs.course_management.actions import old_main
    except ImportError as error:
        print(f"ngshare-course-management: {error}: pip install 'ngshare-fs[nbgrader]'", file=sys.stderr)
        return 1
    return old_main()
