"""A whole `nbgrader submit` with the plug-ins, from the command to its end, beside what importing nbgrader takes."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from bench import checks
from bench.bodies import SUBMISSION, make_files
from bench.client import Address, Client
from bench.figures import Target, of
from bench.load import Measured, in_own_process
from bench.rivals import Rival
from bench.sample import Course, Sample, students
from bench.works import Options, Work
from examples.whole_cycle import environments
from tests.others.ngshare_reference import NotInstallable

COURSE, ASSIGNMENT = "math", "ps1"
TURNS = 10
COMMAND_SECONDS = 120
[STUDENT] = students(1)
CONFIGURATION = """\
from ngshare_fs.exchange import configure_exchange

c = get_config()
configure_exchange(c)
c.CourseDirectory.course_id = "math"
"""


class Home:
    """A student's.

    Args:
        folder: made here.
        programs: where nbgrader is.
        url: of the server.
    """

    def __init__(self, folder: Path, programs: Path, url: str) -> None:
        self._folder, self._programs = folder, programs
        (folder / ".jupyter").mkdir(parents=True)
        (folder / ".jupyter" / "nbgrader_config.py").write_text(CONFIGURATION)
        self._environment = {
            "NGSHARE_URL": url,
            "JUPYTERHUB_USER": STUDENT,
            "HOME": str(folder),
            "PATH": os.pathsep.join([str(programs), os.defpath]),
            "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "IPYTHONDIR": str(folder / ".ipython"),
            "LC_ALL": "C.UTF-8",
            "NO_PROXY": "*",
        }

    def write(self, turn: int) -> None:
        """Write the work, another one each time."""
        for path, content in make_files(SUBMISSION, turn).items():
            file = self._folder / ASSIGNMENT / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def seconds(self, program: str, *arguments: str) -> float:
        """Run a program of nbgrader's environment at home; gives how long it took.

        Raises:
            RuntimeError: it failed; the message has what it printed.
        """
        command = [str(self._programs / program), *arguments]
        started = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        taken = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        return taken


async def count(address: Address, wanted: int) -> Measured:
    """Whether so many submissions have arrived."""
    measured = Measured()
    answer = await Client(address).ask("GET", f"submissions/{COURSE}/{ASSIGNMENT}/{STUDENT}", user=STUDENT)
    with measured.checking("GET submissions"):
        if len(checks.submissions_in(answer)) != wanted:
            measured.blame(f"other than {wanted} submissions arrived")
    return measured


class Submit(Work):
    """See above."""

    title = "nbgrader submit: 100 KiB in 3 files, from the command to its end"
    rivals = ("ours",)
    rows = (
        ("submit", "nbgrader submit: median, ms"),
        ("import", "importing nbgrader, in turns with it: median, ms"),
        ("beyond", "beyond importing, ms"),
        ("share", "beyond importing, as a multiple of importing"),
    )
    # Before it was made faster, it took 0.23 times as long as importing: a ratio, since milliseconds judge the machine.
    targets = (
        Target("beyond importing nbgrader: half of 0.23 × that", of("ours", "share"), 0.115, unit="× importing"),
    )

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.turns = options.scaled(TURNS, 1)

    def samples(self, rival: Rival) -> dict[str, Sample]:
        return {"": Sample([Course(COURSE, [STUDENT], [ASSIGNMENT])])}

    def measure(self, rival: Rival, folders: Mapping[str, Path]) -> tuple[dict[str, float], list[Measured]]:
        try:
            programs = environments.for_plug_ins()
        except RuntimeError as error:
            raise NotInstallable(f"nbgrader cannot be installed here:\n{error}") from None
        submits, imports = [], []
        with rival.running(folders[""]) as server:
            home = Home(folders[""] / "home", programs, server.url)
            for turn in range(self.turns + 1):  # the first of each reads all modules from the disk
                home.write(turn)
                imports.append(home.seconds("python", "-c", "import nbgrader.apps.nbgraderapp"))
                submits.append(home.seconds("nbgrader", "submit", ASSIGNMENT))
            arrived = in_own_process(count, server.address, self.turns + 1)
        figures = {
            "submit": 1000 * statistics.median(submits[1:]),
            "import": 1000 * statistics.median(imports[1:]),
        }
        figures["beyond"] = figures["submit"] - figures["import"]
        figures["share"] = figures["beyond"] / figures["import"]
        return figures, [arrived]


WORK = Submit
