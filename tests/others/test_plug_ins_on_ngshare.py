"""nbgrader's plug-ins work on ngshare 0.6.0, too, and say what that server cannot do."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngshare_fs.exchange.connection.client import Client
from ngshare_fs.exchange.connection.exchange_api import ExchangeApi
from ngshare_fs.exchange.connection.server import Server
from ngshare_fs.exchange.failures.problems import Refused, ServerProblem
from ngshare_fs.exchange.receiving.received_tree import check_tree
from ngshare_fs.exchange.sending.request_body import Body, LocalFile
from tests.local_files import checksums_of, files_in

from .ngshare_reference import NotInstallable, python, running_ngshare

pytestmark = pytest.mark.others

COURSE, ASSIGNMENT = "NBG 101", "ps 1+ü"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        python()
    except NotInstallable as error:
        pytest.skip(str(error))
    with running_ngshare(tmp_path_factory.mktemp("ngshare") / "data", "--vngshare") as server:
        yield server.url


def _client(url: str, user: str) -> Client:
    return Client(Server(url, f"user:{user}", user, standalone=True), 10, logging.getLogger("test"))


def _files(folder: Path, content: bytes) -> list[LocalFile]:
    (folder / "data").mkdir(parents=True)
    (folder / "p.ipynb").write_bytes(content)
    (folder / "data" / "größe.csv").write_bytes(bytes(range(256)))
    return files_in(str(folder))


def test_work_goes_out_and_comes_back(url: str, tmp_path: Path) -> None:
    _client(url, "root").call("POST", "course", COURSE, body=Body({"instructors": '["teach"]'}))
    names = {"first_name": "", "last_name": "", "email": ""}
    _client(url, "teach").call("POST", "student", COURSE, "ann", body=Body(names))
    teach, ann = ExchangeApi(_client(url, "teach")), ExchangeApi(_client(url, "ann"))
    released = _files(tmp_path / "release", b"{}")
    teach.release(COURSE, ASSIGNMENT, released, checksums_of(released))
    parts = tmp_path / "parts"
    parts.mkdir()
    answer = ann.fetch(COURSE, ASSIGNMENT, str(parts))
    fetched = {file.path: Path(file.place).read_bytes() for file in check_tree(answer)}
    assert fetched["p.ipynb"] == b"{}"
    assert fetched["data/größe.csv"] == bytes(range(256))

    work = _files(tmp_path / "work", b'{"cells": []}')
    receipt = ann.submit(COURSE, ASSIGNMENT, work, "key", None)
    assert "files" not in receipt  # this server gives none
    timestamp = receipt["timestamp"]
    (course,) = ann.listing().courses
    assert course.assignments[ASSIGNMENT].notebooks == ("p",)
    (submission,) = course.submissions
    assert (submission.student, submission.timestamp, submission.has_feedback) == ("ann", timestamp, False)
    (answer,) = teach.collect(COURSE, ASSIGNMENT, {"ann": timestamp}, None, str(parts))
    assert {file.path for file in check_tree(answer)} == {"p.ipynb", "data/größe.csv"}

    teach.give_feedback(COURSE, ASSIGNMENT, "ann", timestamp, _files(tmp_path / "feedback", b"good"))
    (submission,) = ann.listing(COURSE).courses[0].submissions
    assert submission.feedback is not None
    assert submission.feedback.keys() == {"p.ipynb", "data/größe.csv"}
    (submission,) = teach.listing(COURSE, everybody=True).courses[0].submissions
    assert (submission.student, submission.has_feedback) == ("ann", True)

    with pytest.raises(ServerProblem, match=r"without destroying .* --remove 'ps 1\+ü' --course 'NBG 101' "):
        teach.release_again(COURSE, ASSIGNMENT, released)
    # It knows no dates.
    assert teach.newest_release(COURSE, ASSIGNMENT).dates is None
    assert teach.dates.deadlines(COURSE, ASSIGNMENT) is None
    assert teach.graders(COURSE) == set()
    with pytest.raises(Refused) as refused:
        teach.dates.set_due(COURSE, ASSIGNMENT, "2026-11-15 23:59:59 UTC")
    assert refused.value.knows_no_such_call
    with pytest.raises(ServerProblem, match="students would see the assignment at once"):
        teach.dates.check_heeded(COURSE, ASSIGNMENT)
    with pytest.raises(ServerProblem, match="cannot remove single submissions"):
        teach.remove_submission(COURSE, ASSIGNMENT, "ann", timestamp)
    with pytest.raises(Refused, match="Permission denied"):
        ann.unrelease(COURSE, ASSIGNMENT)
    teach.unrelease(COURSE, ASSIGNMENT)
    assert ann.listing().courses[0].assignments == {}
