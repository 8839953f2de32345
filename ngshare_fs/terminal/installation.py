"""How to install what an extra brings.

Nothing is published on PyPI: there, the name alone would find nothing, or what somebody else has put there.
"""

from ngshare_fs import __version__

# What `pip wheel` makes of a checkout.
WHEEL = f"ngshare_fs-{__version__}-py3-none-any.whl"


def how_to_install(extra: str) -> str:
    """The commands, for a sentence that says what is missing.

    Args:
        extra: as `pyproject.toml` names it.
    """
    return f"pip install './{WHEEL}[{extra}]', or in a checkout of ngshare_fs: pip install '.[{extra}]'"
