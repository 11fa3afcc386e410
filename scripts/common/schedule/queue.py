"""Jobs of many accounts on several machines: Procrastinate's queue in PostgreSQL says which worker looks at a job when.

A look at a job is a task of the queue. It runs the job if that is due, and defers the next look: a chain of each job.
What is remembered of a job says whether it is due (Planned): whoever looks, and however often, a run is begun once.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import psycopg_pool
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision, exceptions
from procrastinate.jobs import Job, Status

from common.schedule.loop import MOST_AT_ONCE, RETRY_SECONDS, start_process
from common.schedule.planned import Account, Planned, Plans
from common.schedule.runs import SECONDS_TO_END, Outcome

FOLLOW_SECONDS = 0.25
POLL_SECONDS = 1.0  # how often an idle worker asks for a job
BEAT_SECONDS, STALLED_SECONDS = 10.0, 30.0  # a worker that has said nothing for so long is gone, and its jobs another's
KEEP_CRON = "* * * * *"  # each minute
FINISHED_HOURS = 1  # how long what is over stays in the queue's tables
# What says that the database is away, whoever finds out first.
DATABASE_AWAY = (exceptions.ConnectorException, psycopg.OperationalError, psycopg_pool.PoolTimeout)

log = logging.getLogger(__name__)


class CutOff(BaseRetryStrategy):
    """A look that is cut off because its worker is stopped is another worker's at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        return RetryDecision(retry_at=datetime.now(UTC)) if isinstance(exception, asyncio.CancelledError) else None


class Worker:
    """Looks at jobs until it is asked to stop. A database that goes away ends it: its supervisor starts it again.

    load: reads the config files
    """

    def __init__(self, database_url: str, load: Callable[[], list[Account]]) -> None:
        self._plans = Plans(load)
        conninfo = database_url.replace("postgresql+psycopg://", "postgresql://")
        # Prepared statements would not survive a pooler. Each of its statements stands for itself.
        options = {"prepare_threshold": None, "autocommit": True}
        self.app = App(connector=PsycopgConnector(conninfo=conninfo, max_size=4, kwargs=options))
        self._look = self.app.task(name="look", pass_context=True, retry=CutOff())(self.look)
        # It has no lock: one that is stalled must not keep the next one waiting. Queued once: two would do it twice.
        self._keep = self.app.task(name="keep", queueing_lock="keep")(self.keep)
        self.app.periodic(cron=KEEP_CRON)(self._keep)

    async def work(self) -> None:
        """Raises one of DATABASE_AWAY."""
        async with self.app.open_async():
            if not await self.app.job_manager.check_connection_async():
                with suppress(exceptions.ConnectorException):  # another worker was faster
                    await self.app.schema_manager.apply_schema_async()
            with suppress(exceptions.AlreadyEnqueued):  # somebody keeps the queue
                await self._keep.defer_async(timestamp=0)
            await self.app.run_worker_async(
                concurrency=MOST_AT_ONCE,
                listen_notify=False,  # it is dead after the server was restarted, and nobody says so
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=BEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                shutdown_graceful_timeout=1,
            )

    async def look(self, _context: JobContext, key: str, rule: str) -> None:
        """Run a job if it is due, and say when it is to be looked at next."""
        planned = self._plans.current().get(key)
        if planned is None or planned.rule != rule:
            return  # removed or changed meanwhile: keep() sees to it
        seconds: float = RETRY_SECONDS
        if not await asyncio.to_thread(planned.take):
            seconds = planned.seconds_left
        elif (outcome := await self._follow(planned)) and not outcome.is_busy:
            seconds = 0 if outcome.problem else planned.seconds_left - outcome.seconds
        await self._defer(key, rule, seconds)

    async def _follow(self, planned: Planned) -> Outcome | None:
        """How a run of it ended; None when it was cut off."""
        try:
            run = await asyncio.to_thread(start_process, planned)
        except OSError as error:
            now = datetime.now(UTC).timestamp()
            problem = f"It could not be started: {error.strerror or error}."
            await asyncio.to_thread(planned.end, Outcome(now, now, problem, is_to_be_repeated=True))
            return None
        try:
            while run.is_alive():
                run.keep_to_limit()
                await asyncio.sleep(FOLLOW_SECONDS)
        except asyncio.CancelledError:
            run.stop()
            await asyncio.to_thread(run.join, SECONDS_TO_END)
            run.kill()
            raise
        return run.outcome

    async def _defer(self, key: str, rule: str, seconds: float) -> None:
        """Queue the next look at a job, by the server's clock, unless one is queued."""
        row = await self.app.connector.execute_query_one_async("SELECT clock_timestamp() AS now")
        at = row["now"] + timedelta(seconds=max(0, seconds))
        with suppress(exceptions.AlreadyEnqueued):
            await self._look.configure(lock=key, queueing_lock=key, schedule_at=at).defer_async(key=key, rule=rule)

    async def keep(self, timestamp: int) -> None:
        """Mend the chains, every minute: what is new gets one, what is gone loses it, what is stalled goes on."""
        manager = self.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            try:
                await manager.retry_job(job)
            except exceptions.UniqueViolation:  # its successor is queued
                await manager.finish_job(job, Status.FAILED, delete_job=False)
        planned = self._plans.current()
        queued = set()
        for status in ("todo", "doing"):
            for job in await manager.list_jobs_async(task="look", status=status):
                wanted = planned.get(str(job.lock))
                if wanted and wanted.rule == job.task_kwargs["rule"]:
                    queued.add(str(job.lock))
                elif status == "todo" and job.id is not None:
                    await manager.cancel_job_by_id_async(job.id)
        for key in planned.keys() - queued:
            await self._defer(key, planned[key].rule, 0)
        if timestamp % 3600 < 60:
            await manager.delete_old_jobs(
                FINISHED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
            )


def work(database_url: str, load: Callable[[], list[Account]]) -> None:
    """Be a worker. Raises one of DATABASE_AWAY."""
    worker = Worker(database_url, load)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)  # its steps are not the jobs'
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it tells of each try
    log.info("Started, process %d", os.getpid())
    asyncio.run(worker.work())
