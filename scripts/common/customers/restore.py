"""A backup and the live base -> the steps that bring the one back into the other, and their carrying out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from binotel_core import ApiError, BinotelClient, SignatureError, TransportError
from common.calls.call import clean
from common.calls.entries import readable
from common.calls.lines import lines_of
from common.calls.phone import dialable
from common.customers.backup import Backup, Customer, changed_fields, ids_of, keyed, label_of, list_of, what_is_wrong

AGAIN_SECONDS = 5  # between two lists of which one alone proves nothing
ASKED_AT_ONCE = 100  # ids in a request
WRONG_DATA = 104  # a code of the API
MAX_NAMED = 10
MAX_FAILURES_IN_A_ROW = 3  # of the network: then it is gone, and the rest would fail the same way


@dataclass(frozen=True)
class Step:
    """A customer to create (`live` is None), or to update.

    params: what is sent, under the server's names
    fields: what changes, under the names that people are shown
    notes:  what cannot be brought back, and why
    """

    customer: Customer
    live: Customer | None
    params: dict[str, Any]
    fields: list[str]
    notes: list[str]


@dataclass
class Plan:
    """What there is to do.

    only_live:      customers who are not in the backup; nothing is done to them
    missing_labels: names of labels that the live base does not have
    missing_lines:  internal numbers that no employee has
    impossible:     what cannot be brought back, and why
    """

    steps: list[Step] = field(default_factory=list)
    same: int = 0
    only_live: list[Customer] = field(default_factory=list)
    missing_labels: list[str] = field(default_factory=list)
    missing_lines: list[str] = field(default_factory=list)
    impossible: list[tuple[Customer, str]] = field(default_factory=list)


@dataclass
class Lists:
    """What customers can be given: labels, id -> name, and the internal numbers that employees have."""

    labels: dict[str, str] = field(default_factory=dict)
    lines: set[str] = field(default_factory=set)

    def add(self, client: BinotelClient, tell: Callable[[str], None]) -> None:
        """Add what Binotel lists now. `tell` is called with a sentence for entries that cannot be read."""
        labels = (entry for _, entry in keyed(list_of(client, "customers/listOfLabels")))
        self.labels.update(readable(labels, label_of, tell))
        employees = (entry for _, entry in keyed(list_of(client, "settings/list-of-employees")))
        self.lines |= {line.number for lines in readable(employees, lines_of, tell) for line in lines}


def make_plan(backup: Backup, live: Backup, lists: Lists, country: str, is_wanted: Callable[[Customer], bool]) -> Plan:
    """Compare a backup with the live base.

    is_wanted: which customers of the backup to bring back

    A deleted customer who was made anew has another id: customers are matched by id, then by a number they share with
    somebody who is not in the backup. Labels are matched by id, then by name. What a customer has in the backup and now
    is never taken away, whatever the lists say.
    """
    plan = Plan()
    matches = _matches(backup, live, country)
    missing: set[str] = set()
    missing_lines: set[str] = set()
    for customer in backup.customers.values():
        if not is_wanted(customer):
            continue
        if customer.id in live.unreadable:
            plan.impossible.append((customer, "Binotel has this customer, who cannot be read."))
            continue
        old = matches.get(customer.id)
        label_ids, lacking = _labels(customer, lists.labels | dict(old.labels) if old else lists.labels)
        missing.update(lacking)
        if old is None and not (customer.numbers and customer.name):
            plan.impossible.append((customer, "Binotel demands a name and a number."))
            continue
        line = customer.employee_number
        has_line = not line or line in lists.lines or (old is not None and line == old.employee_number)
        if not has_line:
            missing_lines.add(line)
        step = _step(customer, old, label_ids, has_line)
        if lacking:
            step.notes.append(f"without the labels {clean(', '.join(lacking))}")
        if step.params:
            plan.steps.append(step)
        elif step.notes:
            plan.impossible.append((customer, f"{'; '.join(step.notes)}."))
        else:
            plan.same += 1
    matched = {customer.id for customer in matches.values()}
    plan.only_live = [customer for customer in live.customers.values() if customer.id not in matched]
    plan.missing_labels, plan.missing_lines = sorted(missing), sorted(missing_lines)
    return plan


def doubts(plan: Plan, backup: Backup, live: Backup, lists: Lists) -> list[str]:
    """Why the lists that a plan was made of cannot be all that there is, in sentences."""
    found = [what_is_wrong(live, backup, "the backup")] if backup.customers else []
    if unlisted := unlisted_labels(live, lists):
        found.append(f"Binotel's list of labels lacks {len(unlisted)} that customers have: {_some(unlisted)}.")
    lines = {customer.employee_number for customer in live.customers.values()} - {""}
    if plan.missing_lines and (not lists.lines or len(lines & lists.lines) * 2 < len(lines)):
        missing = len((lines - lists.lines) | set(plan.missing_lines))
        found.append(f"Binotel lists {len(lists.lines)} lines of employees, and lacks {missing} that customers have.")
    return [doubt for doubt in found if doubt]


def unlisted_labels(live: Backup, lists: Lists) -> list[str]:
    """Names of labels that customers have now, although the list of labels lacks them."""
    labels = {identity: name for customer in live.customers.values() for identity, name in customer.labels.items()}
    return sorted(name for identity, name in labels.items() if identity not in lists.labels)


def hidden_customers(plan: Plan, live: Backup, client: BinotelClient) -> list[str]:
    """Why those whom a plan takes for deleted cannot all be so, in sentences: they are asked for by id.

    Raises what BinotelClient.call() raises.
    """
    ids = [step.customer.id for step in plan.steps if step.customer.id not in live.customers]
    found: set[str] = set()
    for start in range(0, len(ids), ASKED_AT_ONCE):
        asked = ids[start : start + ASKED_AT_ONCE]
        try:
            entries = keyed(list_of(client, "customers/take-by-id", {"customerID": asked}))
        except ApiError as error:
            # Assumed: the server may refuse ids that it does not have.
            if error.code != WRONG_DATA:
                raise
        else:
            found.update(ids_of(entries) & set(asked))
    lacking = f"Binotel's list of {len(live.customers)} customers lacks {len(found)} who exist:"
    return [f"{lacking} {_some(sorted(found))}."] if found else []


def _some(names: list[str]) -> str:
    shown = clean(", ".join(names[:MAX_NAMED]))
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown


def _matches(backup: Backup, live: Backup, country: str) -> dict[str, Customer]:
    """The backup's ids -> the live customers.

    Whoever has just the same number comes first; then the same number written otherwise in the account's country counts
    where it belongs to one customer alone.
    """
    matches = {identity: live.customers[identity] for identity in backup.customers if identity in live.customers}
    unknown = [customer for identity, customer in live.customers.items() if not backup.knows(identity)]
    taken: set[str] = set()
    for form in (str, partial(dialable, country=country)):
        holders: dict[str, list[Customer]] = {}
        for customer in unknown:
            for number in customer.numbers:
                holders.setdefault(form(number), []).append(customer)
        for customer in backup.customers.values():
            if customer.id in matches or customer.id in live.unreadable:
                continue
            found = {holder.id: holder for number in customer.numbers for holder in holders.get(form(number), [])}
            free = [holder for holder in found.values() if holder.id not in taken]
            if len(free) == 1:
                matches[customer.id] = free[0]
                taken.add(free[0].id)
    return matches


def _labels(customer: Customer, there: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The ids that a customer's labels have among those which are there, and the names of those that are not."""
    by_name = {name: identity for identity, name in there.items()}
    found = {name: identity if identity in there else by_name.get(name) for identity, name in customer.labels.items()}
    ids = [identity for identity in found.values() if identity is not None]
    return list(dict.fromkeys(ids)), [name for name, identity in found.items() if identity is None]


