# The image of `headroom:operations`: the command `headroom` with what is pinned by hash, run as nobody in particular.
# The base is python:3.11-slim-bookworm by digest; a newer one is a change to review, like any other dependency.
FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY requirements-setup.txt requirements-live.txt ./
RUN python -m venv /opt/headroom \
  && /opt/headroom/bin/python -m pip install --quiet --require-hashes -r requirements-setup.txt \
  && /opt/headroom/bin/python -m pip install --quiet --require-hashes -r requirements-live.txt
COPY pyproject.toml README.md LICENSE ./
COPY bootstrap bootstrap
COPY headroom headroom
COPY infra infra
COPY policies policies
COPY sandbox sandbox
RUN /opt/headroom/bin/python -m pip install --quiet --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
COPY --from=build /opt/headroom /opt/headroom
ENV PATH=/opt/headroom/bin:$PATH HOME=/tmp PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["headroom"]
