"""The command `python -m examples.whole_cycle`: goes through the whole cycle and shows what the server kept."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from examples.whole_cycle import environments
from examples.whole_cycle.cycle import Cycle
from examples.whole_cycle.people import DidNotWork, RunProgram, in_own_process
from tests import servers

say = partial(print, flush=True)  # progress is seen through a pipe, too


def main(words: Sequence[str] | None = None, run_program: RunProgram = in_own_process) -> int:
    """Return 0 if every step did its work, 1 otherwise.

    Args:
        words: of the command line; those of the process by default.
        run_program: how everybody runs programs.
    """
    parser = argparse.ArgumentParser(prog="python -m examples.whole_cycle", description=__doc__)
    parser.add_argument("--url", help="use this running stand-alone server, such as http://127.0.0.1:12121/api/")
    parser.add_argument("--course", default="NBG 101", help="the course to create (default: %(default)s)")
    parser.add_argument("--admin", default="root", help="who may create it (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="a new folder to work in, and to leave all in, to look around")
    arguments = parser.parse_args(words)
    programs = environments.for_plug_ins(say)

    def go_through(url: str) -> None:
        people = folder / "people"
        course, admin = arguments.course, arguments.admin
        Cycle(url, people, programs, course=course, admin=admin, say=say, run_program=run_program).run()

    with _folder(arguments.folder) as folder:
        try:
            if arguments.url:
                go_through(arguments.url)
            else:
                volume = folder / "volume"
                with _server(volume, arguments.admin, programs) as url:
                    go_through(url)
                say(f"\nWhat the server has kept, in {volume}:\n")
                _print_tree(volume)
        except DidNotWork as failure:
            say(f"\nThis step did not work: {failure}")
            return 1
    say("\nEvery step did its work.")
    return 0


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="ngshare-fs-cycle-") as temporary:
            yield Path(temporary)
    else:
        wanted.mkdir(parents=True)
        yield wanted.resolve()


@contextmanager
def _server(volume: Path, admin: str, programs: Path) -> Iterator[str]:
    say(f"\nThe server: ngshare-fs serve --standalone --data {volume} --admins {admin}")
    with servers.running(volume, "--admins", admin, python=str(programs / "python")) as server:
        say(f"It serves at {server.url}")
        yield server.url


def _print_tree(folder: Path, indent: str = "") -> None:
    """Show the folder as `tree` does, without what is hidden (locks, and uploads in progress)."""
    entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in entries:
        last = path == entries[-1]
        say(f"{indent}{'└── ' if last else '├── '}{path.name}{'/' if path.is_dir() else ''}")
        if path.is_dir():
            _print_tree(path, indent + ("    " if last else "│   "))


if __name__ == "__main__":
    sys.exit(main())
