"""Courses on their way into a volume and out of it: as archives, and from other programs and to them."""


class ForeignExchangeError(Exception):
    """The other exchange cannot be read, or is none. One line: what is wrong, and what to do."""
