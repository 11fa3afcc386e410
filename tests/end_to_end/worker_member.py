"""A worker of run_schedule.py as it is, but with faster clocks, and jobs that note when they ran.

python worker_member.py JOBS_FOLDER CONFIG ...
"""

import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
timetable = importlib.import_module("common.timetable")
timetable.UNITS["minute"] = 1  # "every 10 minutes" are ten seconds
planned = importlib.import_module("common.schedule.planned")
planned.SCRIPTS = Path(sys.argv[1])
loop = importlib.import_module("common.schedule.loop")
loop.RETRY_SECONDS = 2
queue = importlib.import_module("common.schedule.queue")
queue.RETRY_SECONDS, queue.POLL_SECONDS, queue.KEEP_CRON = 2, 0.5, "* * * * * */2"
queue.BEAT_SECONDS, queue.STALLED_SECONDS = 1, 3
run_schedule = importlib.import_module("run_schedule")
sys.argv = ["run_schedule.py", "--worker", *sys.argv[2:]]
run_schedule.run_command(run_schedule.main, run_schedule.__doc__, run_schedule.add_arguments)