def _step(customer: Customer, live: Customer | None, label_ids: list[str], has_line: bool) -> Step:
    notes = []
    values: dict[str, tuple[str, Any]] = {
        "name": ("name", customer.name),
        "numbers": ("numbers", list(customer.numbers)),
        "description": ("description", customer.description),
        "email": ("email", customer.email),
        "employee": ("assignedToEmployeeNumber", customer.employee_number),
        "labels": ("labels", label_ids),
    }
    if not has_line:
        notes.append(f"there is no line {clean(customer.employee_number)} any more: the employee is left as it is")
        del values["employee"]
    for name in ("name", "numbers"):
        if live is not None and not values[name][1]:
            notes.append(f"the {name} cannot be emptied")
            del values[name]
    if live is None:
        fields = [name for name, (_, value) in values.items() if value]
        return Step(customer, None, {values[name][0]: values[name][1] for name in fields}, fields, notes)
    changed = set(changed_fields(live, customer)) - {"labels"}
    if set(label_ids) != set(live.labels):
        changed.add("labels")
    fields = [name for name in values if name in changed]
    params = {values[name][0]: values[name][1] for name in fields}
    return Step(customer, live, {"id": live.id} | params if params else {}, fields, notes)


class Restorer:
    """Carries out steps against a live base that it knows as it was, and keeps track of.

    on_step: called after each step that was tried, with how many were
    """

    def __init__(self, client: BinotelClient, live: Backup, on_step: Callable[[int], None]) -> None:
        self._client = client
        self._on_step = on_step
        self._names = {customer.name: customer.id for customer in live.customers.values()}
        self._numbers = {number: customer.id for customer in live.customers.values() for number in customer.numbers}
        self.failures: list[tuple[Customer, str]] = []
        self.done = 0
        self._tried = 0
        self._in_a_row = 0

    def carry_out(self, steps: list[Step]) -> None:
        """Try every step once, those last that have to wait until another one frees a name or a number.

        What is refused goes into `failures` with the reason, and stops nothing. Raises TransportError or
        SignatureError when the server cannot be used any more.
        """
        waiting = steps
        while waiting:
            blocked = [(step, reason) for step in waiting if (reason := self._try(step))]
            if len(blocked) == len(waiting):
                self.failures += [(step.customer, reason) for step, reason in blocked]
                return
            waiting = [step for step, _ in blocked]

    def _try(self, step: Step) -> str:
        """Why a step has to wait; "" when it was tried."""
        if reason := self._conflict(step):
            return reason
        method = "customers/update" if step.live else "customers/create"
        try:
            answer = self._client.call(method, step.params)
            self._remember(step, step.live.id if step.live else str(answer["customerID"]))
            self.done += 1
            self._in_a_row = 0
        except (ApiError, ValueError) as error:
            self.failures.append((step.customer, str(error)))
            self._in_a_row = 0
        except (TransportError, SignatureError) as error:
            unknown = "" if error.retry_writes else " Whether it was done is unknown: run this again to see."
            self.failures.append((step.customer, f"{error}{unknown}"))
            self._in_a_row += 1
            if self._in_a_row >= MAX_FAILURES_IN_A_ROW:
                raise
        self._tried += 1
        self._on_step(self._tried)
        return ""

    def _conflict(self, step: Step) -> str:
        """The server's rule that a step would break: names and numbers belong to one customer."""
        mine = step.live.id if step.live else ""
        holder = self._names.get(step.params["name"], mine) if "name" in step.params else mine
        if holder != mine:
            return f"the name belongs to customer {clean(holder)}."
        for number in step.params.get("numbers", []):
            holder = self._numbers.get(number, mine)
            if holder != mine:
                return f"the number {clean(number)} belongs to customer {clean(holder)}."
        return ""

    def _remember(self, step: Step, identity: str) -> None:
        """Who has the names and numbers now that a step has been carried out."""
        if "name" in step.params:
            if step.live:
                self._names.pop(step.live.name, None)
            self._names[step.params["name"]] = identity
        if "numbers" in step.params:
            for number in step.live.numbers if step.live else ():
                self._numbers.pop(number, None)
            self._numbers.update(dict.fromkeys(step.params["numbers"], identity))
