"""Call any method of Binotel's API, and print its answer as JSON.

    python scripts/call_method.py --list
    python scripts/call_method.py stats/call-details generalCallID:='["73900700001","73900700002"]'
    python scripts/call_method.py stats/list-of-calls-per-day dayInTimestamp=2024-05-01 --table
    python scripts/call_method.py calls/ext-to-phone ext_number=902 phone_number=0443334023 --wait

Parameters have the API's own names: name=value sends a text, name:=JSON anything else. Times may be given as dates
(2024-05-01, "2024-05-01 09:30", today, yesterday). What dials or changes data is asked about first.
"""

import argparse
import difflib
import json
import logging
import re
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import API_4_URL, METHODS, BinotelError, Method, is_version_4, php_json
from common.calls.call import NOT_SHOWN, clean, disposition_of, goes_on, start_of
from common.calls.days import wanted_moment
from common.job import Job, is_confirmed, print_out, run
from common.settings import SettingsError, UsageError, load_settings

TIMES = frozenset(("startTime", "stopTime", "timestamp", "dayInTimestamp"))
LISTS = frozenset(("numbers", "labels", "externalNumbers"))  # a single value is sent as a list of one
FOLLOWED = ("calls/ext-to-phone", "calls/phone-to-phone")
LAST_ONES = ("stats/recent-calls-by-internal-number",)  # the cap is what is asked for
POLL_SECONDS = 5  # as often as the quota allows
MAX_UNLISTED_SECONDS = 120  # a call that was placed appears in the lists at once, or never
MAX_COLUMN = 40
# What stands for each parameter in --list and so in docs/en/jobs.md; the sandbox knows these values.
EXAMPLES = {
    "startTime": "2024-05-01",
    "stopTime": "2024-05-01",
    "timestamp": "today",
    "dayInTimestamp": "2024-05-01",
    "internalNumber": "902",
    "number": "0671234567",
    "customerID": "6600",
    "generalCallID": "80000000001",
    "callID": "73900700002",
    "labelID": "7000",
    "subject": "067",
    "name": "'Іван Приклад'",
    "numbers": "0671234560",
    "id": "6600",
    "ext_number": "902",
    "phone_number": "0671234560",
    "phoneNumber1": "0671234560",
    "phoneNumber2": "0501234560",
    "trunkNumber": "0443334001",
    "voiceFileID": "81",
    "ivrName": "'Головне меню'",
    "externalNumbers": "0671234567",
    "externalNumber": "0671234560",
    "externalNumber1": "0671234560",
    "externalNumber2": "0501234560",
    "pbxNumber": "0443334001",
    "employeeID": "55901",
    "presenceState": "'work in crm'",
}
SECRET_NAMES = re.compile("hash|passw|secret|token", re.IGNORECASE)
# What a terminal obeys or does not show; json.dumps escapes the rest of it.
NOT_SHOWN_IN_JSON = re.compile(f"{NOT_SHOWN.pattern}|[\x85\u2028\u2029]")

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("method", metavar="METHOD", nargs="?", help="such as stats/call-details; --list shows them all")
    parser.add_argument("parameters", metavar="NAME=VALUE", nargs="*", help="or NAME:=JSON")
    parser.add_argument("--list", action="store_true", help="show every method with its parameters and limits")
    parser.add_argument("--table", action="store_true", help="print a list as an aligned table")
    parser.add_argument("--no-check", action="store_true", help="send parameters that the method is not known to have")
    parser.add_argument("--yes", action="store_true", help="dial or change data without asking")
    parser.add_argument("--wait", action="store_true", help="follow the call that was placed until it ends")
    parser.add_argument("--show-secrets", action="store_true", help="print the passwords of lines, too")


def show_methods(arguments: argparse.Namespace) -> bool:
    """--list: without a configuration those of API 2.0, else those of the version that it names, whatever it lacks."""
    if not arguments.list:
        return False
    try:
        api_url = load_settings(arguments.config).api_url
    except SettingsError as error:
        api_url = error.api_url
    for method in methods_of(is_4=is_version_4(api_url)).values():
        print_out(f"{' '.join([method.name, *usage(method)])}\n    {method.meaning} ({limits(method)})")
    return True


