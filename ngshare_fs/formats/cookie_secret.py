"""The rule for the secret that cookies are sealed with, whether the environment gives it or the volume keeps it."""

# As many as `openssl rand -hex 16` makes: nobody guesses 128 bits.
SHORTEST = 32


def problem_with(secret: str) -> str | None:
    """Why a secret will not do, as the end of a sentence; None where it will."""
    return None if len(secret) >= SHORTEST else f"shorter than {SHORTEST} characters"
