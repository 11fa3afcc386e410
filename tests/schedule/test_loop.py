"""By a virtual clock: what is due is begun once, what was missed or cut off is made up for, failure is told."""

import gc
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine

import soak
from common.messages.mail import MailError
from common.schedule.loop import MOST_AT_ONCE, Loop
from common.schedule.planned import Account, Planned
from common.schedule.runs import Outcome
from common.settings import load_settings
from common.state.locks import lock
from common.state.store import Store

FIRST = int(datetime(2026, 2, 1, 12, 34, 56, tzinfo=UTC).timestamp())
ALERT = {"alert_lost_calls": "every 5 minutes"}
MAIL = {"ADMIN_TO": "a@example.com", "MAIL_FROM": "b@example.com", "SMTP_HOST": "h"}


@pytest.fixture
def make_settings(tmp_path):
    """A function that makes the settings of an account whose jobs run at these times."""

    def make(name="kyiv", lines=ALERT, **more):
        path = tmp_path / name / "config.env"
        path.parent.mkdir(exist_ok=True)
        keys = {"TIMEZONE": "UTC", "REPORT_LANGUAGE": "en", "ALERT_URLS": "json://127.0.0.1:9/x"} | more
        keys |= {f"SCHEDULE_{job.upper()}": line for job, line in lines.items()}
        text = "".join(f"{key}={value}\n" for key, value in keys.items())
        path.touch(0o600)
        path.write_text(f"BINOTEL_KEY={name}-key\nBINOTEL_SECRET=s\n{text}")
        return load_settings(str(path), {})

    return make


def test_in_300_days_of_failures_hangs_restarts_and_clock_changes_no_run_is_lost_and_none_doubled(make_settings):
    lines = {
        "kyiv": {
            "export_calls_per_day": "day at 07:30",
            "alert_lost_calls": "every 18 hours",
            "download_records": "every 24 hours",
            "backup_customers": "sunday at 03:30",
        },
        "lviv": {
            "export_calls_per_day": "day at 00:00",
            "alert_lost_calls": "every 1234 minutes",
            "download_records": "every 15 hours",
            "backup_customers": "sunday at 03:00",
        },
    }
    settings = {name: make_settings(name, of_account, TIMEZONE="Europe/Kyiv") for name, of_account in lines.items()}
    before, objects_before = handles_and_threads(), count_of_objects()
    spans = soak.uptimes(FIRST, 300, seed=1)
    assert soak.play(settings, spans, seed=1) == soak.expected(lines, spans, seed=1)
    assert all(after <= earlier for after, earlier in zip(handles_and_threads(), before, strict=True))
    assert count_of_objects() < objects_before + 20_000


def handles_and_threads():
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


def count_of_objects():
    gc.collect()
    return len(gc.get_objects())


class World:
    """A loop, the runs it has begun, and a clock that begins on a Sunday at noon in UTC."""

    def __init__(self, clock):
        self.clock = clock
        self.begun = []
        self.running = []
        self.loop = None

    def restart(self, *settings):
        """As after a crash: whatever ran is gone."""
        if self.loop:
            soak.crash(self.loop)
        self.loop = Loop(self._start)
        self.reload(*settings)

    def reload(self, *settings):
        self.loop.plan([Account(one.path.parent.name, one) for one in settings])

    def _start(self, planned):
        self.begun.append(f"{datetime.now(UTC):%H:%M:%S}")
        run = Run(planned)
        self.running.append(run)
        return run

    def go_on(self, **span):
        """Tick every second for so long; gives when runs were begun."""
        begun = len(self.begun)
        for _ in range(int(timedelta(**span).total_seconds())):
            self.clock.shift(1)
            self.loop.tick()
            for thread in self.loop._telling.values():
                thread.join(10)
        return self.begun[begun:]

    def end(self, **outcome):
        """All that is running ends now."""
        now = datetime.now(UTC).timestamp()
        for run in self.running:
            run.outcome = Outcome(now - 1, now, **outcome)
            run.planned.end(run.outcome)
        self.running.clear()


class Run:
    def __init__(self, planned):
        self.planned = planned
        self.outcome = None
        self.is_stopped = False

    def is_alive(self):
        return self.outcome is None

    def keep_to_limit(self):
        """It has none."""

    def stop(self):
        self.is_stopped = True


@pytest.fixture
def world():
    with time_machine.travel(datetime(2026, 2, 1, 12, 0, 1, tzinfo=UTC), tick=False) as clock:
        yield World(clock)


