"""`nbgrader fetch_assignment`: get an assignment to work on."""

import os
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.connection.dates import Dates, dates_in
from ngshare_fs.exchange.failures.problems import UntrustworthyAnswer, well_formed
from ngshare_fs.exchange.folders.checksum import checksum_of
from ngshare_fs.exchange.folders.file_names import path_in
from ngshare_fs.exchange.folders.moving import InTheWay, move_new
from ngshare_fs.exchange.folders.origin import ORIGIN, Origin, read_origin, write_origin
from ngshare_fs.exchange.folders.replacing import replacing_folder, scratch_folder_near
from ngshare_fs.exchange.folders.working_folder import is_copy, is_of
from ngshare_fs.exchange.receiving.received_tree import (
    Received,
    check_component,
    check_timestamp,
    check_tree,
    write_tree,
)
from ngshare_fs.formats.file_names import is_ignored

# Files that are named in a message.
MOST_NAMES = 10


class ExchangeFetchAssignment(Exchange, abc.ExchangeFetchAssignment):
    """Fetches the newest release, whole or not at all; what is there already stays."""

    def _load_config(self, cfg: Any, **kwargs: Any) -> None:
        if "ExchangeFetch" in cfg:
            self.log.warning("Use ExchangeFetchAssignment in config, not ExchangeFetch.")
            cfg.ExchangeFetchAssignment.merge(cfg.ExchangeFetch)
            del cfg.ExchangeFetch
        super()._load_config(cfg, **kwargs)

    def init_src(self) -> None:
        """Check what is asked for."""
        self.check_access()
        check_component(self.assignment, "assignment")
        if self.path_includes_course:
            check_component(self.course, "course")

    def init_dest(self) -> None:
        """Check that nothing is in the way."""
        folder = self.assignment_folder(self.course, self.assignment)
        self.dest_path = os.path.abspath(folder)
        if os.path.lexists(self.dest_path) and not os.path.isdir(self.dest_path):
            raise InTheWay(self.dest_path)
        self.origin = read_origin(self.dest_path)
        if self.origin and not is_of(self.origin, self.course, self.assignment):
            self.fail(
                f"{folder} is the assignment {self.origin.assignment} of the course {self.origin.course}, not "
                f"{self.assignment} of {self.course}. Nothing was fetched. Go to another folder for this course, or "
                "give each course a folder of its own (c.Exchange.path_includes_course = True in nbgrader_config.py)."
            )
        self.is_copy = os.path.isdir(self.dest_path) and is_copy(self.dest_path, self.origin, self.coursedir.ignore)
        if self.is_copy and not self.replace_missing_files:
            self.fail(
                f"You already have a copy of the assignment in this directory: {folder}. To get back files that you "
                "have deleted, run `nbgrader fetch_assignment --replace`; what you have changed stays."
            )

    def copy_files(self) -> None:
        """Download, check, and put in place."""
        self.log.info("Source: %s", self.api.url)
        self.log.info("Destination: %s", self.dest_path)
        if os.path.isdir(self.dest_path):
            with scratch_folder_near(self.dest_path) as parts:
                files, timestamp, dates = self._download(parts)
                self._put_missing(files, timestamp)
        else:
            with replacing_folder(self.dest_path) as place:
                files, timestamp, dates = self._download(place.parts)
                write_tree(place.tree, files)
                write_origin(place.tree, self._origin_of(files, timestamp))
        self.log.info("Fetched as: %s %s", self.course, self.assignment)
        said = "" if dates is None else dates.in_words(datetime.now(timezone.utc))
        if said:
            self.log.info("%s %s: %s", self.course, self.assignment, said)

    def _download(self, parts: str) -> tuple[list[Received], str | None, Dates | None]:
        """The files of the newest release; its time, and the dates of the assignment, where the server says them."""
        answer = self.api.fetch(self.course, self.assignment, parts)
        files = [
            file
            for file in check_tree(answer)
            if file.path != ORIGIN and not is_ignored(file.path, self.coursedir.ignore)
        ]
        with well_formed(self.api.url):
            dates = dates_in(answer)
        try:
            return files, check_timestamp(answer.get("timestamp")), dates
        except UntrustworthyAnswer:
            return files, None, dates

    def _origin_of(self, files: Sequence[Received], timestamp: str | None) -> Origin:
        return Origin(self.course, self.assignment, timestamp, {file.path: file.checksum for file in files})

    def _put_missing(self, files: Sequence[Received], timestamp: str | None) -> None:
        """Put beside what is there what is not, and note down of which release it all is."""
        known = dict(self.origin.files) if self.origin else {}
        for file in files:
            if self._put_if_missing(file) or checksum_of(path_in(self.dest_path, file.path)) == file.checksum:
                known[file.path] = file.checksum
        older = [file.path for file in files if known.get(file.path) != file.checksum]
        if not older:
            origin = self._origin_of(files, timestamp)
        elif self.origin:
            self._say_that_there_is_a_newer_release(older, self.origin.timestamp, timestamp)
            origin = Origin(self.course, self.assignment, self.origin.timestamp, known)
        else:
            return  # nobody knows of which release the rest is
        try:
            write_origin(self.dest_path, origin)
        except OSError as error:
            self.log.warning("It could not be noted down of which release this is: %s", error)

    def _say_that_there_is_a_newer_release(self, older: list[str], mine: str | None, newest: str | None) -> None:
        names = ", ".join(older[:MOST_NAMES]) + (f" and {len(older) - MOST_NAMES} more" * (len(older) > MOST_NAMES))
        self.log.warning(
            "There is a newer release of %s%s; you have fetched an older one%s. Different in the newer one, and kept "
            "here as they are: %s. To get the newer ones, rename yours, and run `nbgrader fetch_assignment --replace` "
            "again.",
            self.assignment,
            f" ({newest})" if newest else "",
            f" ({mine})" if mine else "",
            names,
        )

    def _put_if_missing(self, file: Received) -> bool:
        place = path_in(self.dest_path, file.path)
        if os.path.lexists(place):
            return False
        folder = os.path.dirname(place)
        # A link that the student has put there must not have us write elsewhere.
        inside = os.path.realpath(self.dest_path)
        if os.path.commonpath([os.path.realpath(folder), inside]) != inside:
            self.fail(f"{folder} is a link that leads out of the assignment; {file.path} was not replaced.")
        if self.is_copy:
            self.log.warning("Replacing missing file '%s'", os.path.relpath(place))
        try:
            os.makedirs(folder, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise InTheWay(_first_that_is_no_folder(self.dest_path, folder)) from None
        try:
            move_new(file.place, place)
        except FileExistsError:
            return False  # made at this moment
        return True


def _first_that_is_no_folder(folder: str, below: str) -> str:
    place = folder
    for name in os.path.relpath(below, folder).split(os.sep):
        place = os.path.join(place, name)
        if not os.path.isdir(place):
            break
    return place
