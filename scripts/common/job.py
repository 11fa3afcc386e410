"""The frame around every script: arguments, configuration, logging, the lock, exit codes."""

import argparse
import difflib
import errno
import functools
import gc
import logging
import logging.handlers
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import filelock

from binotel_core import BinotelClient, BinotelError, Ledger, SqliteLedger, Throttle
from common.files import keep_temporary_files_in
from common.settings import Settings, UsageError, load_settings
from common.state.urls import file_of, is_server

if TYPE_CHECKING:
    from common.calls.archive import Archive
    from common.state.locks import Lock  # it takes long to load, and some scripts have none

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_ALREADY_RUNNING = 75  # EX_TEMPFAIL of sysexits.h
EXIT_INTERRUPTED = 130  # as shells report Ctrl-C

MIN_SECRET_LENGTH = 6
LOG_FILE_BYTES, LOG_FILES_KEPT = 10_000_000, 5

log = logging.getLogger("job")
_hidden: tuple[str, ...] = ()  # never changed in place: threads that log go through it


@dataclass
class Job:
    """What a script's main() gets: its name, its arguments, the checked settings, and a client made of them."""

    name: str
    arguments: argparse.Namespace
    settings: Settings
    lock: "Lock | None" = None  # that this job is the only copy of itself; None where several may run
    failed: bool = False  # something was told as an error already, and the job went on

    @functools.cached_property
    def throttle(self) -> Throttle:
        return Throttle(ledger_of(self.settings.database_url), self.settings.key)

    @functools.cached_property
    def client(self) -> BinotelClient:
        settings = self.settings
        return BinotelClient(
            settings.key,
            settings.secret,
            throttle=self.throttle,
            base_url=settings.api_url,
            verify_answers=settings.verify_answers,
        )

    @functools.cached_property
    def archive(self) -> "Archive":
        """The calls that Binotel was asked for before."""
        from common.calls.archive import Archive  # with SQLAlchemy, which some scripts never need

        settings = self.settings
        return Archive(settings.database_url, settings.key, settings.timezone, keep_days=settings.calls_keep_days)

    def tell(self, path: Path) -> None:
        """Print the path of a file that was made. An output that is closed or full must not stop the job."""
        if problem := print_out(str(path)):
            self.fail(f"{path} was made, but its path cannot be printed: {problem}")

    def fail(self, problem: str) -> None:
        """Tell what went wrong where the job goes on all the same: it will end with exit code 1."""
        log.error("%s", problem)
        self.failed = True

    def note_requests(self) -> None:
        """Remember how much of the quota it has spent: see tell_health.py. What cannot be remembered is not counted."""
        if "throttle" not in vars(self) or not (granted := self.throttle.granted):
            return
        from common.state.store import Store  # with SQLAlchemy, which some scripts never need

        settings = self.settings
        with suppress(Exception):
            store = Store(settings.database_url, settings.key, "requests", keep_days=400, patience_seconds=1)
            store.change(self.name, lambda count, _: (count or 0) + granted)

    def check_lock(self) -> None:
        """To be called just before what cannot be undone: a mail, a message, a change of Binotel's data.

        Raises LockLostError when another copy of this job may be running, or the database is away, so that what was
        done could not be remembered.
        """
        if self.lock:
            self.lock.check()

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """SIGTERM and Ctrl-C take effect when the block is over: for what is done and then remembered.

        A second one takes effect at once.
        """
        interrupted: list[int] = []

        def note(number: int, frame: FrameType | None) -> None:
            interrupted.append(number)
            if len(interrupted) > 1:
                _stop(number, frame)

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if interrupted:
            raise KeyboardInterrupt

    def now(self) -> datetime:
        """This moment on the account's clock."""
        return datetime.now(self.settings.timezone)


def run(
    main: Callable[[Job], None],
    documentation: str | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    *,
    alone: bool = True,
    instead: Callable[[argparse.Namespace], bool] = lambda _: False,
) -> NoReturn:
    """Run a script's job and exit with its code: 0 done, 1 failed, 2 wrong usage or configuration, 75 already running.

    documentation: the script's docstring: what it is for, then examples; it is the --help
    add_arguments: adds the script's own arguments to the parser
    alone:         whether only one copy may run at a time for an account
    instead:       called with the arguments before the configuration is read; gives whether that was all
    """

    def run_job(name: str, arguments: argparse.Namespace) -> int:
        if instead(arguments):
            return 0
        settings = load_settings(arguments.config)
        hide_in_log(settings.secrets)
        for line in settings.lines():
            log.debug("Settings: %s", line)
        keep_temporary_files_in(settings.state_dir / "tmp")
        job = Job(name, arguments, settings)
        if alone:
            from common.state.locks import lock  # with SQLAlchemy, which some scripts never need

            job.lock = lock(settings.database_url, settings.key, name)
        with job.lock or nullcontext():
            try:
                main(job)
            finally:
                job.note_requests()
        return EXIT_FAILED if job.failed else 0

    run_command(run_job, documentation, add_arguments)