def test_the_first_run_is_at_the_first_time_that_comes(world, make_settings):
    world.restart(make_settings())
    assert world.go_on(minutes=4) == []
    assert world.go_on(minutes=2) == ["12:05:00"]


def test_a_job_that_is_still_running_is_not_begun_again_and_what_was_due_meanwhile_is_run_once_at_its_end(
    world, make_settings
):
    world.restart(make_settings())
    assert world.go_on(minutes=17) == ["12:05:00"]
    world.end()
    assert world.go_on(minutes=2, seconds=30) == ["12:17:02"]
    world.end()
    assert world.go_on(minutes=2) == ["12:20:00"]


def test_a_long_run_of_one_job_delays_no_other(world, make_settings):
    world.restart(make_settings(lines={"download_records": "every 1 minutes"} | ALERT))
    assert world.go_on(minutes=6) == ["12:01:00", "12:05:00"]


def test_what_was_missed_while_the_loop_was_down_is_run_once_when_it_comes_back(world, make_settings):
    settings = make_settings(lines={"export_calls_per_day": "day at 13:00"})
    world.restart(settings)
    assert world.go_on(minutes=10) == []
    world.clock.shift(timedelta(days=3))
    world.restart(settings)
    assert world.go_on(minutes=10) == ["12:10:02"]
    world.end()
    assert world.go_on(hours=1) == ["13:00:00"]


PERIODS = {"export_calls_for_period": "monday at 08:00 | last-week; 1 at 08:00 | last-month"}


def test_a_job_with_several_times_runs_at_each_of_them(world, make_settings, mails):
    settings = make_settings(lines=PERIODS, **MAIL)
    world.restart(settings)
    assert world.go_on(hours=20) == ["08:00:00"]  # on Monday, February 2
    assert world.running[0].planned.command[1:] == ["last-week", "--config", str(settings.path)]
    world.end(problem="The disk is full.", is_usage=True)
    assert mails == ["02 08:00 Failed: kyiv export_calls_for_period last-week"]
    world.clock.move_to(datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC))
    world.restart(settings)
    world.go_on(seconds=1)
    world.end()
    assert world.go_on(hours=9) == ["08:00:00"]  # on Sunday, March 1
    assert world.running[0].planned.command[1:] == ["last-month", "--config", str(settings.path)]


def test_what_was_missed_of_a_job_with_several_times_is_run_one_after_the_other(world, make_settings):
    settings = make_settings(lines=PERIODS | {"backup_customers": "day at 12:00"})
    world.restart(settings)
    assert world.go_on(minutes=1) == []
    world.clock.move_to(datetime(2026, 3, 20, 12, 0, 1, tzinfo=UTC))
    world.restart(settings)
    assert world.go_on(minutes=1) == ["12:00:02"] * 2
    first, second = (run.planned for run in world.running)
    assert {first.job, second.job} == {"export_calls_for_period", "backup_customers"}
    world.end()
    assert world.go_on(minutes=1) == ["12:01:02"]
    assert world.running[0].planned.label == "kyiv export_calls_for_period last-month"
    world.end()
    assert world.go_on(days=3, hours=19, minutes=58) == ["12:00:00", "08:00:00"]  # the backup still runs


def test_a_run_that_was_cut_off_is_run_again(world, make_settings):
    settings = make_settings(lines={"backup_customers": "day at 12:05"})
    world.restart(settings)
    assert world.go_on(minutes=10) == ["12:05:00"]
    world.restart(settings)
    assert world.go_on(minutes=10) == ["12:10:02"]
    world.end()
    world.restart(settings)
    assert world.go_on(minutes=10) == []


def test_while_another_copy_is_running_the_job_is_tried_every_minute(world, make_settings):
    world.restart(make_settings(lines={"backup_customers": "day at 12:05"}))
    assert world.go_on(minutes=5) == ["12:05:00"]
    world.end(is_busy=True)
    assert world.go_on(seconds=90) == ["12:06:02"]
    world.end(is_busy=True)
    assert world.go_on(seconds=90) == ["12:07:32"]
    world.end()
    assert world.go_on(hours=1) == []


def test_another_copy_that_runs_for_longer_than_the_job_may_is_told_to_people(world, make_settings, mails):
    settings = make_settings(lines={"backup_customers": "day at 12:05"}, **MAIL)
    world.restart(settings)
    for _ in range(140):
        world.go_on(minutes=1)
        world.end(is_busy=True)
    assert mails == ["01 14:05 Failed: kyiv backup_customers"]
    problem = Planned(Account("kyiv", settings), "backup_customers", None).kept["last"]["problem"]
    assert problem.startswith("Another copy of it has been running for 2 h. If it hangs, end that process.")
    world.go_on(minutes=1)
    world.end()
    assert mails[1:] == ["01 14:21 Works again: kyiv backup_customers"]
    assert world.go_on(minutes=10) == []


