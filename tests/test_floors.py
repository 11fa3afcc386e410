"""The floors of the house: an import goes down, never up, never in a circle; what a room's name says it may use."""

import ast
from graphlib import TopologicalSorter

import pytest

from common.settings import PROJECT_ROOT

# From the ground up. A module may use what stands below it, and beside it.
FLOORS = (
    ("binotel_core", "common.labels", "common.timetable", "common.files", "common.csv_texts"),
    ("common.settings", "common.state"),
    ("common.calls", "common.messages"),
    ("common.customers", "common.recordings", "common.reports", "common.sandbox"),
    ("common.job", "common.progress", "common.delivery", "common.checks", "common.ask"),
    ("common.schedule",),
)
SCRIPTS = PROJECT_ROOT / "scripts"


def name_of(path):
    root = SCRIPTS if path.is_relative_to(SCRIPTS) else PROJECT_ROOT
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in (PROJECT_ROOT / "binotel_core.py", *SCRIPTS.rglob("*.py"))}


def imports_of(name):
    """The modules of ours that a module imports, also inside of functions."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {other for other in found & MODULES.keys() if not is_room(other)}


def is_room(name):
    return MODULES[name].name == "__init__.py"


def floor_of(name):
    for floor, rooms in enumerate(FLOORS):
        if any(name == room or name.startswith(f"{room}.") for room in rooms):
            return floor
    assert "." not in name, f"{name} stands in no room: give it one, or a floor of its own above"
    return len(FLOORS)  # a script


@pytest.mark.parametrize("name", sorted(MODULES))
def test_an_import_goes_down(name):
    assert {other for other in imports_of(name) if floor_of(other) > floor_of(name)} == set()


def test_no_imports_go_in_a_circle():
    assert list(TopologicalSorter({name: imports_of(name) for name in MODULES}).static_order())


def test_a_script_imports_no_script():
    scripts = {name for name in MODULES if floor_of(name) == len(FLOORS)}
    assert {(name, other) for name in scripts for other in imports_of(name) & scripts} == set()


def test_the_core_and_the_sandbox_know_nothing_of_ours():
    assert imports_of("binotel_core") == set()
    of_sandbox = set().union(*(imports_of(name) for name in MODULES if name.startswith("common.sandbox.")))
    assert {name for name in of_sandbox if not name.startswith("common.sandbox.")} <= {"binotel_core"}


@pytest.mark.parametrize("name", sorted(set(filter(is_room, MODULES)) - {"common"}))
def test_a_room_hands_nothing_on(name):
    assert [type(node) for node in ast.parse(MODULES[name].read_text("utf-8")).body] == [ast.Expr]  # a docstring


def test_a_script_that_imports_the_core_has_imported_what_finds_it():
    """Python looks for binotel_core where common has told it to, and nowhere else."""
    for name in {name for name in MODULES if floor_of(name) == len(FLOORS)}:
        imports = [
            node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(ast.parse(MODULES[name].read_text("utf-8")))
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        rooms = [module.split(".")[0] for module in imports]
        assert "binotel_core" not in rooms or "common" in rooms[: rooms.index("binotel_core")], name
