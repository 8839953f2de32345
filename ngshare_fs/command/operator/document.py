"""What a command prints for programs."""

import json


def print_document(content: object) -> None:
    """Print it as the one JSON document of the command.

    In ASCII: names are others', and on a terminal a character of theirs could be an order to it, or hide something.
    """
    print(json.dumps(content, indent=2))