def test_without_room_for_one_more_thread_the_loop_goes_on(world, make_settings, monkeypatch):
    world.restart(make_settings(lines={"backup_customers": "day at 12:05"}))
    start, world.loop._start = world.loop._start, no_memory
    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", no_thread)
        assert world.go_on(minutes=6) == []
    world.loop._start = start
    assert len(world.go_on(minutes=2)) == 1


def no_thread(thread):
    raise RuntimeError("can't start new thread")


def test_a_clock_that_is_set_back_a_little_doubles_nothing(world, make_settings):
    world.restart(make_settings(lines={"backup_customers": "day at 12:05"}))
    assert world.go_on(minutes=6) == ["12:05:00"]
    world.end()
    world.clock.shift(timedelta(minutes=-3))
    assert world.go_on(hours=1) == []


def test_a_clock_that_was_years_ahead_stops_nothing(world, make_settings):
    settings = make_settings()
    world.clock.shift(timedelta(days=3000))
    world.restart(settings)
    assert world.go_on(minutes=6) == ["12:05:00"]
    world.end()
    world.clock.shift(timedelta(days=-3000))
    world.restart(settings)
    assert world.go_on(minutes=6) == ["12:10:00"]


def test_a_clock_that_is_put_right_while_the_loop_runs_stops_nothing(world, make_settings):
    world.clock.shift(timedelta(days=3000))
    world.restart(make_settings())
    assert world.go_on(minutes=6) == ["12:05:00"]
    world.end()
    world.clock.shift(timedelta(days=-3000))
    assert world.go_on(minutes=6) == ["12:10:00"]


def test_a_new_timetable_counts_from_now_on_and_what_runs_goes_on(world, make_settings):
    world.restart(make_settings())
    assert world.go_on(minutes=6) == ["12:05:00"]
    world.reload(make_settings(lines={"alert_lost_calls": "every 2 minutes"}))
    assert world.go_on(minutes=6) == []
    world.end()
    assert world.go_on(minutes=3) == ["12:14:00"]
    world.reload(make_settings(lines={"backup_customers": "every 3 minutes"}))
    assert world.go_on(minutes=3) == ["12:18:00"]


def test_a_second_loop_begins_nothing_until_the_first_one_is_gone(world, make_settings):
    settings = make_settings()
    world.restart(settings)
    assert world.go_on(minutes=6) == ["12:05:00"]
    world.end()
    first, world.loop = world.loop, Loop(world._start)
    world.reload(settings)
    assert not world.loop.holds(Account("kyiv", settings))
    assert world.go_on(minutes=6) == []
    soak.crash(first)
    assert world.go_on(minutes=1) == ["12:12:02"]


def test_the_lock_of_an_account_that_is_planned_no_more_is_given_back(world, make_settings):
    kyiv, lviv = make_settings(), make_settings("lviv")
    world.restart(kyiv, lviv)
    world.go_on(minutes=6)
    world.reload(lviv)
    other = Loop(world._start)
    assert other.holds(Account("kyiv", kyiv))
    assert not other.holds(Account("lviv", lviv))


def test_when_the_database_cannot_be_used_people_are_told_and_nothing_is_begun_before_it_can(
    world, make_settings, mails, tmp_path
):
    world.restart(make_settings(**MAIL))
    database = tmp_path / "kyiv" / "var" / "binotel.db"
    assert world.go_on(minutes=4) == []
    with taken_away(database):
        assert world.go_on(minutes=3) == []
        assert mails == ["01 12:06 Failed: run_schedule"]
    assert world.go_on(minutes=2) == ["12:07:10"]
    assert mails[1:] == ["01 12:07 Works again: run_schedule"]


def test_a_database_that_is_away_for_less_than_a_minute_is_no_failure(world, make_settings, mails, tmp_path):
    world.restart(make_settings(**MAIL))
    assert world.go_on(minutes=4, seconds=50) == []
    with taken_away(tmp_path / "kyiv" / "var" / "binotel.db"):
        assert world.go_on(seconds=50) == []
    assert world.go_on(minutes=1) == ["12:05:50"]
    assert mails == []


@contextmanager
def taken_away(database):
    database.rename(database.with_suffix(".away"))
    database.mkdir()
    yield
    database.rmdir()
    database.with_suffix(".away").rename(database)


