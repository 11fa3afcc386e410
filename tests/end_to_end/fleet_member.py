"""One of several machines' loops, by a virtual clock: python fleet_member.py DATABASE CLOCK NUMBER CONFIG ...

The loop, what it remembers and its locks are the real ones, on a real server, whose clock is the table virtual_clock.
CLOCK is a file that the test shares: the virtual time, then the last time at which each member has looked at its jobs.
The member's own clock is wrong by minutes. Its runs take virtual time, and are noted in the table runs.
"""

import logging
import mmap
import random
import struct
import sys
import time
from pathlib import Path

import sqlalchemy

from common.schedule import loop, planned
from common.schedule.runs import Outcome
from common.settings import load_settings
from common.state import database

MOMENT = struct.Struct("d")


class Clock:
    """A file of moments: 0 is the virtual time, the others are the members'."""

    def __init__(self, path):
        with Path(path).open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def __getitem__(self, number):
        return MOMENT.unpack_from(self._memory, number * MOMENT.size)[0]

    def __setitem__(self, number, moment):
        MOMENT.pack_into(self._memory, number * MOMENT.size, moment)


class WrongClock:
    """Stands in for the module time, on a machine whose clock is wrong by `off` seconds."""

    def __init__(self, clock, off):
        self._clock, self._off = clock, off

    def time(self):
        return self._clock[0] + self._off

    def monotonic(self):
        return self._clock[0]

    def sleep(self, seconds):
        time.sleep(0.001)


class VirtualRun:
    outcome = None

    def __init__(self, job, clock, connection, host):
        self._planned, self._clock, self._connection = job, clock, connection
        self._began = clock[0]
        chance = random.Random(f"{job.label} {self._began}")
        self._ends = self._began + chance.choice([1, 20, 90, 240])
        self._problem = chance.choice(["", "", "", "It failed."])
        began = "INSERT INTO runs (account, job, host, began) VALUES (:account, :job, :host, :began) RETURNING id"
        values = {"account": job.account.name, "job": job.job, "host": host, "began": self._began}
        self._id = connection.execute(sqlalchemy.text(began), values).scalar_one()

    def is_alive(self):
        if self.outcome is None and self._clock[0] >= self._ends:
            self._note("ended")
            self.outcome = Outcome(self._began, self._clock[0], self._problem)
            self._planned.end(self.outcome)
            self._note("noted")
        return self.outcome is None

    def _note(self, column):
        values = {"now": self._clock[0], "id": self._id}
        self._connection.execute(sqlalchemy.text(f"UPDATE runs SET {column} = :now WHERE id = :id"), values)

    def keep_to_limit(self):
        """It ends by itself."""

    def stop(self):
        raise AssertionError("Nobody has taken it over.")


def main(database_url, clock_path, number, configs):
    logging.disable(logging.CRITICAL)
    clock = Clock(clock_path)
    loop.time = planned.time = WrongClock(clock, 420 * (number - 2))
    database._SERVER_CLOCK = sqlalchemy.text("SELECT now FROM virtual_clock")
    connection = sqlalchemy.create_engine(database_url, isolation_level="AUTOCOMMIT").connect()
    machine = loop.Loop(lambda job: VirtualRun(job, clock, connection, number))
    machine.plan([planned.Account(Path(config).parent.name, load_settings(config, {})) for config in configs])
    while True:
        now = clock[0]
        machine.tick()
        clock[number] = now
        while clock[0] == now:
            time.sleep(0.0005)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
