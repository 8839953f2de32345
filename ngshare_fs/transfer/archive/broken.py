"""What is wrong with an archive."""


class BrokenArchive(Exception):
    """It is no archive of a course, or not whole. The text is one line that says what is wrong, without the file."""
