# One image for all processes: `docker run fenghuo gateway | stream | respond | console | migrate`.

FROM node:22-slim AS pages
WORKDIR /build
COPY dashboards/package.json dashboards/package-lock.json dashboards/.npmrc ./
RUN npm ci --omit=dev --silent

FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/fenghuo
ENV PATH=/opt/fenghuo/bin:$PATH
COPY requirements-build.lock requirements-runtime.lock ./
RUN pip install --require-hashes --requirement requirements-build.lock \
    && pip install --require-hashes --no-build-isolation --requirement requirements-runtime.lock
COPY . .
COPY --from=pages /build/node_modules dashboards/node_modules
RUN python -m dashboards.assets && pip install --no-deps --no-build-isolation .

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --home-dir /var/lib/fenghuo fenghuo
COPY --from=build /opt/fenghuo /opt/fenghuo
# Numba keeps what it compiled where this user may write, for the next start of the same container.
ENV PATH=/opt/fenghuo/bin:$PATH PYTHONUNBUFFERED=1 NUMBA_CACHE_DIR=/tmp/numba
USER fenghuo
WORKDIR /var/lib/fenghuo
EXPOSE 7212 7651 8000 8080 9101 9102
# Each process answers on its own port; HEALTH_PORT says which.
ENV HEALTH_PORT=8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 CMD ["python", "-c", \
    "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"HEALTH_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["fenghuo"]
CMD ["console"]
