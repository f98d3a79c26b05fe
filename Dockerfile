# The app for a server or a Docker Space: port 7860, user 1000, visitors choose from the catalogue only.
FROM python:3.11-slim AS build
WORKDIR /build
COPY . .
RUN pip install --no-cache-dir --constraint requirements-dev.lock hatchling \
 && pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist .

FROM python:3.11-slim
COPY requirements.lock /tmp/
# torch brings gigabytes of CUDA unless pip is given an index of CPU builds: docker build --build-arg TORCH_INDEX=URL
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch==$(sed -n 's/^torch==//p' /tmp/requirements.lock) \
 && pip install --no-cache-dir -r /tmp/requirements.lock
COPY --from=build /build/dist/*.whl /tmp/
RUN pip install --no-cache-dir --no-deps /tmp/*.whl \
 && useradd --create-home --uid 1000 user
USER user
WORKDIR /home/user
EXPOSE 7860
CMD ["tts-ui", "serve", "--host", "0.0.0.0", "--port", "7860", "--public"]