def main(job: Job) -> None:
    """Check the parameters, ask before what cannot be taken back, print the answer."""
    arguments, is_4 = job.arguments, is_version_4(job.settings.api_url)
    if arguments.method is None:
        raise UsageError("Name a method; --list shows them all.")
    name = wanted_method(arguments.method, is_4=is_4)
    method = methods_of(is_4=is_4)[name]
    params = wanted_params(arguments.parameters, job)
    if not arguments.no_check:
        check(method, params)
    elif params.keys() & {"key", proof := "secret" if is_4 else "signature"}:
        raise UsageError(f"key and {proof} are added to every request: leave them out.")
    if arguments.wait and name not in FOLLOWED:
        followed = " and ".join(methods_of(is_4=is_4)[followed].name for followed in FOLLOWED)
        raise UsageError(f"--wait follows a call that was placed: it goes with {followed}.")
    if method.writes and not arguments.yes:
        if not (sys.stdin and sys.stdin.isatty()):
            raise UsageError(f"{method.name} dials or changes data, and there is no terminal to ask on: add --yes.")
        if not is_confirmed(f"{method.name} {json.dumps(params, ensure_ascii=False)}: send it to Binotel? [y/N] "):
            print_out("Nothing was sent.")
            return
    answer = job.client.call(name, params)
    if not arguments.show_secrets:
        answer = masked(answer)
    listed = entries_of(answer.get(method.answer))
    if listed and method.cap and len(listed) >= method.cap and name not in LAST_ONES:
        log.warning(
            "An answer holds at most %d entries, as many as this one: some may be missing. Ask for a shorter time.",
            method.cap,
        )
    entries = listed if arguments.table else None
    if entries is None:
        is_unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        text = json.dumps(answer, ensure_ascii=not is_unicode, indent=1)
        print_out(NOT_SHOWN_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text))
    elif not entries:
        log.info("The list is empty.")
    else:
        print_out("\n".join(table(entries, job.settings.timezone)))
    if arguments.wait:
        general_call_id = clean(answer.get(method.answer))
        try:
            follow(general_call_id, job)
        except KeyboardInterrupt:
            log.warning("The call goes on. This ends it: calls/hangup-call generalCallID=%s", general_call_id)
            raise


def methods_of(*, is_4: bool) -> dict[str, Method]:
    """The methods of a version of the API, under its own names and parameters, by the names in METHODS."""
    return {name: (is_4 and method.in_4) or method for name, method in METHODS.items() if is_4 or not method.only_4}


def wanted_method(word: str, *, is_4: bool) -> str:
    """The name in METHODS of what a version of the API calls so. Raises UsageError."""
    own = {method.name: name for name, method in methods_of(is_4=is_4).items()}
    if word in own:
        return own[word]
    others = {method.name: name for name, method in methods_of(is_4=not is_4).items()}
    version = "4.0" if is_4 else "2.0"
    if word in others:
        its = methods_of(is_4=is_4).get(others[word])
        remedy = f"It calls it {its.name}." if its else f"API 4.0 has it: with such a key, BINOTEL_API_URL={API_4_URL}."
        raise UsageError(f"API {version} has no method {word!r}. {remedy}")
    near = difflib.get_close_matches(word, own, 3) or [known for known in own if word in known][:3]
    remedy = f"Did you mean {', or '.join(near)}?" if near else "--list shows them all."
    raise UsageError(f"API {version} has no method {word!r}. {remedy}")


def wanted_params(words: list[str], job: Job) -> dict[str, Any]:
    """The parameters as they are sent. Raises UsageError."""
    params: dict[str, Any] = {}
    for word in words:
        match = re.fullmatch(r"([A-Za-z_]\w*)(:?)=(.*)", word, re.DOTALL)
        if match is None:
            raise UsageError(f"{word!r} is no parameter: write it as name=value, or name:=JSON.")
        name, is_json, text = match[1], match[2], match[3]
        if name in params:
            raise UsageError(f'{name} stands there twice. Several values are a list: {name}:=\'["1","2"]\'.')
        params[name] = text
        if is_json:
            try:
                params[name] = json.loads(text)
            except (ValueError, RecursionError):
                raise UsageError(f"{name}:={text} is not JSON: write texts in double quotes, or {name}=text.") from None
        elif name in TIMES and text:
            params[name] = seconds(text, is_stop=name == "stopTime", job=job)
        elif name in LISTS and text:
            params[name] = [text]
    try:
        php_json(params)
    except ValueError as error:
        raise UsageError(f"The parameters cannot be sent. {error}") from None
    return params


def seconds(text: str, *, is_stop: bool, job: Job) -> int:
    """Unix seconds of a text that is a number of them, a day or a time of the account's clock. Raises UsageError."""
    if re.fullmatch("[0-9]{9,11}", text):
        return int(text)
    return int(wanted_moment(text, job.now().date(), job.settings.timezone, is_stop=is_stop).timestamp())


