"""A process that has loaded all that jobs need, and forks one for each of them: a start costs what its work costs.

Linux alone: elsewhere a fork of a process with libraries is not safe, or there is none.
"""

import atexit
import ctypes
import errno
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, NoReturn

from common.settings import JOBS, PROJECT_ROOT

SCRIPTS = PROJECT_ROOT / "scripts"
PR_SET_PDEATHSIG = 1
LONGEST_MESSAGE = 100_000
# What jobs load when they need it, some of it late and slowly.
PRELOADED = (
    "common.messages.chats",
    "common.recordings.storage",
    "common.reports.workbook",
    "common.state.ledger",
    "common.state.locks",
    "common.state.store",
    "sqlalchemy.dialects.sqlite",
)
ONLY_IF_THERE = ("sqlalchemy.dialects.postgresql", "psycopg")

# --- The loop's side ---------------------------------------------------------


class Forked:
    """A process that was forked: as much of subprocess.Popen as is needed.

    pid: also of its group
    """

    def __init__(self, pid: int, output: IO[str], status: IO[str]) -> None:
        self.pid = pid
        self.stdout = output
        self._status = status

    def wait(self) -> int:
        """Its exit code, or minus the signal that ended it; -SIGKILL when the server is gone, and with it its jobs."""
        with self._status:
            return int(self._status.readline() or -signal.SIGKILL)


