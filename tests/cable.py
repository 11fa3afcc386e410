"""A cable between scripts and a real PostgreSQL server, which tests pull out and put back."""

import selectors
import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

import sqlalchemy


class Cable:
    """Listens on a Unix socket of its own, and passes on what is said to and by the server at `url`.

    url: the server's, by way of the cable
    """

    def __init__(self, url):
        parsed = sqlalchemy.make_url(url)
        self._server = f"{parsed.query['host']}/.s.PGSQL.5432"
        self._folder = Path(tempfile.mkdtemp())  # a socket's path has to be short
        self._path = self._folder / ".s.PGSQL.5432"
        self.url = str(parsed.set(query={"host": str(self._folder)}))
        self._ends = []
        self._listener = None
        self.plug()

    def plug(self):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pull(self):
        """Every connection breaks, and new ones are refused."""
        listener, self._listener = self._listener, None
        self._path.unlink()
        if listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def remove(self):
        if self._listener:
            self.pull()
        shutil.rmtree(self._folder)

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            self._ends += [client, server]
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client, server):
        with client, server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            with suppress(OSError):
                while True:
                    for key, _ in selector.select():
                        said = key.fileobj.recv(65536)
                        if not said:
                            return
                        key.data.sendall(said)
