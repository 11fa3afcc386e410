"""Save all customers of "My clients", so that restore_customers.py can bring them back.

    python scripts/backup_customers.py
    python scripts/backup_customers.py -v         with every field that has changed
    python scripts/backup_customers.py --force    when most of the customers were really deleted

A backup is two files in BACKUPS_DIR, which only their owner can read: customers-2024-05-01T0300.json.gz with
everything that Binotel sent, and customers-2024-05-01T0300.xlsx for people. Their paths are printed, and what has
changed since the backup before. When customers were deleted, ADMIN_TO is told by mail. BACKUPS_KEEP of them are kept.
"""

import argparse
import itertools
import logging
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from common.calls.call import clean
from common.customers.backup import (
    FIELDS,
    OWNER_ONLY,
    SUSPICIOUS,
    Backup,
    BackupError,
    Customer,
    changed_fields,
    good_backups,
    keyed,
    list_of,
    read_backup,
    what_is_wrong,
    write_backup,
)
from common.files import written_whole
from common.job import Job, print_out, run
from common.labels import Labels
from common.messages import mail
from common.messages.notice import notice_mail
from common.reports.tables import Kind, Table, Value, table_of
from common.reports.workbook import save_list

MAX_LISTED = 50  # lines of a mail

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="accept that all or most of the customers are gone")


def main(job: Job) -> None:
    """Save what there is now, under a name that says so when it cannot be right, and tell what has changed."""
    labels = Labels(job.settings.language)
    folder = job.settings.backups_dir
    path, before = last_backup(folder)
    now = job.now()
    content = list_of(job.client, "customers/list")
    list_of_labels = list_of(job.client, "customers/listOfLabels")
    backup = Backup.of(now, keyed(content), job.fail)
    doubt = "" if job.arguments.force else what_is_wrong(backup, before, "the last backup")
    if not doubt and not job.arguments.force:
        doubt = who_is_unclear(before, backup)
    changes = Changes.of(before, backup) if before and not doubt else None
    if changes and changes.deleted and job.settings.admin_to:
        tell_admin(changes, path, labels, job)

    stem = free_stem(folder, now, SUSPICIOUS if doubt else "")
    workbook, whole = folder / f"{stem}.xlsx", folder / f"{stem}.json.gz"
    with written_whole(workbook, OWNER_ONLY) as temporary:
        title = labels.format("customers on", time=labels.moment(now))
        save_list(title, labels["sheet customers"], customers_table(backup, labels), labels, temporary)
    # Last, because with it the next run knows of all these changes: whatever fails before is told again.
    try:
        write_backup(whole, now, content, list_of_labels)
    except BaseException:
        workbook.unlink(missing_ok=True)
        raise
    for path in (whole, workbook):
        job.tell(path)
    if doubt:
        job.fail(f"{doubt} The backups before it were kept. If it is right, run this again with --force.")
        return
    for line in changes.lines(with_values=job.arguments.verbose) if changes else ():
        print_out(line)
    if not backup.unreadable:
        # One list alone does not decide who is gone: who was there before it is kept until the next one agrees.
        prune(folder, job.settings.backups_keep + bool(changes and changes.deleted))


def customers_table(backup: Backup, labels: Labels) -> Table:
    """A row a customer."""
    columns = {
        "id": Kind.PHONE,
        "customer": Kind.TEXT,
        "numbers": Kind.PHONE,
        "description": Kind.TEXT,
        "email": Kind.TEXT,
        "employee": Kind.TEXT,
        "line": Kind.PHONE,
        "labels": Kind.TEXT,
    }

    def rows() -> Iterator[tuple[Value, ...]]:
        for customer in backup.customers.values():
            texts = (
                customer.id,
                customer.name,
                ", ".join(customer.numbers),
                customer.description,
                customer.email,
                customer.employee,
                customer.employee_number,
                ", ".join(customer.labels.values()),
            )
            yield tuple(clean(text) if text else None for text in texts)

    return table_of(columns, labels, rows)


def free_stem(folder: Path, now: datetime, mark: str) -> str:
    """The name of a new backup: never that of one which is there, as in the hour that the clocks repeat."""
    for minutes in itertools.count():
        stem = f"customers-{now + timedelta(minutes=minutes):%Y-%m-%dT%H%M}{mark}"
        if not (folder / f"{stem}.json.gz").exists():
            return stem
    raise AssertionError  # count() never ends


