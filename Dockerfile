# The app for a server or a Docker Space: port 7860, user 1000, visitors choose from the catalogue only.
FROM python:3.11-slim
RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app
COPY --chown=user requirements.lock ./
# torch brings gigabytes of CUDA unless pip is given an index of CPU builds: docker build --build-arg TORCH_INDEX=URL
ARG TORCH_INDEX=""
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch==$(sed -n 's/^torch==//p' requirements.lock) \
 && pip install --no-cache-dir -r requirements.lock
COPY --chown=user . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
USER user
EXPOSE 7860
CMD ["tts-ui", "serve", "--host", "0.0.0.0", "--port", "7860", "--public"]
