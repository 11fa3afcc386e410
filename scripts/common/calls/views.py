"""The archive as people and other programs query it: views with plain names, which count as the reports do.

Their columns are documented in docs/en/archive.md. The SQL is that of SQLite and of PostgreSQL alike.
"""

import sqlalchemy

from common.calls.call import ANSWERED_DISPOSITIONS, LEGS_APART_SECONDS, LOST_DISPOSITIONS, MESSAGE_DISPOSITIONS

SERVICE_LEVEL_SECONDS = 20
AT_ONCE_SECONDS = 5  # who gives up so soon is not held against those who answer


def _listed(texts: frozenset[str]) -> str:
    return ", ".join(f"'{text}'" for text in sorted(texts))


# The later one of two legs that phone-to-phone makes, and the earlier one that belongs to it.
_IS_LATER_LEG = f"""
    other.account = one.account AND other.legs_name <> '' AND other.legs_name = one.legs_name AND other.id <> one.id
    AND other.start BETWEEN one.start - {LEGS_APART_SECONDS} AND one.start
    AND (other.start < one.start OR length(other.id) < length(one.id)
         OR (length(other.id) = length(one.id) AND other.id < one.id))"""


def _times(condition: str) -> str:
    return f"CAST(sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT)"


def _tenths(total: str, count: str) -> str:
    """Their quotient with one decimal, halves rounded up as reports round them; null of nothing."""
    return f"(20 * ({total}) + ({count})) / nullif(2 * ({count}), 0) / 10.0"


_IS_ANSWERED = "direction = 'incoming' AND result = 'answered'"
_COUNTS = f"""
    {_times("direction = 'incoming'")} AS incoming,
    {_times(_IS_ANSWERED)} AS answered,
    {_times("result = 'lost'")} AS lost,
    {_times("direction = 'incoming' AND result = 'other'")} AS other,
    {_tenths(f"100 * {_times(_IS_ANSWERED)}", _times("direction = 'incoming' AND result <> 'other'"))}
        AS answered_percent"""
_OUTGOING = f"""
    {_times("direction = 'outgoing'")} AS outgoing,
    {_times("direction = 'outgoing' AND result = 'answered'")} AS outgoing_answered,
    sum(CASE WHEN result = 'answered' THEN talk_seconds ELSE 0 END) AS talk_seconds"""
_IS_SOON = f"{_IS_ANSWERED} AND wait_seconds <= {SERVICE_LEVEL_SECONDS}"
_WAITED = f"({_IS_ANSWERED}) OR (result = 'lost' AND wait_seconds > {AT_ONCE_SECONDS})"
_CALLERS = f"""
    count(DISTINCT CASE WHEN direction = 'incoming' AND is_new = 1 AND number_key <> '' THEN number_key END)
        AS new_callers,
    {_tenths(f"100 * {_times(_IS_SOON)}", _times(_WAITED))} AS service_level_percent"""

