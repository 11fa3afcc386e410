"""Mail ADMIN_TO what the scripts did since the last such mail: that all is well, or what is not. To be run once a week.

    python scripts/tell_health.py

Runs and failures of each job that run_schedule.py starts, requests that each spent of Binotel's quota, what takes how
much room and for how long the disk is enough at this rate, and what has waited longest to be done.
"""

import argparse
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from common.files import existing
from common.job import Job, run
from common.labels import Labels
from common.messages import mail
from common.messages.notice import notice_mail
from common.schedule.planned import Account, Planned
from common.settings import JOBS, Settings, UsageError, job_of
from common.state.store import Store
from common.state.urls import file_of, is_server

BEFORE = "what was told"
MEGABYTE, DAY_SECONDS = 1_000_000, 86400


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """It has none of its own."""


def main(job: Job) -> None:
    """Send the mail, and remember what it told."""
    settings = job.settings
    if not settings.admin_to:
        raise UsageError("ADMIN_TO is empty, so nobody would be told: fill it in.")
    store = Store(settings.database_url, settings.key, job.name, keep_days=400)
    before = store.get_all([BEFORE]).get(BEFORE) or {"runs": {}, "requests": {}, "bytes": {}}
    now = facts(job)
    message = health_mail(now, before, settings)
    with job.uninterrupted():
        job.check_lock()
        thread = mail.Thread(job.name, "health")
        # Killed between the two, it tells the same once more, and nothing is left out.
        mail.send(
            message,
            [],
            settings,
            thread=thread,
            to=settings.admin_to,
            key="ADMIN_TO",
            on_accepted=lambda _: store.put({BEFORE: now}, done="ADMIN_TO has got the mail"),
        )


def facts(job: Job) -> dict[str, Any]:
    """What there is to tell: counts since ever, of which a mail tells the difference."""
    settings, account = job.settings, Account("", job.settings)
    plans = [Planned(account, *item) for item in settings.timetables.items()]
    kept = {planned.name: planned.kept for planned in plans}
    waiting = {
        name: one["trouble"]["since"]
        for name, one in kept.items()
        if one.get("trouble") and "until" not in one["trouble"]
    }
    requests = Store(settings.database_url, settings.key, "requests", keep_days=400).get_all(
        [*JOBS, "call_method", "restore_customers"]
    )
    return {
        "at": job.now().timestamp(),
        "runs": {name: one.get("counts", [0, 0]) for name, one in kept.items()},
        "requests": requests,
        "bytes": sizes(settings),
        "free": shutil.disk_usage(existing(settings.state_dir)).free,
        "waiting": waiting,
    }


def sizes(settings: Settings) -> dict[str, int]:
    """The bytes of what the scripts keep on this computer."""
    found = {}
    if not is_server(settings.database_url):
        file = file_of(settings.database_url)
        found["database"] = sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))
    if "://" not in settings.records_url:
        found["records"] = bytes_in(Path(settings.records_url))
    found["reports"] = bytes_in(settings.reports_dir) + bytes_in(settings.backups_dir)
    return found


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def health_mail(now: dict[str, Any], before: dict[str, Any], settings: Settings) -> mail.Mail:
    """The mail about what has changed since `before`, which may be of any earlier version."""
    labels = Labels(settings.language)

    def moment(seconds: float) -> str:
        return labels.moment(datetime.fromtimestamp(seconds, settings.timezone))

    runs = {
        name: [max(0, count - old) for count, old in zip(counts, before["runs"].get(name, (0, 0)), strict=True)]
        for name, counts in now["runs"].items()
    }
    requests = {name: max(0, count - before["requests"].get(name, 0)) for name, count in now["requests"].items()}
    grown = {name: size - before["bytes"].get(name, size) for name, size in now["bytes"].items()}

    def megabytes(size: int) -> str:
        return labels.number(round(size / MEGABYTE))

    space = [
        labels.format(
            "health size",
            what=labels[f"health {name}"],
            size=megabytes(size),
            more=f"{'−' if grown[name] < 0 else '+'}{megabytes(abs(grown[name]))}",
        )
        for name, size in now["bytes"].items()
    ]
    space.append(labels.format("health free", size=megabytes(now["free"])))
    days = (now["at"] - before.get("at", now["at"])) / DAY_SECONDS
    if days > 0 and (rate := sum(grown.values()) / days) > 0:
        space.append(labels.format("health days", count=int(now["free"] / rate)))
    failures = sum(failed for _, failed in runs.values())
    is_good = not (failures or now["waiting"])
    title = labels["health well"] if is_good else labels.format("health failures", count=failures)
    return notice_mail(
        title,
        labels,
        [labels.format("health since", since=moment(before["at"]))] if "at" in before else [],
        is_good=is_good,
        lists=[
            (
                labels["health unfinished"],
                [
                    f"{job_of(name)}: {moment(since)}"
                    for name, since in sorted(now["waiting"].items(), key=lambda item: item[1])[:1]
                ],
            ),
            (
                labels["health runs"],
                [
                    labels.format("health run", job=name, runs=labels.number(count), failures=labels.number(failed))
                    for name, (count, failed) in runs.items()
                ],
            ),
            (
                labels["health requests"],
                [f"{name}: {labels.number(count)}" for name, count in requests.items() if count],
            ),
            (labels["health space"], space),
        ],
    )


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