def run_command(
    main: Callable[[str, argparse.Namespace], int],
    documentation: str | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
) -> NoReturn:
    """Run what takes its name and its arguments and gives an exit code; every error becomes a sentence and a code."""

    def run_with_arguments() -> int:
        name = Path(sys.argv[0]).stem
        signal.signal(signal.SIGTERM, _stop)
        if sys.platform == "win32":
            signal.signal(signal.SIGBREAK, _stop)  # how run_schedule.py ends a job there
        arguments = _parser(documentation or "", add_arguments).parse_intermixed_args()
        _start_logging(name, arguments)
        if not arguments.verbose:
            # What Python says when it clears up after an error is no sentence for a user.
            sys.unraisablehook = lambda _: None
        return main(name, arguments)

    run_to_the_end(run_with_arguments)


def run_to_the_end(main: Callable[[], int]) -> NoReturn:
    """Run what gives an exit code, see to it that all that was printed is out, and exit with the code."""
    _open_streams()
    code = _code_of(main)
    gc.freeze()  # or Python looks through all that is loaded once more before it ends, for some 80 ms
    sys.exit(_code_with_output(code))


def _code_of(main: Callable[[], int]) -> int:
    """The exit code of what is run; an error was told in a sentence."""
    try:
        return main()
    except SystemExit as error:
        if isinstance(error.code, str):
            log.error("%s", error.code)
            return EXIT_FAILED
        return error.code or 0  # argparse has told why
    except UsageError as error:
        for fault in error.faults:
            log.error("%s", fault)
        return EXIT_USAGE
    except filelock.Timeout:
        log.error("This job is already running for this account. Nothing was done; try again when it is over.")
        return EXIT_ALREADY_RUNNING
    except KeyboardInterrupt:
        log.error("Stopped before the end.")
        return EXIT_INTERRUPTED
    except BinotelError as error:
        return _failed(str(error), getattr(error, "exit_code", EXIT_FAILED))
    except OSError as error:
        return _failed(f"{error.filename or 'A file or connection'}: {_reason(error)}")
    except Exception as error:
        return _failed(_what_went_wrong(error))


def ledger_of(database_url: str) -> Ledger:
    """Where the quota is kept in the project's database."""
    if is_server(database_url):
        from common.state.ledger import ServerLedger  # with SQLAlchemy, which some scripts never need

        return ServerLedger(database_url)
    return SqliteLedger(file_of(database_url))


def print_out(text: str) -> str:
    """Print what the user asked for; gives why that was not possible, or "".

    An output that is closed or full must not stop a job. Whoever reads it may stop in the middle, as `head` does: what
    follows is not printed. When it is full, that is told, and the exit code will be 1.
    """
    try:
        print(text, flush=True)  # noqa: T201 - the one place that prints
    except OSError as error:
        _lose_output(error)
    return _output_problem


def is_confirmed(question: str) -> bool:
    """Whether the person at the terminal says yes."""
    # What goes to standard output may be on its way into a file.
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        return False


# --- What is printed ---------------------------------------------------------

_output_problem = ""  # why nothing can be printed any more: a sentence, which was told


def _open_streams() -> None:
    """Have standard output and error be there whoever starts the script: pythonw.exe gives none, nor does `>&-`.

    The first file that is opened would have their numbers.
    """
    global _output_problem
    _output_problem = ""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - as Python opens them
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a letter must not stop a job


