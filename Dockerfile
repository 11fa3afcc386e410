# The scripts as an image that runs as a user of its own. What they make goes to /data, beside its config.env:
#
#   docker build -t binotel-scripts .
#   docker run --rm -v /srv/kyiv:/data binotel-scripts export_calls_per_day.py --catch-up
#   docker run -d --restart unless-stopped -v /srv/kyiv:/data binotel-scripts     the loop

FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt requirements-s3.txt requirements-postgresql.txt ./
# Without pip, which nothing needs when all is there.
RUN python -m venv --without-pip .venv \
    && pip --python .venv/bin/python install --no-cache-dir \
       -r requirements.txt -r requirements-s3.txt -r requirements-postgresql.txt

FROM python:3.13-slim
RUN useradd --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin binotel
COPY --from=build /app /app
COPY binotel_core.py /app/
COPY scripts /app/scripts
ENV BINOTEL_CONFIG=/data/config.env PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /data
# So that a script's name is enough.
WORKDIR /app/scripts
ENTRYPOINT ["/app/.venv/bin/python"]
CMD ["run_schedule.py"]
