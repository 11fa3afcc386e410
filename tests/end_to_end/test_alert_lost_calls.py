"""Days played minute by minute against the sandbox, a real mail server and a real web hook; every message compared."""

import functools
import os
import signal
import sqlite3
import threading
import time
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import processes
import pytest
from apprise.plugins.ntfy import NotifyNtfy

import alert_lost_calls
from binotel_core import METHODS
from helpers import KYIV, at, entry
from messages.odd_server import odd_server
from messages.test_mail import free_port

SCRIPT = Path(alert_lost_calls.__file__)
WEDNESDAY, THURSDAY = date(2024, 5, 1), date(2024, 5, 2)
OUT = {"callType": "1"}

start = functools.partial(processes.start, SCRIPT)
run = functools.partial(processes.run, SCRIPT)


@pytest.fixture
def sandbox(sandbox, monkeypatch):
    """A sandbox with the calls that a test adds with `call()`, and without a quota."""
    calls = defaultdict(list)
    sandbox.company.calls_of_day = lambda day: sorted(calls[day], key=lambda call: int(call["startTime"]))

    def call(moment, disposition="NOANSWER", number="0501111111", **more):
        spoken = disposition in ("ANSWER", "TRANSFER")
        more = {"generalCallID": f"{moment:%d%H%M%S}", "waitsec": 20, "billsec": "60" if spoken else 0} | more
        calls[moment.date()].append(entry(moment, disposition, number, **more))

    sandbox.call = call
    monkeypatch.setattr("binotel_core.Throttle.acquire", lambda self, method: None)
    monkeypatch.setattr("common.sandbox.answers.Sandbox._spend_quota", lambda self, method: None)
    return sandbox


@pytest.fixture
def settings(hook, inbox):
    """Both channels, and working hours."""
    more = {"ALERT_TO": "boss@example.com", "ALERT_URLS": hook.url, "WORKING_HOURS": "09:00-18:00"}
    return inbox.settings | {"REPORT_TO": ""} | more


@pytest.fixture
def play(run_main, settings, sandbox, hook, inbox):
    """A function that runs the script every minute from one moment to another; returns what came when and where."""

    def play(first, last, **more):
        came = []
        moment = first
        while moment <= last:
            seen = len(hook.messages), len(inbox.messages), len(sandbox.requests)
            code, output = run_main(alert_lost_calls, moment, **settings | more)
            assert output == ""
            assert code == (1 if hook.down and hook.wanted else 0)
            heavy = [request for request in sandbox.requests[seen[2] :] if METHODS[request["method"]].gap]
            assert len(heavy) <= 2
            came += [(f"{moment:%d %H:%M}", "chat", *texts(*message)) for message in hook.messages[seen[0] :]]
            for message in inbox.messages[seen[1] :]:
                plain = message.get_body(["plain"]).get_content()
                came.append((f"{moment:%d %H:%M}", "mail", *texts(message["Subject"], plain)))
            moment += timedelta(minutes=1)
        return came

    hook.wanted = False
    return play


def texts(title, body):
    """A message's title, and its callers, each as its lines."""
    return title, [tuple(block.split("\n")) for block in body.replace("\r", "").strip().split("\n\n")]