def last_backup(folder: Path) -> tuple[Path, Backup | None]:
    """The newest good backup that can be read, with its path; None where there is none."""
    for path in reversed(good_backups(folder)):
        try:
            return path, read_backup(path, log.debug)  # who could not be read was told when it was made
        except BackupError as error:
            log.warning("%s It was passed over.", error)
    return folder, None


def who_is_unclear(before: Backup | None, backup: Backup) -> str:
    """Why nobody can tell who was deleted; "" when that can be told."""
    if before and "" in backup.unreadable and (missing := who_is_missing(before, backup)):
        return f"Of the last backup's customers {len(missing)} are missing, and there are some without an id."
    return ""


def who_is_missing(before: Backup, backup: Backup) -> list[str]:
    """Those who were there before and are not any more, as they are shown to people."""
    missing = [old.shown for identity, old in before.customers.items() if not backup.knows(identity)]
    return missing + [clean(identity) for identity in sorted(before.unreadable - {""}) if not backup.knows(identity)]


@dataclass(frozen=True)
class Changes:
    """What has changed since a backup. Who cannot be read is none of these.

    since:   when that backup was made
    changed: what customers were and are
    deleted: how they are shown to people
    """

    since: datetime
    added: list[Customer]
    changed: list[tuple[Customer, Customer]]
    deleted: list[str]

    @classmethod
    def of(cls, before: Backup, backup: Backup) -> "Changes":
        customers = backup.customers
        added = [customer for identity, customer in customers.items() if not before.knows(identity)]
        both = [(old, customers[identity]) for identity, old in before.customers.items() if identity in customers]
        changed = [(old, new) for old, new in both if changed_fields(old, new)]
        return cls(before.made_at, added, changed, who_is_missing(before, backup))

    @property
    def counts(self) -> dict[str, int]:
        return {"added": len(self.added), "deleted": len(self.deleted), "changed": len(self.changed)}

    @property
    def summary(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        return f"Since {self.since:%Y-%m-%d %H:%M}: {counts}"

    def lines(self, *, with_values: bool) -> list[str]:
        """What is printed: a line each; `with_values` what each field was and is, too."""
        lines = [self.summary]
        for old, new in self.changed:
            fields = changed_fields(old, new)
            lines.append(f"~ {new.shown}: {', '.join(fields)}")
            if with_values:
                lines += [f"    {name}: {FIELDS[name](old)!r} -> {FIELDS[name](new)!r}" for name in fields]
        return [*lines, *(f"+ {customer.shown}" for customer in self.added), *(f"- {shown}" for shown in self.deleted)]


def tell_admin(changes: Changes, path: Path, labels: Labels, job: Job) -> None:
    """Mail what has changed since the backup at `path`. A mail that fails is told, and stops nothing."""
    settings = job.settings
    time = labels.moment(changes.since.astimezone(settings.timezone))
    changed = [
        f"{new.shown}: {', '.join(labels[field].lower() for field in changed_fields(old, new))}"
        for old, new in changes.changed
    ]
    config = ["--config", str(settings.path)] if settings.path else []
    lists = []
    left = MAX_LISTED
    for heading, lines in (
        ("deleted", changes.deleted),
        ("added", [customer.shown for customer in changes.added]),
        ("changed", changed),
    ):
        lists.append((labels[heading], lines[:left]))
        left -= len(lists[-1][1])
    more = sum(changes.counts.values()) - (MAX_LISTED - left)
    message = notice_mail(
        labels.format("customers deleted", count=len(changes.deleted)),
        labels,
        [labels.format("backup compared", time=time, **changes.counts)],
        to_do=labels["bring customers back"],
        command=shlex.join(["python", "scripts/restore_customers.py", str(path), *config]),
        lists=lists,
        notes=[labels.format("and so many more", count=more)] if more else [],
    )
    thread = mail.Thread(job.name, str(job.now().date()))
    about = "deleted"  # a crash before the backup is written tells the same again
    try:
        mail.send(message, [], settings, thread=thread, to=settings.admin_to, key="ADMIN_TO", about=about)
    except mail.MailError as error:
        told = [changes.summary, *(f"- {shown}" for shown in changes.deleted[:MAX_LISTED])]
        job.fail(f"{error} {'; '.join(told)}")  # nobody is told of them again


def prune(folder: Path, keep: int) -> None:
    """Remove the oldest good backups beyond `keep`, and what killed runs left behind."""
    for path in good_backups(folder)[:-keep]:
        path.with_name(path.name.replace(".json.gz", ".xlsx")).unlink(missing_ok=True)
        path.unlink()
    for path in folder.glob("customers-*.xlsx"):
        if not path.with_suffix(".json.gz").exists():
            path.unlink()


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