def test_a_process_that_cannot_be_started_is_a_failure_and_tried_again(world, make_settings, mails):
    settings = make_settings(lines={"backup_customers": "day at 12:05"}, **MAIL)
    world.restart(settings)
    start, world.loop._start = world.loop._start, no_memory
    assert world.go_on(minutes=6) == []
    assert mails == ["01 12:05 Failed: kyiv backup_customers"]
    problem = "It could not be started: Cannot allocate memory."
    assert Planned(Account("kyiv", settings), "backup_customers", None).kept["last"]["problem"] == problem
    world.loop._start = start
    assert world.go_on(minutes=2) == ["12:07:00"]


def no_memory(planned):
    raise OSError(12, "Cannot allocate memory")


def test_a_config_file_that_is_gone_meanwhile_is_asked_for_all_the_same(make_settings, tmp_path):
    settings = make_settings(lines={"export_calls_per_day": "day at 07:30 | --format json"})
    planned = Planned(Account("", settings), "export_calls_per_day", settings.timetables["export_calls_per_day"])
    settings.path.unlink()  # without it, the job of another account would be run
    [script, *arguments] = planned.command
    assert Path(script).exists()
    assert arguments == ["--catch-up", "--format", "json", "--config", str(settings.path)]


@pytest.fixture
def server_of_now(monkeypatch, world):
    """A server's clock, and the machine's monotonic one, are those of the world."""

    def now(*_):
        return datetime.now(UTC).timestamp()

    monkeypatch.setattr("common.state.database.Database._now", now)
    monkeypatch.setattr("common.schedule.planned.time", SimpleNamespace(time=now, monotonic=now))


def test_a_loop_that_lost_its_connection_takes_its_lock_again_and_what_runs_goes_on(
    world, make_settings, cable, server_of_now
):
    settings = make_settings(lines={"backup_customers": "every 5 minutes"}, DATABASE_URL=f"'{cable.url}'")
    world.restart(settings)
    assert world.go_on(minutes=5) == ["12:05:00"]
    cable.pull()
    cable.plug()
    assert world.go_on(minutes=4) == []
    world.end()
    assert world.go_on(minutes=2) == ["12:10:00"]


def test_a_loop_whose_lock_another_one_has_taken_meanwhile_begins_nothing(
    world, make_settings, cable, postgres_url, server_of_now
):
    settings = make_settings(lines={"backup_customers": "every 5 minutes"}, DATABASE_URL=f"'{cable.url}'")
    world.restart(settings)
    assert world.go_on(minutes=5) == ["12:05:00"]
    world.end()
    cable.pull()
    theirs = lock(postgres_url, settings.key, "run_schedule")
    theirs.acquire()
    cable.plug()
    assert world.go_on(minutes=6) == []
    theirs.release()
    assert len(world.go_on(minutes=1)) == 1


def test_a_copy_by_hand_is_waited_for_in_minutes_with_a_server_too(world, make_settings, postgres_url, server_of_now):
    world.restart(make_settings(lines={"backup_customers": "day at 12:05"}, DATABASE_URL=f"'{postgres_url}'"))
    assert world.go_on(minutes=5) == ["12:05:00"]
    world.end(is_busy=True)
    assert world.go_on(seconds=65) == ["12:06:02"]


def test_who_is_in_the_middle_of_a_transaction_is_waited_for_and_no_failure(
    world, make_settings, postgres_url, server_of_now, caplog
):
    settings = make_settings(lines={"backup_customers": "day at 12:05"}, DATABASE_URL=f"'{postgres_url}'")
    world.restart(settings)
    assert world.go_on(minutes=4) == []
    someone = Store(postgres_url, settings.key, "run_schedule", keep_days=1)
    slow, done = threading.Event(), threading.Event()
    change = threading.Thread(target=someone.change, args=("a", lambda *_: slow.set() or done.wait(30)))
    change.start()
    slow.wait(10)
    assert world.go_on(minutes=1) == []
    done.set()
    change.join()
    assert len(world.go_on(minutes=1)) == 1
    assert caplog.records == []


def test_of_many_accounts_only_some_run_a_job_at_once_and_each_comes_to_its_turn(world, make_settings):
    names = [f"account{number}" for number in range(MOST_AT_ONCE + 2)]
    world.restart(*[make_settings(name) for name in names])
    assert world.go_on(minutes=5) == ["12:05:00"] * MOST_AT_ONCE
    world.end()
    assert world.go_on(minutes=1) == ["12:05:02"] * 2