def test_a_day_and_the_morning_after_it(play, sandbox, hook):
    call = sandbox.call
    call(at("08:30"), number="0501111111", customerData={"name": "Лікар"})  # held until 09:00
    call(at("09:20"), number="0502222222")  # called back in time
    call(at("09:25"), "ANSWER", "380502222222", **OUT)
    call(at("10:00"), "BUSY", "+380503333333")  # called back late,
    call(at("10:30"), "ANSWER", "0503333333", **OUT)
    call(at("11:00"), "CANCEL", "0503333333")  # and lost again
    call(at("12:00"), number="0504444444")  # lost twice
    call(at("12:20"), number="0504444444", didName="Реклама", waitsec="75")
    call(at("13:05"), number="0505555555")  # while the chat is down
    call(at("13:30"), number="")  # hidden: nobody can call back
    call(at("13:40"), "VM-SUCCESS", "", didName="", didNumber="")  # hidden, with a message
    call(at("17:55"), number="0506666666")  # due when nobody works
    call(at("23:58"), number="0507777777")  # just before midnight, called back before anybody works
    call(at("08:10", THURSDAY), "ANSWER", "0507777777", **OUT)
    call(at("23:59:59"), "VM", "0508888888", waitsec=0)
    call(at("09:30", THURSDAY), number="0501111111")  # told of the day before, and lost by a new call

    def waits(number, *facts, our_number="Головна, 0443334001", more=()):
        return (number, *facts, f"our number: {our_number}", *more)

    def all_wait(count):
        return (f"Waiting in all: {count}",)

    first = waits("+380501111111 Лікар", "08:30, waited 20s")
    assert play(at("08:50"), at("09:32")) == both("01 09:00", "☎ Лікар +380501111111", [first])
    second = waits("+380503333333", "10:00, waited 20s")
    assert play(at("10:00"), at("10:33")) == both("01 10:11", "☎ +380503333333", [second, all_wait(2)])
    again = waits("+380503333333", "11:00, waited 20s", more=["last spoke with Олена"])
    assert play(at("11:05"), at("11:14")) == both("01 11:11", "☎ +380503333333", [again, all_wait(2)])
    once = waits("+380504444444", "12:00, waited 20s")
    often = "called a second time (first: 12:00)"
    twice = waits("+380504444444", "12:20, waited 1m 15s", often, our_number="Реклама, 0443334001")
    assert play(at("12:05"), at("12:35")) == [
        *both("01 12:11", "☎ +380504444444", [once, all_wait(3)]),
        *both("01 12:32", "☎ +380504444444", [twice, all_wait(3)]),
    ]
    assert play(at("13:08"), at("13:15")) == []
    during = waits("+380505555555", "13:05, waited 20s")
    message = ("hidden number", "13:40, waited 20s", "left a voice message")
    hook.down = hook.wanted = True
    assert play(at("13:16"), at("14:02")) == [
        ("01 13:16", "mail", "☎ +380505555555", [during, all_wait(4)]),
        ("01 13:51", "mail", "☎ hidden number", [message, all_wait(5)]),
    ]
    hook.down = False
    assert play(at("14:03"), at("14:10")) == [
        ("01 14:03", "chat", "☎ hidden number +1", [message, during, all_wait(5)])
    ]
    assert play(at("17:56"), at("18:02")) == []
    assert play(at("23:50"), at("23:59")) == []
    assert play(at("00:00", THURSDAY), at("00:15", THURSDAY)) == []
    overnight = [
        waits("+380508888888", "yesterday 23:59, waited 0s"),
        waits("+380506666666", "yesterday 17:55, waited 20s"),
    ]
    assert play(at("08:55", THURSDAY), at("09:40", THURSDAY)) == both(
        "02 09:00", "☎ +380508888888 +1", [*overnight, all_wait(6)]
    )
    often = "called a second time (first: yesterday 08:30)"
    again = waits("+380501111111 Лікар", "09:30, waited 20s", often)
    assert play(at("09:41", THURSDAY), at("09:50", THURSDAY)) == both(
        "02 09:41", "☎ Лікар +380501111111", [again, all_wait(6)]
    )


def test_the_mails_of_a_day_are_one_thread(play, sandbox, inbox):
    for number, start in enumerate([at("10:00"), at("12:00"), at("10:00", THURSDAY)]):
        sandbox.call(start, number=f"050111111{number}")
        assert len(play(start + timedelta(minutes=11), start + timedelta(minutes=12))) == 2
    first, second, next_day = (message["References"] for message in inbox.messages)
    assert (first, first == next_day) == (second, False)
    assert len({message["Message-ID"] for message in inbox.messages}) == 3