class ForkServer:
    """Starts jobs, by a server that is begun when the first one is, and anew when what it has loaded has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._ending: list[subprocess.Popen[bytes]] = []
        self._code: dict[Path, tuple[int, int]] = {}  # as states() gives it, when the server was begun
        self._configs: dict[Path, tuple[int, int]] = {}  # when each was first used since

    def start(self, command: list[str]) -> Forked:
        """Run a script with arguments, its output and errors in one pipe. Raises OSError.

        It is a ConnectionError when there is no server: something cannot be loaded, or memory is short.
        """
        with self._lock:
            config = [Path(command[index + 1]) for index, word in enumerate(command) if word == "--config"]
            if self._process is None or self._process.poll() is not None or self._has_changed(config):
                self._begin()
            self._configs = states(config) | self._configs
            try:
                return self._ask(command)
            except ConnectionError:  # it has just died
                self._begin()
                return self._ask(command)

    def _ask(self, command: list[str]) -> Forked:
        assert self._socket  # noqa: S101 - for mypy: start() has seen to it
        output, output_there = os.pipe()
        try:
            status, status_there = os.pipe()
        except OSError:
            os.close(output)
            os.close(output_there)
            raise
        try:
            socket.send_fds(self._socket, [json.dumps(command).encode()], [output_there, status_there])
        except BaseException:
            os.close(output)
            os.close(status)
            raise
        finally:
            os.close(output_there)
            os.close(status_there)
        lines, text = os.fdopen(status, encoding="ascii"), os.fdopen(output, encoding="utf-8", errors="replace")
        if pid := lines.readline():
            return Forked(int(pid), text, lines)
        lines.close()
        text.close()
        raise BrokenPipeError(errno.EPIPE, "The process that starts jobs could not")

    def close(self) -> None:
        """Let the server end when its last job has."""
        if self._socket and self._process:
            self._socket.close()
            self._ending.append(self._process)
            self._socket = self._process = None
        self._ending = [process for process in self._ending if process.poll() is None]

    def _begin(self) -> None:
        self.close()
        self._code, self._configs = states(code_files()), {}
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # In place of the folder that the loop was started in, where anybody's random.py may be.
        path = f"import sys; sys.path[0] = {str(SCRIPTS)!r}"
        program = f"{path}; from common.schedule.fork_server import serve; serve({os.getpid()})"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    def _has_changed(self, config: list[Path]) -> bool:
        is_another = any(self._configs.get(path, state) != state for path, state in states(config).items())
        return is_another or states(code_files()) != self._code


def code_files() -> list[Path]:
    """What a server has loaded: our modules, and the folder that tells of every package that came or went."""
    return [*SCRIPTS.rglob("*.py"), PROJECT_ROOT / "binotel_core.py", Path(sysconfig.get_path("purelib"))]


def states(paths: list[Path]) -> dict[Path, tuple[int, int]]:
    """When each file was written, and its size."""
    found = {}
    for path in paths:
        with suppress(OSError):
            status = path.stat()
            found[path] = (status.st_mtime_ns, status.st_size)
    return found


# --- The server's side -------------------------------------------------------


def serve(parent: int) -> None:
    """Fork a job for each request that comes over standard input; end when nobody asks any more and all have ended.

    When its parent, who asks, is killed, all that runs is killed, too.
    """
    # systemd may send SIGTERM to all of a service's processes: if this one ended, what it has forked would be killed.
    # And one that reaches a job before that is ready for it is not lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    preload()
    requests = socket.socket(fileno=os.dup(0))
    waking, wake = os.pipe()
    for end in (waking, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    jobs: dict[int, int] = {}  # the status pipe of each
    asks = True
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        selector.register(waking, selectors.EVENT_READ)
        while asks or jobs:
            for key, _ in selector.select(timeout=1):
                if key.fileobj is requests:
                    message, handles, _, _ = socket.recv_fds(requests, LONGEST_MESSAGE, 2)
                    if message:
                        output, status = handles
                        try:
                            jobs[pid := fork(json.loads(message), output)] = status
                        except OSError:  # no memory: who asked sees that nothing comes
                            os.close(status)
                        else:
                            with suppress(OSError):  # who asked is gone
                                os.write(status, f"{pid}\n".encode())
                        os.close(output)
                    else:
                        asks = False
                        selector.unregister(requests)
                else:
                    with suppress(BlockingIOError):
                        os.read(waking, 1000)
            reap(jobs)
            if os.getppid() != parent:
                for pid in jobs:
                    with suppress(OSError):
                        os.killpg(pid, signal.SIGKILL)
                return


def preload() -> None:
    """Load what jobs need, without a thread, a connection or a setting."""
    for name in (*JOBS, *PRELOADED):
        importlib.import_module(name)
    for name in ONLY_IF_THERE:
        with suppress(ImportError):
            importlib.import_module(name)
    from common.messages import templates

    templates.compile_all()
    import apprise

    apprise.Apprise().add("json://127.0.0.1")  # it looks for all its plugins when it sees the first address
    assert threading.active_count() == 1  # noqa: S101 - a fork would lose the others
    gc.collect()
    gc.freeze()  # or every child would copy it all, looking for garbage


def reap(jobs: dict[int, int]) -> None:
    """Tell how those ended that have."""
    while jobs:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        handle = jobs.pop(pid)
        with suppress(OSError):
            os.write(handle, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(handle)


def fork(command: list[str], output: int) -> int:
    """Begin a job; gives its number, which is also its group's. Raises OSError."""
    server = os.getpid()
    pid = os.fork()
    if pid:
        with suppress(OSError):  # it has ended
            os.setpgid(pid, pid)  # both do it: nobody knows who is first
        return pid
    code = 1
    try:
        set_up(output, server)
        code = run(command)
    except BaseException:
        traceback.print_exc()
    finally:
        end(code)


def set_up(output: int, server: int) -> None:
    """Make a process that was just forked as a fresh one is."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(1)  # it was killed before that was asked for
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for target in (1, 2):
        os.dup2(output, target)
    with open(os.devnull) as nothing:  # noqa: PTH123 - a handle is wanted
        os.dup2(nothing.fileno(), 0)
    sys.stdin, sys.stdout, sys.stderr = (
        open(handle, mode, buffering, "utf-8", errors, closefd=False)  # noqa: SIM115 - as Python opens them
        for handle, mode, buffering, errors in (
            (0, "r", -1, "strict"),
            (1, "w", -1, "strict"),
            (2, "w", 1, "backslashreplace"),
        )
    )
    os.closerange(3, 65536)
    random.seed()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def end(code: int) -> NoReturn:
    """End as Python does, but for taking everything apart, which costs more than many a job."""
    try:
        threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as multiprocessing does it
        atexit._run_exitfuncs()
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def run(command: list[str]) -> int:
    """Run a script as Python would; gives its exit code."""
    sys.argv = command
    loaded = sys.modules.get(Path(command[0]).stem)
    try:
        if loaded and loaded.__file__ == command[0]:
            from common import job

            job.run(loaded.main, loaded.__doc__, loaded.add_arguments)
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)  # noqa: T201
            return 1
        return error.code or 0
    return 0
