"""Runs a script as it is, but with lower caps and faster clocks: python lowered.py CAP TIME_SCALE SCRIPT [ARGUMENT ...]

The sandbox must have the same caps and time scale.
"""

import importlib
import runpy
import sys
from dataclasses import replace
from pathlib import Path

cap, time_scale, script = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
sys.path[0] = str(Path(script).parent)
importlib.import_module("common")  # finds the core
binotel_core = importlib.import_module("binotel_core")
binotel_core.PATIENCE_SECONDS = 5  # before anything takes it for its own
store = importlib.import_module("common.state.store")
for name, method in binotel_core.METHODS.items():
    if method.cap:
        binotel_core.METHODS[name] = replace(method, cap=cap)
binotel_core.Throttle.__init__.__kwdefaults__["time_scale"] = time_scale
binotel_core.RETRY_PAUSES_SECONDS = [pause * time_scale for pause in binotel_core.RETRY_PAUSES_SECONDS]
sys.argv = sys.argv[3:]
store.MORE_PATIENCE_SECONDS *= time_scale
if Path(script).stem == "download_records":
    from common.recordings import download

    download.READ_TIMEOUT_SECONDS *= time_scale
    download.RETRY_PAUSES_SECONDS = [pause * time_scale for pause in download.RETRY_PAUSES_SECONDS]
if Path(script).stem == "restore_customers":
    from common.customers import restore

    restore.AGAIN_SECONDS *= time_scale
runpy.run_path(script, run_name="__main__")