def both(moment, title, callers):
    return [(moment, channel, title, callers) for channel in ("chat", "mail")]


def test_without_working_hours_midnight_changes_nothing(play, sandbox):
    sandbox.call(at("23:40"), number="0501111111")  # told before midnight
    sandbox.call(at("23:55"), number="0502222222")  # due after midnight
    sandbox.call(at("23:59:59"), number="0503333333")  # no run before midnight sees it
    came = play(at("23:45"), at("00:30", THURSDAY), WORKING_HOURS="")
    assert [(moment, [block[0] for block in blocks]) for moment, channel, _, blocks in came if channel == "chat"] == [
        ("01 23:51", ["+380501111111"]),
        ("02 00:06", ["+380502222222", "Waiting in all: 3"]),
        ("02 00:11", ["+380503333333", "Waiting in all: 3"]),
    ]


def test_who_is_being_spoken_to_right_now_is_not_told_of(play, sandbox):
    sandbox.call(at("10:00"))
    sandbox.call(at("10:08"), "ANSWER", billsec=300, **OUT)
    assert play(at("10:00"), at("10:20")) == []


def test_who_is_called_back_in_vain_is_told_of(play, sandbox):
    sandbox.call(at("10:00"))
    sandbox.call(at("10:05"), "NOANSWER", **OUT)
    assert [came[:2] for came in play(at("10:00"), at("10:20"))] == [("01 10:11", "chat"), ("01 10:11", "mail")]


def test_grace_is_counted_from_when_the_caller_gave_up(play, sandbox):
    sandbox.call(at("10:00"), waitsec=90)
    assert [came[0] for came in play(at("10:00"), at("10:10"), LOST_CALL_GRACE_MINUTES="3")] == 2 * ["01 10:05"]


def test_a_server_in_trouble_is_told_and_loses_nobody(run_main, settings, sandbox, hook, monkeypatch):
    monkeypatch.setattr("binotel_core.RETRY_PAUSES_SECONDS", ())
    sandbox.call(at("23:50"))
    for method in ("stats/list-of-calls-per-day", "stats/list-of-lost-calls-for-today"):
        sandbox.faults[method] = ["http-500"]
    later = datetime(2024, 5, 2, 9, tzinfo=KYIV)
    assert run_main(alert_lost_calls, later, **settings)[0] == 1
    assert run_main(alert_lost_calls, later, **settings)[0] == 0
    assert run_main(alert_lost_calls, later, **settings)[0] == 1  # the list of lost calls is only asked for now
    assert len(hook.messages) == 1


def test_a_channel_that_fails_does_not_stop_the_others(run_main, settings, sandbox, hook, inbox):
    sandbox.call(at("10:00"))
    urls = f"json://127.0.0.1:{free_port()}/gone {hook.url}"
    more = settings | {"ALERT_URLS": f"'{urls}'", "ALERT_TO": "boss@example.com,gone@example.com"}
    inbox.refuse_recipients = ("gone@example.com",)
    for _ in range(2):
        assert run_main(alert_lost_calls, at("11:00"), **more)[0] == 1
    assert (len(hook.messages), [message["To"] for message in inbox.messages]) == (1, ["boss@example.com"])


@pytest.mark.parametrize("fault", ["hangs", "raises", "cannot be measured", "refuses"])
def test_a_chat_that_goes_wrong_in_any_way_keeps_nobody_from_being_told_once(
    fault, run_main, settings, sandbox, hook, inbox, monkeypatch, caplog
):
    sandbox.call(at("10:00"))
    monkeypatch.setattr("common.messages.chats.MOST_SECONDS", 0.3)
    released = threading.Event()

    def wrong(*_, **__):
        if fault == "hangs":
            released.wait(5)
        if fault == "refuses":
            return False
        raise RuntimeError("broken")

    notify = NotifyNtfy.notify
    monkeypatch.setattr(NotifyNtfy, "notify" if fault == "cannot be measured" else "send", wrong)
    more = settings | {"ALERT_URLS": f"'ntfy://127.0.0.1/first {hook.url}'"}
    for _ in range(2):
        assert run_main(alert_lost_calls, at("11:00"), **more) == (1, "")
    released.set()
    assert (len(hook.messages), len(inbox.messages)) == (1, 1)
    assert caplog.text.count("ntfy (number 1 of ALERT_URLS)") == 2
    monkeypatch.setattr(NotifyNtfy, "notify", notify)
    monkeypatch.setattr(NotifyNtfy, "send", lambda *_, **__: True)
    assert run_main(alert_lost_calls, at("11:00"), **more) == (0, "")
    assert (len(hook.messages), len(inbox.messages)) == (1, 1)


