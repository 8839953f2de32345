"""Courses that use ngshare's own client, ngshare_exchange 0.5.3, go on as before.

The steps, each with its checks, are those of `examples/whole_cycle`, where the client does not differ. 0.5.2, of which
nothing but the version number differs, went the same way when it was tried by hand.
"""

from pathlib import Path

import pytest

from examples.environments import made
from examples.whole_cycle.cycle import ASSIGNMENT, DATA_FILE, Cycle
from tests import servers
from tests.fork_server import fork_server
from tests.nbgrader.people import OF_NBGRADER, forking
from tests.others.old_client import environment
from tests.others.old_client.steps import with_dates

pytestmark = pytest.mark.others

CONFIGURATION = Path(__file__).parent / "old_client" / "nbgrader_config.py"


@pytest.fixture(scope="session")
def nbgrader() -> Path:
    """The folder of the programs of nbgrader and the old client."""
    return environment.programs()


def test_an_assignment_goes_out_and_comes_back(nbgrader: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    with servers.running(volume) as server:
        run = forking(fork_server(nbgrader / "python", *OF_NBGRADER, "requests"))
        cycle = Cycle(server.url, tmp_path / "people", nbgrader, configuration=CONFIGURATION, run_program=run)
        cycle.run(with_dates(server.url))
        assert "Traceback" not in server.log

    timestamps = [submission.timestamp for work in cycle.submissions.values() for submission in work]
    assert len(set(timestamps)) == 4
    assert all(timestamp.endswith(" UTC") for timestamp in timestamps)
    # The tree is the truth: what went through the server lies there as it was, under its own name.
    handed_out = (cycle.course_folder / "release" / ASSIGNMENT / DATA_FILE).read_bytes()
    assignment = volume / "courses" / cycle.course / "assignments" / ASSIGNMENT
    kept = list(assignment.glob(f"releases/*/files/{DATA_FILE}"))
    assert [path.read_bytes() for path in kept] == [handed_out]
    for student, submissions in cycle.submissions.items():
        kept = sorted(assignment.glob(f"submissions/{student}/*/files/problem1.ipynb"))
        assert [path.read_bytes() for path in kept] == [work.files["problem1.ipynb"] for work in submissions]


def test_a_half_made_environment_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGSHARE_FS_TEST_CACHE", str(tmp_path))
    left_over = tmp_path / "empty" / "bin" / "left-over"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    said: list[str] = []

    programs = made("empty", [], said.append)
    assert programs == tmp_path / "empty" / "bin"
    assert (programs / "python").exists()
    assert not left_over.exists()
    assert len(said) == 1

    assert made("empty", [], said.append) == programs
    assert len(said) == 1  # the finished one is used as it is
