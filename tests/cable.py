"""A cable between scripts and a real PostgreSQL server, which tests pull out and put back."""

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
        self._folder = Path(tempfile.mkdtemp(dir="/tmp"))  # a socket's path has to be short
        self._path = self._folder / ".s.PGSQL.5432"
        self.url = str(parsed.set(query={"host": str(self._folder)}))
        self._clients, self._servers = [], []
        self._listener = None
        self._was_pulled = False  # by pull_after()
        self._flows = threading.Event()
        self._flows.set()
        self.plug()

    def plug(self):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pull(self):
        """Every connection breaks, and new ones are refused."""
        self._listener.close()
        self._listener = None
        self._path.unlink()
        self.break_off()
        self.let_go()

    def pull_after(self, sandbox, method, monkeypatch):
        """Pull it when the sandbox answers a request of this method for the first time."""
        answer = sandbox.answer

        def answer_and_pull(name, *request):
            answered = answer(name, *request)
            if name == method and not self._was_pulled:
                self._was_pulled = True
                self.pull()
            return answered

        monkeypatch.setattr(sandbox, "answer", answer_and_pull)

    def break_off(self):
        """The scripts' connections break, and the server does not know it before let_go()."""
        close(self._clients)

    def let_go(self):
        close(self._servers)

    def freeze(self):
        """Whatever is said from now on arrives nowhere, and nothing breaks."""
        self._flows.clear()

    def remove(self):
        self._flows.set()
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
            self._clients.append(client)
            self._servers.append(server)
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, client), daemon=True).start()

    def _pass_on(self, source, target, closed_at_its_end=None):
        with suppress(OSError):
            while said := source.recv(65536):
                self._flows.wait()
                target.sendall(said)
        if closed_at_its_end:
            close([closed_at_its_end])


def close(ends):
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
    ends.clear()
