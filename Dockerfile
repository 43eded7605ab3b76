# The service, without torch:                docker build --tag gdssm .
# With torch, for training and for export:   docker build --target science --tag gdssm-science .
# Without a daemon:                         make image
# tests/deploy builds the image and runs it.

# The Python that the versions in constraints.txt were tested with.
FROM python:3.11-slim-trixie AS source
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY clients/python/gdssm_client ./clients/python/gdssm_client
COPY export ./export
COPY gdssm ./gdssm
COPY service ./service

FROM source AS science
# Where the wheels of torch without CUDA are, if the usual index has others: --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL
# In place: export finds the runs of the zoo in the source.
RUN python -m pip install --no-cache-dir --constraint constraints.txt --editable '.[export,postgres,report]' \
    && install --directory --owner=10001 --group=10001 /models /runs
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
CMD ["python", "-m", "export", "--out", "/models"]

# Dependencies are a separate layer: a change of the sources does not install them again.
FROM python:3.11-slim-trixie AS dependencies
WORKDIR /src
COPY pyproject.toml constraints.txt ./
RUN python -m venv /opt/gdssm \
    && python -c "import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
        extras = [project['optional-dependencies'][extra] for extra in ('ingest', 'postgres', 'tables', 'traces')]; \
        print(*project['dependencies'], *sum(extras, []), sep='\n')" > requirements.txt \
    && /opt/gdssm/bin/python -m pip install --no-cache-dir --constraint constraints.txt --requirement requirements.txt

FROM dependencies AS build
COPY --from=source /src /src
RUN /opt/gdssm/bin/python -m pip install --no-cache-dir --no-deps . \
    && /opt/gdssm/bin/python -m pip uninstall --yes pip setuptools

FROM python:3.11-slim-trixie AS service
LABEL org.opencontainers.image.title="gdssm" \
      org.opencontainers.image.description="In-context regression as a service" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /opt/gdssm /opt/gdssm
COPY deploy/healthy.py /opt/healthy.py
RUN install --directory --owner=10001 --group=10001 /data /models
ENV PATH=/opt/gdssm/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GDSSM_HOST=0.0.0.0 \
    GDSSM_PORT=8000 \
    GDSSM_DATABASE_URL=sqlite:////data/gdssm.db \
    GDSSM_MODELS=/models \
    GDSSM_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
# The root file system may be read-only: what is written goes here and to /tmp.
VOLUME ["/data", "/models"]
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "/opt/healthy.py"]
ENTRYPOINT ["gdssm"]
CMD ["serve"]