def test_dry_run_shows_what_would_be_sent_and_remembers_nothing(run_main, settings, sandbox, hook, inbox):
    sandbox.call(at("10:00"))
    for _ in range(2):
        code, output = run_main(alert_lost_calls, at("11:00"), "--dry-run", **settings)
        assert (code, output) == (
            0,
            "".join(
                f"--- {channel}\n☎ +380501111111\n\n"
                "+380501111111\n10:00, waited 20s\nour number: Головна, 0443334001\n\n"
                for channel in ("mail to boss@example.com", "JSON (number 1 of ALERT_URLS)")
            ),
        )
    assert (hook.messages, inbox.messages) == ([], [])
    assert run_main(alert_lost_calls, at("11:00"), **settings)[0] == 0
    assert (len(hook.messages), len(inbox.messages)) == (1, 1)


def test_what_is_remembered_is_forgotten_after_30_days(run_main, settings, sandbox, hook, tmp_path):
    sandbox.call(at("10:00"))
    run_main(alert_lost_calls, at("11:00"), **settings)
    assert len(hook.messages) == 1
    assert b"501111111" in (tmp_path / "var" / "binotel.db").read_bytes()
    run_main(alert_lost_calls, at("11:00", date(2024, 6, 5)), **settings)
    with sqlite3.connect(tmp_path / "var" / "binotel.db") as database:
        names = [name for (name,) in database.execute("SELECT name FROM remembered")]
    assert names == []


def test_however_many_wait_a_mail_tells_of_all_and_a_chat_of_seven_by_each_run(play, sandbox):
    for index in range(20):
        sandbox.call(at("10:00") + timedelta(seconds=index), number=f"05011111{index:02}", generalCallID=str(index))
    everybody = "Waiting in all: 20"

    def notes(blocks):
        return () if blocks[-1][0].startswith("+38") else blocks[-1]

    newest_first = [f"+3805011111{index:02}" for index in range(19, -1, -1)]
    came = [
        (moment, channel, title, [block[0] for block in blocks if block[0].startswith("+38")], notes(blocks))
        for moment, channel, title, blocks in play(at("10:11"), at("10:20"))
    ]
    assert came == [
        ("01 10:11", "chat", "☎ +380501111119 +19", newest_first[:7], ("13 more in the next message", everybody)),
        ("01 10:11", "mail", "☎ +380501111119 +19", newest_first, ()),
        ("01 10:12", "chat", "☎ +380501111112 +12", newest_first[7:14], ("6 more in the next message", everybody)),
        ("01 10:13", "chat", "☎ +380501111105 +5", newest_first[14:], (everybody,)),
    ]


TELL_DONE = {"ALERT_TELL_DONE": "yes"}


