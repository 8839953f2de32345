"""`ngshare-fs import ngshare`: move in from ngshare 0.5 or 0.6."""

import argparse
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ngshare_fs.command.moving.intake_report import FEWER_COURSES, NEW_COURSES, Remark, report, taking_in
from ngshare_fs.command.moving.room import check_room
from ngshare_fs.command.operator.data_folder import add_data, add_dry_run, add_json, opened_or_made
from ngshare_fs.settings import SettingsError
from ngshare_fs.terminal.saying import counted
from ngshare_fs.terminal.table import size_in_words

if TYPE_CHECKING:
    from ngshare_fs.store import Volume
    from ngshare_fs.transfer.intake import Intake
    from ngshare_fs.transfer.ngshare.database import Database
    from ngshare_fs.transfer.ngshare.storage import Storage

HELP = "move in from ngshare 0.5 or 0.6"
DESCRIPTION = (
    "Move in from ngshare 0.5 or 0.6: from its database and its folder of files, or from its server. Run again, it "
    "goes on where it was. What is here already stays as it is. Exit code 0: all is here; 1: something was left out, "
    "and is named; 2: there is nothing that could be read, or an option is wrong."
)
SOURCE = "ngshare"
TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"  # noqa: S105  # its name


def add_words(parser: argparse.ArgumentParser) -> None:
    """Give the parser of the command its options."""
    parser.add_argument("--database", metavar="FILE", help="ngshare's database, as its own --database names it")
    parser.add_argument("--storage", metavar="DIR", help="ngshare's folder of files, as its own --storage names it")
    parser.add_argument("--from-url", metavar="URL", help="of a running ngshare instead")
    parser.add_argument(
        "--token-file", metavar="FILE", help=f"with the token of an admin of that server (or {TOKEN_VARIABLE})"
    )
    parser.add_argument("--user", metavar="NAME", help="as whom, where that server runs stand-alone")
    parser.add_argument(
        "--course", metavar="NAME", action="append", default=[], dest="courses", help="only this one; may be repeated"
    )
    parser.add_argument(
        "--incomplete", action="store_true",
        help="take submissions and feedback over without files that are missing or damaged, too",
    )  # fmt: skip
    add_data(parser)
    add_dry_run(parser)
    add_json(parser)


def run(given: argparse.Namespace) -> int:
    """Take it over, and say what became of it.

    Returns:
        The exit code.

    Raises:
        SettingsError: see `DESCRIPTION`; nothing was changed.
    """
    from ngshare_fs.transfer.ngshare import NotNgshare

    if bool(given.from_url) == bool(given.database or given.storage):
        raise SettingsError("import ngshare: name --database FILE and --storage DIR, or --from-url URL")
    try:
        return _from_server(given) if given.from_url else _from_database(given)
    except NotNgshare as error:
        raise SettingsError(str(error)) from None


def _from_database(given: argparse.Namespace) -> int:
    from ngshare_fs.transfer.ngshare.database import Database
    from ngshare_fs.transfer.ngshare.database_source import DatabaseSource
    from ngshare_fs.transfer.ngshare.snapshot import opened_copy, path_of, state_of
    from ngshare_fs.transfer.ngshare.storage import Storage
    from ngshare_fs.transfer.ngshare.take_over import TakeOver

    if not (given.database and given.storage):
        raise SettingsError("import ngshare: --database FILE and --storage DIR belong together")
    path = path_of(given.database)
    before = state_of(path)
    with opened_copy(path) as connection, Storage(Path(given.storage)) as storage:
        database = Database(connection)
        storage.check_is_of(database)
        with opened_or_made(given) as volume:
            intake = _intake(given, volume)
            source = DatabaseSource(database, storage, intake.account)
            take_over = TakeOver(source, intake, given.courses)
            if not given.dry_run:
                needed = sum(database.bytes_of(course.key) for course in take_over.new_courses())
                check_room(volume.root, needed, NEW_COURSES, FEWER_COURSES)
            with taking_in(given, volume, intake, SOURCE, database.count_trees()):
                take_over.run()
            if state_of(path) != before:
                message = "ngshare wrote to it meanwhile: stop ngshare, and run this again"
                intake.account.report("database-changed", (str(path),), message)
            return report(given, intake.account, SOURCE, _remarks(database, storage))


def _from_server(given: argparse.Namespace) -> int:
    from ngshare_fs.transfer.ngshare.server import CONNECTIONS, Server
    from ngshare_fs.transfer.ngshare.server_source import ServerSource, courses_at
    from ngshare_fs.transfer.ngshare.take_over import TakeOver

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(given.from_url, _token(given), given.user))
        courses_at(server)  # before anything is made: is anybody there?
        volume = stack.enter_context(opened_or_made(given))
        intake = _intake(given, volume, 2 * CONNECTIONS)
        intake.account.knows_sizes = not given.dry_run  # the server lists names and checksums
        source = ServerSource(server, intake.account, intake.has, given.dry_run)
        take_over = TakeOver(source, intake, given.courses)
        with taking_in(given, volume, intake, SOURCE, None):
            take_over.run()
            if not given.dry_run:
                source.check_complete(take_over.taken)
        return report(given, intake.account, SOURCE, [])


def _token(given: argparse.Namespace) -> str | None:
    """The token; None on a stand-alone server, which goes by `--user`."""
    if given.user is not None:
        return None
    token = os.environ.get(TOKEN_VARIABLE, "")
    if given.token_file:
        try:
            token = Path(given.token_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"cannot read {given.token_file}: {getattr(error, 'strerror', 'no text')}") from None
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        where = given.token_file or TOKEN_VARIABLE
        raise SettingsError(f"import ngshare: {where} has no token; it needs that of an admin (--token-file FILE)")
    return token


def _intake(given: argparse.Namespace, volume: "Volume", threads: int | None = None) -> "Intake":
    from ngshare_fs.transfer.intake import THREADS, Intake
    from ngshare_fs.transfer.ngshare import IMPORTED_BY

    return Intake(
        volume, (IMPORTED_BY,), dry_run=given.dry_run, incomplete=given.incomplete, threads=threads or THREADS
    )


def _remarks(database: "Database", storage: "Storage") -> list[Remark]:
    """What stays behind, and need not be here."""
    files, size = storage.left_behind(database)
    unattached, users = database.count_unattached(), database.count_users_without_course()
    return [
        Remark(
            "files_left_behind",
            files,
            f"Belonging to nothing any more, as ngshare leaves it when something is deleted: {counted(files, 'file')} "
            f"({size_in_words(size)}) in {storage.folder}",
        ),
        Remark(
            "rows_left_behind",
            unattached,
            f"Of assignments and submissions, {counted(unattached, 'row')} of the database belong to nothing any more",
        ),
        Remark("users_left_behind", users, f"In no course, and without work: {counted(users, 'user')} of the database"),
    ]
