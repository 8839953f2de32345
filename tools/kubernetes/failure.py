"""The one exception whose message is for whoever typed the command."""


class Failure(Exception):
    """What does not work, and what to do about it, in a sentence."""