def test_who_was_told_of_and_waits_no_more_is_told_of_once_in_the_next_message(play, sandbox, hook):
    sandbox.call(at("10:00"), number="0501111111", customerData={"name": "Лікар"})
    sandbox.call(at("10:01"), number="0502222222")
    sandbox.call(at("10:12"), "ANSWER", "0501111111", **OUT)
    sandbox.call(at("10:14"), "ANSWER", "0502222222")
    sandbox.call(at("10:20"), number="0503333333")  # never told of: called back in time
    sandbox.call(at("10:22"), "ANSWER", "0503333333", **OUT)
    sandbox.call(at("10:30"), number="0504444444")  # the next message
    sandbox.call(at("10:50"), number="0504444444")  # and the one after it
    assert len(play(at("10:11"), at("10:39"), **TELL_DONE)) == 4
    [chat, mail] = play(at("10:40"), at("10:59"), **TELL_DONE)
    assert chat == (
        "01 10:41",
        "chat",
        "☎ +380504444444",
        [
            ("+380504444444", "10:30, waited 20s", "our number: Головна, 0443334001"),
            (
                "No longer waiting:",
                "+380502222222: got through themselves after 13m",
                "+380501111111 Лікар: called back by Олена after 12m",
            ),
        ],
    )
    assert mail == (chat[0], "mail", *chat[2:])
    assert [blocks for *_, blocks in play(at("11:00"), at("11:05"), **TELL_DONE)] == 2 * [
        [
            (
                "+380504444444",
                "10:50, waited 20s",
                "called a second time (first: 10:30)",
                "our number: Головна, 0443334001",
            )
        ]
    ]


def test_whose_waiting_ended_after_the_last_message_of_a_day_is_told_of_the_day_after(play, sandbox):
    sandbox.call(at("17:00"), number="0501111111")
    sandbox.call(at("17:45"), "ANSWER", "0501111111", **OUT)
    sandbox.call(at("17:56"), number="0502222222")
    assert len(play(at("17:11"), at("17:12"), **TELL_DONE)) == 2
    for _, _, _, blocks in play(at("09:00", THURSDAY), at("09:02", THURSDAY), **TELL_DONE):
        assert blocks[1:] == [("No longer waiting:", "+380501111111: called back by Олена after 45m")]


def test_who_was_told_to_wait_no_more_and_is_lost_at_that_very_second_is_told_of_again(play, sandbox):
    sandbox.call(at("10:00"), number="0501111111")
    assert len(play(at("10:11"), at("10:11"), **TELL_DONE)) == 2
    sandbox.call(at("10:20"), "ANSWER", "0501111111", billsec=10, **OUT)
    sandbox.call(at("10:10"), number="0502222222")
    [(*_, blocks), _] = play(at("10:21"), at("10:21"), **TELL_DONE)
    assert blocks[1][0] == "No longer waiting:"
    sandbox.call(at("10:20"), number="0501111111", generalCallID="at that very second")
    assert [title for _, _, title, _ in play(at("10:31"), at("10:32"), **TELL_DONE)] == 2 * ["☎ +380501111111"]


def test_what_was_told_and_could_not_be_remembered_is_told_again_whole(run_main, settings, sandbox, hook, monkeypatch):
    more = settings | TELL_DONE | {"ALERT_TO": ""}
    sandbox.call(at("10:00"), number="0501111111")
    run_main(alert_lost_calls, at("10:11"), **more)
    sandbox.call(at("10:12"), "ANSWER", "0501111111", **OUT)
    sandbox.call(at("10:20"), number="0502222222")
    put = alert_lost_calls.Store.put

    def die(store, values, **more):
        if values:
            raise KeyboardInterrupt
        put(store, values, **more)

    with monkeypatch.context() as patch:
        patch.setattr(alert_lost_calls.Store, "put", die)
        assert run_main(alert_lost_calls, at("10:31"), **more)[0] == 130
    for _ in range(2):
        assert run_main(alert_lost_calls, at("10:32"), **more)[0] == 0
    _, told, told_again = hook.messages
    assert told == told_again
    assert told[1].endswith("No longer waiting:\n+380501111111: called back by Олена after 12m")


def test_whose_waiting_ended_is_not_told_of_unless_that_is_asked_for(play, sandbox):
    sandbox.call(at("10:00"), number="0501111111")
    sandbox.call(at("10:12"), "ANSWER", "0501111111", **OUT)
    sandbox.call(at("10:20"), number="0502222222")
    play(at("10:11"), at("10:12"))
    assert [len(blocks) for *_, blocks in play(at("10:31"), at("10:31"))] == [1, 1]