def check(method: Method, params: dict[str, Any]) -> None:
    """Raise UsageError when a parameter is missing, or is none that the method has."""
    known = (*method.required, *method.optional)
    shown = " ".join([method.name, *usage(method)])
    for name in params:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"It takes: {shown}."
            raise UsageError(f"{method.name} has no parameter {name!r}. {remedy} (--no-check sends it all the same.)")
    missing = [name for name in method.required if params.get(name) in (None, "", [])]
    if missing:
        raise UsageError(f"{method.name} needs {', '.join(missing)}: {shown}.")


def usage(method: Method) -> list[str]:
    """The parameters as a command line shows them: what may be left out in brackets."""
    return [*(f"{name}={EXAMPLES[name]}" for name in method.required), *(f"[{name}=...]" for name in method.optional)]


def limits(method: Method) -> str:
    """What the quota, caps and caution have to say of a method."""
    parts = [f"heavy, {method.gap} s" if method.gap else "light"]
    if method.cap:
        parts.append(f"at most {method.cap:,} entries")
    if method.max_days:
        parts.append(f"at most {method.max_days} days")
    if method.writes:
        parts.append("dials" if method.name.startswith("calls/") else "changes data")
    return ", ".join(parts)


def masked(value: Any) -> Any:
    """An answer without the passwords in it."""
    if isinstance(value, dict):
        return {
            # Entries have names, too: those of employees are their e-mail addresses.
            name: "***"
            if SECRET_NAMES.search(name) and inner and not isinstance(inner, (dict, list))
            else masked(inner)
            for name, inner in value.items()
        }
    return [masked(inner) for inner in value] if isinstance(value, list) else value


def entries_of(content: Any) -> list[dict[str, Any]] | None:
    """The entries of an answer that is a list; None when it is none."""
    entries = list(content.values()) if isinstance(content, dict) else content
    if isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries):
        return entries
    return None


def table(entries: Iterable[dict[str, Any]], timezone: ZoneInfo) -> list[str]:
    """Lines of aligned columns for a person, a line each entry; columns that are empty everywhere are left out."""
    texts = [{name: cell(name, value, timezone) for name, value in entry.items()} for entry in entries]
    columns = dict.fromkeys(name for row in texts for name, text in row.items() if text)
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in texts)) for name in columns}
    heading = {name: name for name in columns}
    return ["  ".join(row.get(name, "").ljust(widths[name]) for name in columns).rstrip() for row in (heading, *texts)]


def cell(name: str, value: Any, timezone: ZoneInfo) -> str:
    """A value in a few words: a time as the clock shows it, a customer or a label by the name."""
    text = clean(in_words(value))
    if name == "startTime" and re.fullmatch("[0-9]{1,10}", text):
        return f"{datetime.fromtimestamp(int(text), timezone):%Y-%m-%d %H:%M:%S}"
    return text if len(text) <= MAX_COLUMN else f"{text[: MAX_COLUMN - 1]}…"


def in_words(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(str(in_words(inner)) for inner in value)
    if isinstance(value, dict):
        named = value.get("name") or (next(iter(value.values())) if len(value) == 1 else None)
        return in_words(named) if named else json.dumps(value, ensure_ascii=False) if value else ""
    return value


def follow(general_call_id: str, job: Job) -> None:
    """Print each change of a call's state until it ends. Raises BinotelError when there is no such call."""
    if not general_call_id:
        raise BinotelError("Binotel gave the call no generalCallID, so it cannot be followed.")
    before = ""
    listed_at = time.monotonic()
    while True:
        entries = job.client.entries("stats/call-details", {"generalCallID": [general_call_id]})
        call = entries[0] if entries else {}
        disposition = clean(call.get("disposition"))
        shown = disposition or ("ringing" if call else "")
        talk_seconds = int(re.sub("[^0-9].*", "", clean(call.get("billsec"))) or 0)
        state = " ".join(filter(None, (shown, clean(call.get("internalNumber")), clean(call.get("externalNumber")))))
        is_over = bool(call) and not goes_on(disposition_of(disposition), start_of(call), talk_seconds, time.time())
        if state and state != before:
            print_out(f"{job.now():%H:%M:%S} {'ended: ' if is_over else ''}{state}")
            before = state
        if is_over:
            print_out(f"Rang for {clean(call.get('waitsec')) or 0} s, talked for {clean(call.get('billsec')) or 0} s")
            return
        if entries:
            listed_at = time.monotonic()
        elif time.monotonic() - listed_at > MAX_UNLISTED_SECONDS:
            raise BinotelError(f"Binotel does not list the call {general_call_id}.", "Look at the phone.")
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    run(main, __doc__, add_arguments, alone=False, instead=show_methods)
