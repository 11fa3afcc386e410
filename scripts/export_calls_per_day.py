"""Export a day's calls as an Excel report, and mail it to the managers.

    python scripts/export_calls_per_day.py                     yesterday
    python scripts/export_calls_per_day.py 2024-05-01 today    these two days
    python scripts/export_calls_per_day.py --format xlsx,csv --no-mail

Each report goes to REPORTS_DIR (calls-2024-05-01.xlsx), its path is printed, and REPORT_TO gets it by mail.
"""

import argparse

from common.days import calls_of_day, wanted_days
from common.job import Job, run
from common.labels import Labels
from common.outputs import add_output_arguments, deliver, wanted_paths
from common.report import Report, Selection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "days", nargs="*", metavar="DAY", default=["yesterday"], help="2024-05-01, today or yesterday (the default)"
    )
    add_output_arguments(parser)


def main(job: Job) -> None:
    """Export every day asked for. A mail that fails keeps no report from being written."""
    labels = Labels(job.settings.language)
    days = wanted_days(job.arguments.days, job.now().date())
    paths = wanted_paths([str(day) for day in days], job)
    for day in days:
        asked = job.now()
        calls = calls_of_day(day, job)
        selection = Selection.of_day(day, job.settings.timezone)
        report = Report.of(selection, [call for call, _ in calls], asked if asked.date() == day else None)
        deliver(report, [entry for _, entry in calls], paths[str(day)], job, labels)


if __name__ == "__main__":
    run(main, __doc__, add_arguments)