def test_a_channel_that_was_down_is_told_of_each_whose_waiting_ended_that_it_knows(play, sandbox, hook):
    sandbox.call(at("10:00"), number="0501111111")
    sandbox.call(at("10:30"), "ANSWER", "0501111111", **OUT)
    sandbox.call(at("10:31"), number="0502222222")
    hook.down = hook.wanted = True
    assert [channel for _, channel, *_ in play(at("10:11"), at("10:11"), **TELL_DONE)] == ["mail"]
    hook.down = False
    came = play(at("10:42"), at("10:43"), **TELL_DONE)
    assert [(channel, len(blocks)) for _, channel, _, blocks in came] == [("chat", 1), ("mail", 2)]


def test_who_is_being_called_back_over_midnight_is_not_told_of(play, sandbox):
    sandbox.call(at("23:40"))
    sandbox.call(at("23:48"), "ANSWER", billsec=1800, **OUT)
    assert play(at("23:45"), at("00:30", THURSDAY), WORKING_HOURS="") == []


def test_a_record_that_never_ends_hides_nobody_for_long(play, sandbox):
    sandbox.call(at("09:10"), number="0501111111")
    sandbox.call(at("09:15"), "ANSWER", "0501111111", billsec=100_000, **OUT)
    assert play(at("09:10"), at("09:30")) == []
    assert [came[:2] for came in play(at("12:14"), at("12:17"))] == [("01 12:15", "chat"), ("01 12:15", "mail")]


# --- As processes of their own -----------------------------------------------


@pytest.fixture
def lost_today(sandbox):
    """A caller who has been lost for 20 minutes by the real clock."""
    sandbox.call(datetime.now(KYIV).replace(microsecond=0) - timedelta(minutes=20), waitsec=3)
    return sandbox


def test_a_run_with_nothing_to_tell_says_nothing(configure, settings, sandbox):
    assert run("--config", configure(**settings | {"WORKING_HOURS": ""})) == (0, "", "")
    assert len(sandbox.requests) == 2


def test_a_process_that_is_killed_after_sending_and_before_remembering_tells_twice_and_never_not_at_all(
    configure, settings, lost_today, hook, inbox
):
    path = configure(**settings | {"WORKING_HOURS": "", "ALERT_TO": ""})
    with start("--config", path) as process:
        hook.on_message = lambda: os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert len(hook.messages) == 1
    hook.on_message = lambda: None
    assert run("--config", path) == (0, "", "")
    assert len(hook.messages) == 2
    assert hook.messages[0] == hook.messages[1]
    assert run("--config", path) == (0, "", "")
    assert len(hook.messages) == 2


def test_a_process_that_is_killed_at_the_mail_servers_good_bye_tells_nobody_twice(configure, settings, lost_today):
    processes = []

    def kill(_):
        processes[0].kill()
        processes[0].wait()

    with odd_server() as server:
        server.odd["QUIT"] = [kill]
        more = {"SMTP_PORT": server.port, "WORKING_HOURS": "", "ALERT_URLS": ""}
        path = configure(**settings | more)
        with start("--config", path) as process:
            processes.append(process)
            assert process.wait(20) == -signal.SIGKILL
        assert run("--config", path) == (0, "", "")
        assert len(server.taken) == 1


def test_a_process_that_is_killed_before_sending_loses_nothing(configure, settings, lost_today, hook):
    path = configure(**settings | {"WORKING_HOURS": ""})
    lost_today.faults["stats/list-of-calls-per-day"] = ["hang"]
    with start("--config", path) as process:
        while not lost_today.requests:
            time.sleep(0.02)
        process.kill()
    assert run("--config", path) == (0, "", "")
    assert len(hook.messages) == 1


