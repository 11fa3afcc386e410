"""Compare a backup of "My clients" with what there is now, and bring back what is missing or has changed.

    python scripts/restore_customers.py backups/customers-2024-05-01T0300.json.gz            shows what it would do
    python scripts/restore_customers.py backups/customers-2024-05-01T0300.json.gz --apply    does it, after asking
    python scripts/restore_customers.py BACKUP --only 6611 --only 6612
    python scripts/restore_customers.py BACKUP --name Лікар --apply --yes

Customers who are missing are created, those who differ are updated; nothing is ever deleted. A customer who was deleted
gets a new id. When it is interrupted, run it again: it compares anew. While what Binotel lists cannot be all that there
is, nothing is written.
"""

import argparse
import logging
import sys
import time
from pathlib import Path

import common  # noqa: F401 - so that binotel_core is found
from binotel_core import BinotelError
from common.calls.call import clean
from common.calls.phone import country_of
from common.customers.backup import Backup, Customer, keyed, list_of, read_backup
from common.customers.restore import (
    AGAIN_SECONDS,
    Lists,
    Plan,
    Restorer,
    Step,
    doubts,
    hidden_customers,
    make_plan,
    unlisted_labels,
)
from common.job import Job, is_confirmed, print_out, run
from common.progress import progress_bar
from common.settings import UsageError

MAX_LISTED = 20

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backup", metavar="BACKUP", type=Path, help="a .json.gz that backup_customers.py has made")
    parser.add_argument("--apply", action="store_true", help="write to Binotel; without it nothing is changed")
    parser.add_argument("--yes", action="store_true", help="do not ask before writing")
    parser.add_argument("--only", metavar="ID", action="append", default=[], help="this customer of the backup alone")
    parser.add_argument("--name", metavar="TEXT", help="only customers with this in their name")
    parser.add_argument(
        "--without-missing-labels", action="store_true", help="bring customers back without labels that do not exist"
    )
    parser.add_argument(
        "--force", action="store_true", help="accept what Binotel lists now, even if it has lost most of the customers"
    )


def main(job: Job) -> None:
    """Show the plan; carry it out when told to."""
    arguments = job.arguments
    if arguments.apply and not arguments.yes and not (sys.stdin and sys.stdin.isatty()):
        raise UsageError("There is no terminal to ask on before writing: add --yes.")
    backup = read_backup(arguments.backup, job.fail)
    if unknown := [identity for identity in arguments.only if not backup.knows(identity)]:
        raise UsageError(f"The backup has no customer {unknown[0]}.")
    live = Backup.of(job.now(), keyed(list_of(job.client, "customers/list")), job.fail)
    lists, country = Lists(), country_of(job.settings.timezone)
    lists.add(job.client, job.fail)
    plan = make_plan(backup, live, lists, country, lambda customer: is_wanted(customer, job))
    if plan.missing_labels or plan.missing_lines or unlisted_labels(live, lists):
        time.sleep(AGAIN_SECONDS)
        lists.add(job.client, log.debug)  # only what two lists lack is gone
        plan = make_plan(backup, live, lists, country, lambda customer: is_wanted(customer, job))
    show(plan, backup, live, job)
    if not arguments.force:
        refuse_if(doubts(plan, backup, live, lists))
    if not arguments.apply or not plan.steps:
        job.failed |= bool(arguments.apply and plan.impossible)
        return
    if plan.missing_labels and not arguments.without_missing_labels:
        raise UsageError(
            f"These labels do not exist any more: {clean(', '.join(plan.missing_labels))}. "
            "Create them in your Binotel account, or add --without-missing-labels."
        )
    if not arguments.force:
        refuse_if(hidden_customers(plan, live, job.client))
    if not (arguments.yes or is_confirmed(f"Write these {len(plan.steps)} customers to Binotel? [y/N] ")):
        print_out("Nothing was changed.")
        return
    carry_out(plan, live, job)


def refuse_if(problems: list[str]) -> None:
    """Raise BinotelError with what shows that Binotel's lists are not whole."""
    if problems:
        remedy = "Nothing was written. Run this again later. If the lists are right all the same, add --force."
        raise BinotelError(" ".join(problems), remedy)


def is_wanted(customer: Customer, job: Job) -> bool:
    """Whether --only and --name leave a customer in."""
    only, name = job.arguments.only, job.arguments.name
    return (not only or customer.id in only) and (name is None or name.lower() in customer.name.lower())


def show(plan: Plan, backup: Backup, live: Backup, job: Job) -> None:
    """Print what there is to do; all of it with -v."""
    print_out(
        f"The backup of {backup.made_at:%Y-%m-%d %H:%M} has {len(backup.customers)} customers, "
        f"Binotel has {len(live.customers)}."
    )
    creates = [step for step in plan.steps if step.live is None]
    updates = [step for step in plan.steps if step.live is not None]
    limit = len(plan.steps) + len(plan.impossible) if job.arguments.verbose else MAX_LISTED
    for word, steps in (("create", creates), ("update", updates)):
        print_some([f"{word} {step.customer.shown}{changes(step)}" for step in steps], limit)
    print_some([f"impossible {customer.shown}: {reason}" for customer, reason in plan.impossible], limit)
    if plan.missing_labels:
        print_out(f"labels that do not exist any more: {clean(', '.join(plan.missing_labels))}")
    if plan.missing_lines:
        print_out(f"lines that belong to nobody any more: {clean(', '.join(plan.missing_lines))}")
    print_out(
        f"{len(creates)} to create, {len(updates)} to update, {plan.same} the same; "
        f"{len(plan.only_live)} are not in the backup and stay as they are."
    )


def changes(step: Step) -> str:
    """What a step changes, and what it cannot bring back."""
    fields = f": {', '.join(step.fields)}" if step.live else ""
    if step.live and step.live.id != step.customer.id:
        fields += f"; found by a number, is now {step.live.shown}"
    return fields + "".join(f"; {note}" for note in step.notes)


def print_some(lines: list[str], limit: int) -> None:
    for line in lines[:limit]:
        print_out(line)
    if len(lines) > limit:
        print_out(f"... and {len(lines) - limit} more (-v lists them)")


def carry_out(plan: Plan, live: Backup, job: Job) -> None:
    """Write the plan's steps to Binotel, and list what was refused."""
    began = time.monotonic()
    job.check_lock()  # the plan may have been looked at for long
    with progress_bar(job) as bar:

        def on_step(tried: int) -> None:
            seconds_left = (time.monotonic() - began) / tried * (len(plan.steps) - tried)
            bar(tried / len(plan.steps), f"{tried} of {len(plan.steps)} customers", seconds_left)
            if tried < len(plan.steps):
                job.check_lock()

        restorer = Restorer(job.client, live, on_step)
        try:
            restorer.carry_out(plan.steps)
        finally:
            for customer, reason in plan.impossible + restorer.failures:
                job.fail(f"{customer.shown} was not brought back: {reason}")
            print_out(f"{restorer.done} of {len(plan.steps)} customers were brought back.")


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