def _code_with_output(code: int) -> int:
    """The exit code, when all that was printed is out: what Python cannot write when it ends would make it 120."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _lose_output(error)
    except KeyboardInterrupt:  # nobody reads it
        _discard(sys.stdout)
        code = EXIT_INTERRUPTED
    try:
        sys.stderr.flush()
    except (OSError, KeyboardInterrupt):
        _discard(sys.stderr)
    return EXIT_FAILED if _output_problem and not code else code


def _lose_output(error: OSError) -> None:
    """Print nothing more; tell why, unless it is that nobody reads."""
    global _output_problem
    _discard(sys.stdout)
    is_closed = isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)
    if not is_closed and not _output_problem:
        _output_problem = _reason(error)
        log.error("Standard output: %s", _output_problem)


def _discard(stream: TextIO) -> None:
    """Have what the stream still holds, and whatever is written to it, go nowhere."""
    with suppress(OSError):  # of a stream that is no file, in tests
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


# --- Errors ------------------------------------------------------------------


def _failed(message: str, code: int = EXIT_FAILED) -> int:
    log.error("%s", message)
    log.debug("Where it happened:", exc_info=True)
    return code


def _reason(error: OSError) -> str:
    return f"{error.strerror or error}. {_remedy(error)}".strip()


def _what_went_wrong(error: Exception) -> str:
    from common.state import database  # with SQLAlchemy, which some scripts never need

    if isinstance(error, database.SQLAlchemyError):
        return f"The database cannot be used: {database.database_reason(error)}. {database.database_remedy(error)}"
    return f"An error in this program, please report it: {type(error).__name__}: {error}. Run it with -v to see where."


def _remedy(error: OSError) -> str:
    if os.name == "nt" and error.errno == errno.EACCES:
        return "Close it in Excel, and check who may write there."
    remedies = {
        errno.ENOSPC: "Free some space and run this again.",
        errno.EDQUOT: "Free some space and run this again.",
        errno.EACCES: "Check who may write there.",
        errno.EPERM: "Check who may write there.",
        errno.EROFS: "Choose a folder that can be written to.",
        errno.ENOTEMPTY: "Remove it to have it replaced.",
        errno.EEXIST: "It is a file, and a folder is needed there.",
        errno.EISDIR: "It is a folder, and a file is needed there.",
        errno.ENOTDIR: "A part of that path is a file, not a folder.",
    }
    return remedies.get(error.errno or 0, "")


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a job as Ctrl-C does, so that nothing half-written stays."""
    raise KeyboardInterrupt


class Parser(argparse.ArgumentParser):
    """A parser whose help is printed as everything else is; its description keeps its lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """End with exit code 2; a wrong option is told with the right one."""
        unknown = re.search(r"unrecognized arguments:.*?(--?[a-z][\w-]*)", message)
        near = difflib.get_close_matches(unknown[1], self._option_string_actions, 1) if unknown else []
        super().error(f"{message}. Did you mean {near[0]}?" if near else message)

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:
            print_out(message.removesuffix("\n"))
        else:
            with suppress(OSError):  # a wrong command line keeps its exit code where nothing can be told
                super()._print_message(message, file)


def _parser(documentation: str, add_arguments: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
    parser = Parser(description=documentation)
    add_arguments(parser)
    common = parser.add_argument_group("for every script")
    common.add_argument("--config", metavar="FILE", help="settings to use (default: $BINOTEL_CONFIG, else config.env)")
    loudness = common.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="tell every step, and where an error happened")
    loudness.add_argument("-q", "--quiet", action="store_true", help="tell errors only")
    return parser


def _start_logging(name: str, arguments: argparse.Namespace) -> None:
    """Log to stderr: to a person everything that matters, to cron only what needs somebody's attention."""
    logging.raiseExceptions = arguments.verbose  # a log on a full disk is not the job's failure
    level = logging.INFO if is_watched() else logging.WARNING
    if arguments.verbose:
        level = logging.DEBUG
    if arguments.quiet:
        level = logging.ERROR
    handler = logging.StreamHandler()
    handler.setFormatter(_Formatter(name, with_time=not is_watched()))
    logging.basicConfig(level=level, handlers=[handler])
    for library in ("filelock", "schedule", "urllib3", "s3fs", "botocore", "aiobotocore", "asyncio", "fsspec"):
        # Their steps are not the job's, and tell links that whoever has them may use.
        logging.getLogger(library).setLevel(logging.ERROR)


def log_to_file(path: Path, name: str) -> None:
    """Log there instead of to stderr; at 10 MB a new file is begun, and five old ones are kept. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = logging.handlers.RotatingFileHandler(path, "a", LOG_FILE_BYTES, LOG_FILES_KEPT, "utf-8")
    new.setFormatter(_Formatter(name, with_time=True))
    logging.root.handlers[:] = [new]


def hide_in_log(secrets: Iterable[str]) -> None:
    """Have these never be seen in the log."""
    global _hidden
    # The longest first, so that no part of one stays where another was found in it.
    _hidden = tuple(sorted({*_hidden, *secrets}, key=len, reverse=True))


def without_secrets(text: str) -> str:
    """The text with *** in place of what hide_in_log() was told; a very short one would be in every other word."""
    for secret in _hidden:
        if len(secret) >= MIN_SECRET_LENGTH:
            text = text.replace(secret, "***")
    return text


def is_watched() -> bool:
    """Whether a person sees what goes to stderr; pythonw.exe has none."""
    return sys.stderr is not None and sys.stderr.isatty()


class _Formatter(logging.Formatter):
    """Lines that begin with the script's name (and with the time, where nobody is watching), without any secret."""

    def __init__(self, name: str, *, with_time: bool) -> None:
        when = "%(asctime)s " if with_time else ""
        super().__init__(f"{when}{name.replace('%', '%%')}: %(levelname)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))
