"""The same company as API 4.0 shows it: names of methods and parameters, and the shapes of entries."""

from collections.abc import Callable
from functools import partial
from typing import Any

from binotel_core import METHODS, Method
from common.sandbox.company import RECORDED_DISPOSITIONS
from common.sandbox.recordings import is_uploaded
from common.sandbox.refusal import Refusal

Entry = dict[str, Any]

# What else the server takes a method's name for.
ALIASES = {"stats/list-of-lost-calls-today": "stats/list-of-lost-calls-for-today"}


def named(name: str, version: str) -> str:
    """The name in METHODS of what a version of the API calls so; "" when it has no such method."""
    name = ALIASES.get(name, name)
    for ours, method in METHODS.items():
        its = (method.in_4 or method) if version == "4.0" else method
        if its.name == name and not (version == "2.0" and method.only_4):
            return ours
    return ""


def params_in_2(method: Method, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of API 4.0 under 2.0's names; those that have 2.0's already are not looked at, as others unknown."""
    other, ours = method.in_4 or method, method.required + method.optional
    back = dict(zip(other.required + other.optional, ours, strict=True))
    if not isinstance(params.get("externalNumbers", []), list):
        raise Refusal(104, "Wrong data")
    return {back.get(name, name): value for name, value in params.items() if name in back or name not in ours}


def content_in_4(content: dict[str, Any], now: float) -> dict[str, Any]:
    """The content of an answer in 4.0's shapes, at a moment in Unix seconds."""
    shapes: dict[str, Callable[[Entry], Entry]] = {
        "callDetails": partial(call_in_4, now=now),
        "customerData": customer_in_4,
        "listOfEmployees": employee_in_4,
    }
    for key, shape in shapes.items():
        if key in content:
            return content | {key: {name: shape(entry) for name, entry in content[key].items()}}
    return content


def call_in_4(call: Entry, now: float) -> Entry:
    """A call: who spoke, our number and who was rung are objects of their own there, and it tells of the recording."""
    moved = ("srcNumber", "employeeName", "employeeEmail", "did", "didNumber", "didName", "trunkNumber", "dstNumbers")
    shown = {name: value for name, value in call.items() if name not in moved}
    if not call["disposition"] and int(call["generalCallID"]) % 2:  # some say so, others say nothing while it rings
        shown["disposition"] = "CALLING"
    if call["disposition"] in RECORDED_DISPOSITIONS:
        shown["recordingStatus"] = "uploaded" if is_uploaded(call, now) else "uploading"
    shown["internalAdditionalData"] = call["internalAdditionalData"] or None
    shown["whoHungUp"] = None
    shown["employeeData"] = _employee(call) or ""
    if "didNumber" in call:
        shown["pbxNumberData"] = {"number": call["didNumber"], "name": call["didName"]}
    else:
        shown["pbxNumberData"] = {"number": call["trunkNumber"]}
    if "callTrackingData" in call:
        shown["callTrackingData"] = {"type": "dynamic"} | call["callTrackingData"]
    shown["historyData"] = [_rung(item) for item in call.get("dstNumbers", [])]
    return shown


def _rung(item: Entry) -> Entry:
    group, _, line = str(item["dstNumber"]).rpartition(" > ")
    return {
        "waitsec": item["waitsec"],
        "billsec": item["billsec"],
        "disposition": item["disposition"],
        "internalNumber": line,
        "internalAdditionalData": f"{group} > {line}" if group else None,
        "employeeData": _employee(item) or None,
    }


def _employee(entry: Entry) -> Entry:
    if not entry.get("employeeName"):
        return {}
    return {"name": entry["employeeName"], "email": entry["employeeEmail"]}


def customer_in_4(customer: Entry) -> Entry:
    """A customer: the employee is an object there."""
    moved = ("assignedToEmployeeID", "assignedToEmployeeNumber", "assignedToEmployee")
    shown = {name: value for name, value in customer.items() if name not in moved}
    employee = {
        "id": customer["assignedToEmployeeID"],
        "name": customer["assignedToEmployee"],
        "internalNumber": customer["assignedToEmployeeNumber"],
    }
    return shown | {"assignedToEmployee": employee if customer["assignedToEmployeeID"] else None}


def employee_in_4(employee: Entry) -> Entry:
    """An employee: the line, with its password, is an object there."""
    moved = ("mobilePhoneNumber", "extNumber", "extHash", "extStatus")
    shown = {name: value for name, value in employee.items() if name not in moved}
    return shown | {
        "presenceStateUpdatedAt": "1714510800",
        "role": "employee",
        "mobileNumber": employee["mobilePhoneNumber"],
        "endpointData": {
            "id": f"77{employee['extNumber']}",
            "login": f"10881{employee['extNumber']}",
            "password": employee["extHash"],
            "internalNumber": employee["extNumber"],
            "status": employee["extStatus"],
        },
    }
