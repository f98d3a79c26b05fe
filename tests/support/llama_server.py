"""The server of llama-cpp-python with the real llama.cpp and a real model, where `make test-llama-cpp` put them."""

from __future__ import annotations

import os
from pathlib import Path

from support.places import ROOT
from support.server_process import ServerProcess

#: The environment with the server, the model and what reads the model's tokenizer.
PLACE = ROOT / os.environ.get("LLAMA_CPP", "none")
HERE = (PLACE / "ready").is_file()
#: Positions of the server's context, which it does not say.
WINDOW = 512


class LlamaServer(ServerProcess):
    """SmolLM2-135M-Instruct in one slot, on one thread that does not spin."""

    def __init__(self, log: Path) -> None:
        command = [
            str(PLACE / "bin" / "python"), "-m", "llama_cpp.server", "--model", str(PLACE / "model" / "model.gguf"),
            "--model_alias", "smollm2", "--n_ctx", str(WINDOW), "--n_threads", "1", "--n_threads_batch", "1",
        ]  # fmt: skip
        super().__init__(log, command, ready="/v1/models", environment={"OMP_WAIT_POLICY": "passive"})

    def prefixes_found(self) -> int:
        """How often it went on from what it had read before, by its own log."""
        return self.log.read_text(errors="replace").count("prefix-match hit")
