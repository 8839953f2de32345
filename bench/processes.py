"""Our processes beside gunicorn with aiohttp's worker: start, memory, requests lost at restarts.

Run as `python -m bench.processes [ROUNDS]` where gunicorn is installed. `docs/processes.md` has what it gave.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

from bench.usage import proportional

BODY = urlencode({"user": "lawrence", "files": '[{"path": "p.ipynb", "content": "e30K"}]'}).encode()
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RESTARTS = 5
PAUSE = 4.0


def command(kind: str, workers: int, port: int) -> list[str]:
    if kind == "ngshare-fs":
        return [sys.executable, "-m", "ngshare_fs", "serve", "--standalone", "--debug", "--admins", "root",
                "--port", str(port), "--workers", str(workers)]  # fmt: skip
    return [sys.executable, "-m", "gunicorn", "-k", "aiohttp.GunicornWebWorker", "-w", str(workers),
            "-b", f"127.0.0.1:{port}", "--graceful-timeout", "60", "--access-logfile", "-",
            "bench.gunicorn_application:application"]  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def get(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


class Clients:
    """Six clients without a pause: three on new connections, three that keep theirs."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.over = threading.Event()
        self.count = {"new": 0, "kept": 0}
        self.lost = {"new": 0, "kept": 0}
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self._ask, args=("new" if n % 2 else "kept", n)) for n in range(6)]
        for thread in self.threads:
            thread.start()

    def _ask(self, kind: str, number: int) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.over.is_set():
            started = time.monotonic()
            try:
                if number < 2:
                    connection.request("POST", "/api/submission/course1/challenge", BODY, FORM)
                else:
                    connection.request("GET", "/api/assignment/course1/challenge?user=lawrence")
                response = connection.getresponse()
                response.read()
                ok = response.status == 200
            except Exception:
                ok = False
                connection.close()
            self.count[kind] += 1
            self.lost[kind] += not ok
            self.slowest = max(self.slowest, time.monotonic() - started)
            if kind == "new":
                connection.close()
        connection.close()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


def upload_over(port: int, pid: int, number: signal.Signals) -> bool:
    """Whether a submission that is half sent when the signal comes gets its answer."""
    try:
        upload = socket.create_connection(("127.0.0.1", port), timeout=20)
    except OSError:
        return False
    with upload:
        head = "POST /api/submission/course1/challenge HTTP/1.1\r\nHost: x\r\n"
        head += f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: {len(BODY)}\r\n\r\n"
        upload.sendall(head.encode() + BODY[:20])
        time.sleep(0.5)
        os.kill(pid, number)
        time.sleep(2)
        try:
            upload.sendall(BODY[20:])
            return upload.recv(12).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


def measure(kind: str, workers: int, folder: str) -> None:
    port = free_port()
    environment = {**os.environ, "NGSHARE_FS_DATA": folder + "/data"}
    with open(folder + "/log", "wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(command(kind, workers, port), env=environment, stdout=log, stderr=log)
    while True:
        try:
            get(port, "/api/healthz")
            break
        except OSError:
            time.sleep(0.005)
    start = time.monotonic() - started
    time.sleep(2)
    get(port, "/api/initialize-Data6ase?action=init&user=root")
    idle = proportional(process.pid)
    clients = Clients(port)
    time.sleep(2)
    for _ in range(RESTARTS):
        process.send_signal(signal.SIGHUP)
        time.sleep(PAUSE)
    clients.stop()
    over_restart = upload_over(port, process.pid, signal.SIGHUP)
    time.sleep(PAUSE)
    over_stop = upload_over(port, process.pid, signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
    print(
        f"{kind:<11} workers {workers}: start {start:.2f} s, idle {idle:.0f} MiB, "
        f"lost {clients.lost['new']}/{clients.count['new']} new {clients.lost['kept']}/{clients.count['kept']} kept, "
        f"slowest {clients.slowest:.2f} s, upload over restart {over_restart}, over stop {over_stop}",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.processes", description="See docs/processes.md.")
    parser.add_argument("rounds", metavar="ROUNDS", type=int, nargs="?", default=1)
    for _ in range(parser.parse_args().rounds):
        for how_many in (2, 4):  # one alone is not restarted
            for what in ("ngshare-fs", "gunicorn"):
                with tempfile.TemporaryDirectory() as place:
                    measure(what, how_many, place)
