"""The process that searches. libFuzzer, which Atheris brings to Python, takes it over and ends it."""

import shlex
import sys

import atheris

from tests.fuzz.targets import how_to_repeat, load


def main(name: str, options: list[str]) -> None:
    """Search until the time is up, or something is wrong.

    Args:
        name: of the target.
        options: libFuzzer's.
    """
    with atheris.instrument_imports(include=["ngshare_fs"]):
        target = load(name)

    def attempt(data: bytes) -> None:
        try:
            target.check(data)
        except BaseException:
            print(f"wrong; to repeat it:\n    {how_to_repeat(name, data)}", flush=True)
            raise

    # To merge, libFuzzer starts the first of these words anew, in a shell.
    atheris.Setup([f"{shlex.quote(sys.executable)} -m tests.fuzz.search {name}", *options], attempt)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