def test_a_job_that_has_lost_its_lock_tells_nobody_and_the_next_run_tells_all(
    run_main, settings, lost_today, hook, cable, monkeypatch
):
    kept = settings | {"DATABASE_URL": f"'{cable.url}'", "WORKING_HOURS": "", "ALERT_TO": ""}
    write = alert_lost_calls.lost_calls_mail
    with monkeypatch.context() as patch:
        patch.setattr(alert_lost_calls, "lost_calls_mail", lambda *words: (cable.pull(), write(*words))[1])
        assert run_main(alert_lost_calls, datetime.now(KYIV), **kept) == (75, "")
    assert hook.messages == []
    cable.plug()
    assert run_main(alert_lost_calls, datetime.now(KYIV), **kept) == (0, "")
    assert len(hook.messages) == 1


def test_a_second_copy_does_no_harm(configure, settings, lost_today, hook):
    path = configure(**settings | {"WORKING_HOURS": ""})
    lost_today.faults["stats/list-of-calls-per-day"] = ["hang"]
    with start("--config", path) as process:
        while not lost_today.requests:
            time.sleep(0.02)
        code, output, errors = run("--config", path)
        process.kill()
    assert (code, output) == (75, "")
    assert errors.startswith("ERROR: This job is already running for this account.")
    assert hook.messages == []


def test_the_test_message_goes_through_every_channel_and_says_which_one_worked(
    configure, settings, hook, inbox, sandbox
):
    gone = f"json://127.0.0.1:{free_port()}/gone"
    code, output, errors = run("--test", "--config", configure(**settings | {"ALERT_URLS": f"'{gone} {hook.url}'"}))
    assert (code, output) == (1, "mail to boss@example.com: accepted\nJSON (number 2 of ALERT_URLS): accepted\n")
    assert errors == (
        "ERROR: JSON (number 1 of ALERT_URLS) did not take the message: "
        "A Connection error occurred sending JSON notification to 127.0.0.1. Check ALERT_URLS and the network."
    )
    assert hook.messages == [("A test: alerts of lost calls will come here",) * 2]
    assert inbox.messages[0]["Subject"] == "A test: alerts of lost calls will come here"
    assert sandbox.requests == []


def test_nobody_to_tell_is_wrong_usage(configure):
    assert run("--config", configure()) == (
        2,
        "",
        "ERROR: ALERT_TO and ALERT_URLS are both empty, so nobody would be told: fill in one of them.",
    )


def legs(sandbox, *ends):
    """phone-to-phone between numbers outside: of each the moment, the result and the number."""
    of_legs = {
        "internalNumber": "",
        "employeeName": "",
        "employeeEmail": "",
        "customerData": {"name": "Звонок 0321879"},
    }
    for moment, disposition, number in ends:
        sandbox.call(moment, disposition, number, **OUT, **of_legs, generalCallID=f"{moment:%d%H%M%S}{number[-1]}")


@pytest.mark.parametrize(
    "ends",
    [
        [(at("18:00"), "ANSWER", "0501111111"), (at("18:00:20"), "NOANSWER", "0502222222")],
        [(at("23:59:50"), "ANSWER", "0501111111"), (at("00:00:10", THURSDAY), "NOANSWER", "0502222222")],
    ],
    ids=["in one day", "over midnight"],
)
def test_who_was_joined_with_nobody_still_waits_the_day_after(ends, play, sandbox):
    sandbox.call(at("17:55"), number="0501111111")
    legs(sandbox, *ends)
    came = [message[:2] for message in play(at("09:00", THURSDAY), at("09:03", THURSDAY))]
    assert came == [("02 09:00", "chat"), ("02 09:00", "mail")]


def test_who_was_joined_with_somebody_over_midnight_is_not_told_of(play, sandbox):
    sandbox.call(at("17:55"), number="0501111111")
    legs(sandbox, (at("23:59:50"), "NOANSWER", "0501111111"), (at("00:00:10", THURSDAY), "ANSWER", "0502222222"))
    assert play(at("09:00", THURSDAY), at("09:03", THURSDAY)) == []