# In this order: each may use those before it. They group by the account last: SQLite would go through all calls by
# way of an index that begins with it.
VIEWS = {
    # Each conversation once; SMS and fax are apart, and so is what neither came in nor went out. (|| '' keeps SQLite
    # from going through all ids for the least one.)
    "call_list": f"""
        SELECT one.local_time, one.direction,
            CASE WHEN coalesce(later.disposition, one.disposition) IN ({_listed(ANSWERED_DISPOSITIONS)}) THEN 'answered'
                 WHEN one.direction = 'incoming' AND one.disposition IN ({_listed(LOST_DISPOSITIONS)}) THEN 'lost'
                 WHEN coalesce(later.disposition, one.disposition) IN ({_listed(LOST_DISPOSITIONS)}) THEN 'not_reached'
                 ELSE 'other' END AS result,
            coalesce(later.number, one.number) AS number, one.customer,
            coalesce(nullif(one.employee, ''),
                (SELECT max(named.employee) FROM calls AS named
                 WHERE named.account = one.account AND named.line = one.line AND named.line <> ''),
                '') AS employee,
            one.line, one.line_group,
            coalesce(later.wait_seconds, one.wait_seconds) AS wait_seconds,
            coalesce(later.talk_seconds, one.talk_seconds) AS talk_seconds,
            one.our_number, one.our_number_name, CASE WHEN one.is_new THEN 1 ELSE 0 END AS is_new,
            coalesce(later.disposition, one.disposition) AS disposition,
            CASE WHEN later.id IS NULL THEN '' ELSE one.number END AS first_number,
            one.utm_source, one.utm_medium, one.utm_campaign, one.utm_content, one.utm_term, one.domain, one.page,
            one.recording_state, substr(one.local_time, 1, 10) AS day, substr(one.local_time, 12, 2) AS hour, one.start,
            coalesce(later.number_key, one.number_key) AS number_key,
            CASE WHEN later.id IS NULL THEN '' ELSE one.number_key END AS first_number_key,
            one.unlisted_since, one.id, one.account
        FROM calls AS one
        LEFT JOIN calls AS later ON one.legs_name <> '' AND later.account = one.account AND later.id = (
            SELECT min(leg.id || '') FROM calls AS leg
            WHERE leg.account = one.account AND leg.legs_name <> '' AND leg.legs_name = one.legs_name
            AND leg.id <> one.id AND leg.start BETWEEN one.start AND one.start + {LEGS_APART_SECONDS})
        WHERE one.direction <> '' AND one.disposition NOT IN ({_listed(MESSAGE_DISPOSITIONS)})
        AND NOT (one.legs_name <> '' AND EXISTS (SELECT 1 FROM calls AS other WHERE {_IS_LATER_LEG}))""",
    # What a caller went through, from a lost call until somebody speaks to the caller.
    "lost_spells": """
        WITH met AS (
            SELECT account, number_key, id, start, local_time, direction, result, disposition, number, customer,
                coalesce(nullif(employee, ''), line) AS who
            FROM call_list WHERE number_key <> ''
            UNION ALL
            SELECT account, first_number_key, id, start, local_time, direction, result, disposition, number, customer,
                coalesce(nullif(employee, ''), line)
            FROM call_list WHERE first_number_key <> ''),
        moments AS (
            SELECT account, number_key, start, min(local_time) AS local_time,
                sum(CASE WHEN result = 'lost' THEN 1 ELSE 0 END) AS times,
                max(CASE WHEN result = 'lost' THEN number END) AS number,
                max(CASE WHEN result = 'lost' THEN customer END) AS customer,
                max(CASE WHEN result = 'lost' AND disposition = 'VM-SUCCESS' THEN 1 ELSE 0 END) AS has_message,
                max(CASE WHEN direction = 'outgoing' THEN start END) AS dialled,
                max(CASE WHEN result = 'answered' THEN start END) AS spoken,
                min(CASE WHEN result = 'answered' THEN id END) AS spoken_in
            FROM met GROUP BY account, number_key, start),
        followed AS (
            SELECT moments.*, max(dialled) OVER (PARTITION BY account, number_key) AS last_dialled,
                min(spoken) OVER (PARTITION BY account, number_key ORDER BY start DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended
            FROM moments),
        spells AS (
            SELECT account, number_key, ended, max(number) AS number, max(customer) AS customer, sum(times) AS times,
                min(start) AS first, max(start) AS last, min(local_time) AS first_time, max(local_time) AS last_time,
                max(has_message) AS has_message, max(last_dialled) AS last_dialled
            FROM followed WHERE times > 0 GROUP BY account, number_key, ended)
        SELECT spells.account, spells.number_key, spells.number, spells.customer, spells.times, first, last, first_time,
            last_time, spells.has_message,
            CASE WHEN ended IS NULL AND last_dialled > last THEN 'tried'
                 WHEN ended IS NULL THEN 'nobody'
                 WHEN ending.direction = 'incoming' THEN 'got_through'
                 ELSE 'called_back' END AS state,
            ended, ended - first AS seconds_until_ended, ending.who AS ended_by
        FROM spells
        LEFT JOIN moments AS moment ON moment.account = spells.account AND moment.number_key = spells.number_key
            AND moment.start = ended
        LEFT JOIN met AS ending ON ending.account = spells.account AND ending.number_key = spells.number_key
            AND ending.id = moment.spoken_in""",
    "by_day": f"SELECT account, day, {_COUNTS}, {_OUTGOING} FROM call_list GROUP BY day, account",
    "by_hour": f"SELECT account, day, hour, {_COUNTS}, {_OUTGOING} FROM call_list GROUP BY day, hour, account",
    "by_our_number": f"""
        SELECT account, our_number, max(our_number_name) AS name, {_COUNTS}, {_CALLERS}
        FROM call_list WHERE direction = 'incoming' GROUP BY our_number, account""",
    "by_source": f"""
        SELECT account, utm_source, utm_medium, utm_campaign, domain, {_COUNTS}, {_CALLERS}
        FROM call_list WHERE direction = 'incoming' AND utm_source || utm_medium || utm_campaign || domain <> ''
        GROUP BY utm_source, utm_medium, utm_campaign, domain, account""",
    # rung_in_lost: lost calls in which the line was rung, and could have been picked up; null where nobody tells.
    "by_employee": f"""
        WITH did AS (
            SELECT account, coalesce(nullif(employee, ''), nullif(line, ''), 'no line') AS name,
                sum(CASE WHEN direction = 'incoming' AND result = 'answered' THEN 1 ELSE 0 END) AS answered,
                sum(CASE WHEN direction = 'outgoing' THEN 1 ELSE 0 END) AS outgoing,
                sum(CASE WHEN direction = 'outgoing' AND result = 'answered' THEN 1 ELSE 0 END) AS outgoing_answered,
                sum(CASE WHEN result = 'answered' THEN talk_seconds ELSE 0 END) AS talk_seconds,
                0 AS rung_in_lost, 0 AS callbacks
            FROM call_list WHERE direction = 'outgoing' OR result = 'answered' GROUP BY account, name
            UNION ALL
            SELECT account, name, 0, 0, 0, 0, count(DISTINCT id), 0 FROM (
                SELECT rung.account, rung.id, coalesce(nullif(rung.employee, ''),
                    nullif((SELECT max(named.employee) FROM calls AS named
                            WHERE named.account = rung.account AND named.line = rung.line), ''),
                    nullif(rung.line, ''), 'no line') AS name
                FROM rung JOIN call_list ON call_list.account = rung.account AND call_list.id = rung.id
                WHERE call_list.result = 'lost' AND (rung.line <> '' OR rung.employee <> '')) AS rung_by
            GROUP BY account, name
            UNION ALL
            SELECT account, coalesce(nullif(ended_by, ''), 'no line'), 0, 0, 0, 0, 0, count(*) FROM lost_spells
            WHERE state = 'called_back' GROUP BY account, ended_by)
        SELECT account, name, answered, rung_in_lost, {_tenths("100 * answered", "answered + rung_in_lost")}
                AS picked_up_percent,
            outgoing, outgoing_answered, talk_seconds,
            {_tenths("talk_seconds", "answered + outgoing_answered")} AS average_talk_seconds, callbacks
        FROM (
            SELECT account, name, CAST(sum(answered) AS BIGINT) AS answered,
                CASE WHEN max(sum(rung_in_lost)) OVER (PARTITION BY account) > 0 OR NOT EXISTS (
                    SELECT 1 FROM call_list WHERE call_list.account = did.account AND result = 'lost')
                    THEN CAST(sum(rung_in_lost) AS BIGINT) END AS rung_in_lost,
                sum(outgoing) AS outgoing, CAST(sum(outgoing_answered) AS BIGINT) AS outgoing_answered,
                CAST(sum(talk_seconds) AS BIGINT) AS talk_seconds, sum(callbacks) AS callbacks
            FROM did GROUP BY account, name) AS each_one""",
}


def make_views(connection: sqlalchemy.Connection) -> None:
    for name in reversed(VIEWS):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    for name, query in VIEWS.items():
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {query}")
