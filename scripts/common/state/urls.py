"""What a DATABASE_URL tells without a look at the database; the libraries for that take long to load."""

from pathlib import Path

FILE = "sqlite:///"


def is_server(url: str) -> bool:
    """Whether a database's URL is that of a PostgreSQL server."""
    return url.startswith("postgresql")


def file_of(url: str) -> Path:
    """The SQLite file of a URL that is no server's."""
    return Path(url.removeprefix(FILE))
