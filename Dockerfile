# Headwater's worker: what requirements.lock pins, verified by hash, without the extras for development and embedding.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
COPY requirements.lock ./
# The lock covers the extras too: every file is fetched and verified here, the install below takes only what is needed.
RUN pip wheel --quiet --require-hashes --requirement requirements.lock --wheel-dir wheels
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY detectors detectors
COPY diagnosis diagnosis
COPY simulation simulation
COPY streams streams
RUN pip wheel --quiet --no-deps --wheel-dir wheels . \
    && python -m venv /opt/headwater \
    && /opt/headwater/bin/pip install --quiet --no-index --find-links wheels headwater \
    && /opt/headwater/bin/pip uninstall --quiet --yes pip setuptools

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin headwater
COPY --from=build /opt/headwater /opt/headwater
ENV PATH=/opt/headwater/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEADWATER_METRICS_HOST=0.0.0.0 \
    HEADWATER_METRICS_PORT=9187
# Nothing is written but scratch files in /tmp: the root file system may be read-only.
WORKDIR /tmp
USER 10001:10001
EXPOSE 9187
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['HEADWATER_METRICS_PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["headwater"]
CMD ["worker"]
