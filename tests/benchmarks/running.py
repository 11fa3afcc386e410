"""What a run costs: the CPU seconds of the loop's process, of the one that forks, and of the job."""

import http.server
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy

from common.schedule import runs

TICK = os.sysconf("SC_CLK_TCK")


class Chat(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def chat() -> Iterator[int]:
    """A chat that takes every message; gives its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def cpu() -> float:
    """CPU seconds of this process, of what it has waited for, and of the one that forks with all it has waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    used = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    if runs.FORKS and runs._server._process:
        fields = Path(f"/proc/{runs._server._process.pid}/stat").read_text().rpartition(")")[2].split()
        used += sum(map(int, fields[11:15])) / TICK
    return used


def cpu_of_run(script: str, config: Path, database: str) -> float:
    """The CPU seconds of a run under the loop."""
    engine = sqlalchemy.create_engine(database, poolclass=sqlalchemy.NullPool)
    with suppress(sqlalchemy.exc.DBAPIError), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM heavy_requests")  # or each would wait for the quota
    before, outcomes = cpu(), []
    command = [script, "--config", str(config)]
    run = runs.Run("job", command, 60, lambda: None, outcomes.append)
    run.join()
    assert [outcome.problem for outcome in outcomes] == [""], outcomes
    return cpu() - before
