"""`nbgrader fetch_assignment`: get an assignment to work on."""

import os
from typing import Any

from nbgrader.exchange import abc

from ngshare_fs.exchange.base import Exchange
from ngshare_fs.exchange.receiving import (
    Received,
    aside,
    beside,
    check_component,
    check_tree,
    is_ignored,
    move,
    write_tree,
)


class ExchangeFetchAssignment(Exchange, abc.ExchangeFetchAssignment):
    """Fetches the newest release, whole or not at all."""

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
        if os.path.isdir(self.dest_path) and not self.replace_missing_files:
            self.fail(
                f"You already have a copy of the assignment in this directory: {folder}. To get back files that you "
                "have deleted, run `nbgrader fetch_assignment --replace`; what you have changed stays."
            )

    def copy_files(self) -> None:
        """Download, check, and put in place."""
        self.log.info("Source: %s", self.api.url)
        self.log.info("Destination: %s", self.dest_path)
        if os.path.isdir(self.dest_path):
            with beside(self.dest_path) as parts:
                for file in self._download(parts):
                    self._replace_if_missing(file)
        else:
            with aside(self.dest_path) as place:
                write_tree(place.tree, self._download(place.parts))
        self.log.info("Fetched as: %s %s", self.course, self.assignment)

    def _download(self, parts: str) -> list[Received]:
        answer = self.api.fetch(self.course, self.assignment, parts)
        return [file for file in check_tree(answer) if not is_ignored(file.path, self.coursedir.ignore)]

    def _replace_if_missing(self, file: Received) -> None:
        place = os.path.join(self.dest_path, file.path)
        if os.path.lexists(place):
            return
        folder = os.path.dirname(place)
        # A link that the student has put there must not have us write elsewhere.
        inside = os.path.realpath(self.dest_path)
        if os.path.commonpath([os.path.realpath(folder), inside]) != inside:
            self.fail(f"{folder} is a link that leads out of the assignment; {file.path} was not replaced.")
        self.log.warning("Replacing missing file '%s'", os.path.relpath(place))
        os.makedirs(folder, exist_ok=True)
        move(file.place, place)