def test_a_run_is_not_over_before_its_end_is_noted(world, make_settings, tmp_path, monkeypatch):
    settings = make_settings(lines={"backup_customers": "day at 12:05"})
    world.restart(settings)
    assert world.go_on(minutes=6) == ["12:05:00"]
    database = tmp_path / "kyiv" / "var" / "binotel.db"
    database.rename(database.with_suffix(".away"))
    database.mkdir()

    def mend(_seconds):
        database.rmdir()
        database.with_suffix(".away").rename(database)

    monkeypatch.setattr("common.schedule.planned.time.sleep", mend)
    world.end()
    world.restart(settings)
    assert world.go_on(minutes=6) == []


@pytest.fixture
def mails(monkeypatch):
    """The subjects of the mails to ADMIN_TO; while `mails.is_down`, they fail."""

    class Mails(list):
        is_down = False

    mails = Mails()

    def send(message, attachments, settings, *, thread, to, key):
        if mails.is_down:
            raise MailError("The mail server is down.")
        mails.append(f"{datetime.now(UTC):%d %H:%M} {message.subject.rpartition(' (')[0]}")

    monkeypatch.setattr("common.messages.mail.send", send)
    return mails


@contextmanager
def failing(world, problem, **more):
    """Every run that is begun in the block ends at once, in this way."""
    start = world.loop._start

    def started(planned):
        run = start(planned)
        world.end(problem=problem, **more)
        return run

    world.loop._start = started
    yield
    world.loop._start = start


def test_a_failure_is_mailed_at_first_then_once_a_day_and_when_it_is_over(world, make_settings, mails):
    settings = make_settings(lines={"alert_lost_calls": "every 1 hours"}, **MAIL)
    world.restart(settings)
    with failing(world, ""):
        world.go_on(hours=2)
    assert mails == []
    with failing(world, "It broke."):
        world.go_on(hours=25)
    world.restart(settings)
    with failing(world, "It broke."):
        world.go_on(hours=24)
    with failing(world, ""):
        world.go_on(hours=3)
    failed, again = "Failed: kyiv alert_lost_calls", "Works again: kyiv alert_lost_calls"
    assert mails == [f"01 15:00 {failed}", f"02 14:00 {failed}", f"03 13:00 {failed}", f"03 16:00 {again}"]


def test_a_mail_that_could_not_be_sent_is_made_up_for(world, make_settings, mails):
    world.restart(make_settings(lines={"alert_lost_calls": "every 1 hours"}, **MAIL))
    mails.is_down = True
    with failing(world, "It broke."):
        world.go_on(hours=2)
    with failing(world, ""):
        world.go_on(hours=1)
        mails.is_down = False
        world.go_on(hours=2)
    assert mails == ["01 16:00 Works again: kyiv alert_lost_calls"]


def test_a_job_of_a_time_of_the_day_is_tried_again_on_that_day_before_anybody_is_told(world, make_settings, mails):
    settings = make_settings(lines={"export_calls_per_day": "day at 12:05"}, **MAIL)
    world.restart(settings)
    with failing(world, "It broke."):
        assert world.go_on(hours=4) == ["12:05:00", "12:15:00", "12:45:00", "13:45:00"]
    assert mails == ["01 13:45 Failed: kyiv export_calls_per_day"]
    world.restart(settings)
    with failing(world, "It broke."):
        assert world.go_on(hours=22) == ["12:05:00", "12:15:00", "12:45:00", "13:45:00"]
    assert mails[1:] == ["02 13:45 Failed: kyiv export_calls_per_day"]


def test_a_job_that_works_when_it_is_tried_again_is_told_to_nobody(world, make_settings, mails):
    settings = make_settings(lines={"export_calls_per_day": "day at 12:05"}, **MAIL)
    world.restart(settings)
    with failing(world, "It broke."):
        assert world.go_on(minutes=6) == ["12:05:00"]
    world.restart(settings)  # what is to be tried again is not forgotten
    with failing(world, ""):
        assert world.go_on(hours=20) == ["12:15:00"]
    assert mails == []


def test_a_job_is_not_tried_again_on_the_day_after_nor_when_its_configuration_is_wrong(world, make_settings, mails):
    lines = {"export_calls_per_day": "day at 23:55", "backup_customers": "day at 12:05"}
    world.restart(make_settings(lines=lines, **MAIL))
    with failing(world, "It broke.", is_usage=True):
        assert world.go_on(hours=1) == ["12:05:00"]
    with failing(world, "It broke."):
        assert world.go_on(hours=15) == ["23:55:00"]
    assert mails == ["01 12:05 Failed: kyiv backup_customers", "01 23:55 Failed: kyiv export_calls_per_day"]
