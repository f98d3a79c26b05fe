# The app for a server or a Docker Space: port 7860, user 1000, visitors choose from the catalogue only. All that it writes
# goes to /data and /tmp, so the rest may be read-only: docs/space.md.
FROM python:3.11-slim AS build
WORKDIR /build
COPY . .
RUN grep --invert-match '^-r' requirements-dev.lock > tools.lock \
 && pip install --no-cache-dir --constraint requirements.lock --constraint tools.lock hatchling \
 && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist .

FROM python:3.11-slim
ARG VERSION="0.1.0"
ARG REVISION=""
LABEL org.opencontainers.image.title="Reasoning Tree Explorer" \
      org.opencontainers.image.description="Watch a language model search for an answer, step by step, score by score" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim"
# torch brings gigabytes of CUDA unless pip is given an index of CPU builds: docker build --build-arg TORCH_INDEX=URL
ARG TORCH_INDEX=""
RUN --mount=type=bind,source=requirements.lock,target=requirements.lock \
    pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --requirement requirements.lock
RUN --mount=type=bind,from=build,source=/build/dist,target=dist \
    pip install --no-cache-dir --no-deps --no-index dist/*.whl
RUN useradd --create-home --uid 1000 user && install --directory --owner=user /data
USER 1000
WORKDIR /data
ENV HOME=/data TTS_UI_DB=/data/runs.db HF_HOME=/data/huggingface PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["tts-ui", "serve", "--host", "0.0.0.0", "--port", "7860", "--public"]
