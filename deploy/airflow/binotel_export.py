"""The daily report, started by Airflow 3. Each account gets a copy of this file, with its own DAG id and config."""

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "binotel_export_calls_per_day",
    schedule="30 7 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Kyiv"),
    catchup=False,  # the script catches up by itself
    max_active_runs=1,
):
    BashOperator(
        task_id="export_calls_per_day",
        bash_command="/opt/binotel/.venv/bin/python /opt/binotel/scripts/export_calls_per_day.py --catch-up "
        "--config /var/lib/binotel/config.env",
        skip_on_exit_code=75,  # another copy is running, and does the same
        # Airflow makes of this 10 to 20 minutes, then 30 to 60, then 60.
        retries=3,
        retry_delay=timedelta(minutes=10),
        retry_exponential_backoff=3,
        max_retry_delay=timedelta(minutes=60),
        execution_timeout=timedelta(hours=2),
    )
