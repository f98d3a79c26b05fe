#!/bin/sh
# The check on a bare machine: `sh benchmarks/gpu_check/run.sh [--json FILE ...]`, with `.gpu-wheels` beside it if some
# packages are missing there. PYTHON is one that has torch and transformers.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
set_up="-m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --disable-pip-version-check"
if [ -d .gpu-wheels ]; then
  "$python" $set_up --target "$site" .gpu-wheels/*.whl
fi
export PYTHONPATH="$site:$PWD" PYTHONUNBUFFERED=1
"$python" -m benchmarks.gpu_check "$@"
