# The MolForge server: aiohttp on port 8000, as uid 1000, on a root file system that may be read-only.
# Plain Dockerfile syntax: the classic builder of Docker 20.10 and BuildKit both take it.

FROM python:3.11-slim AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/venv
COPY requirements-server.txt /build/
RUN python -m pip --python /opt/venv/bin/python install --require-hashes -r /build/requirements-server.txt
COPY molforge /app/molforge
COPY graders /app/graders
COPY envs /app/envs
COPY app /app/app
COPY server /app/server
COPY openenv.yaml README.md LICENSE LICENSE-DATA /app/
RUN /opt/venv/bin/python -m compileall -q -j 2 /app

FROM python:3.11-slim
LABEL org.opencontainers.image.title="MolForge" \
      org.opencontainers.image.description="A medicinal-chemistry laboratory for language-model agents (OpenEnv)" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="BSD-3-Clause AND CC-BY-SA-3.0 AND CC0-1.0 AND MIT"
RUN python -m pip uninstall --quiet --yes pip setuptools wheel \
 && rm -rf /usr/local/lib/python3.11/ensurepip \
 && useradd --uid 1000 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin molforge
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1 \
    MOLFORGE_CACHE=/tmp/molforge
WORKDIR /app
USER 1000:1000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; assert b'healthy' in u.urlopen('http://127.0.0.1:8000/health', timeout=2).read()"]
CMD ["python", "-m", "server.app"]
