"""What a decode pass over real weights costs here, in `transformers.generate` and in llama.cpp.

`python -m benchmarks real_weights --model FOLDER [--gguf FILE]`; llama.cpp runs through `llama-cpp-python` if it can
be imported. Each is a process of its own that holds its model and decodes after a prompt. Blocks alternate between
them, on a quiet machine and beside one busy core; medians of the blocks during which others took little count.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import busy_neighbour
from benchmarks.busy_neighbour import PASSES, ROWS, Decoding, blocks, middle, spread
from benchmarks.report import Figure
from engine.models.local.placement import cpu_threads

TITLE = "milliseconds per decode pass over real weights: ours, transformers.generate, llama.cpp"
ROUNDS, PROMPT = 3, 200


def measure() -> list[Figure]:
    folder, gguf = os.environ.get("TTS_UI_BENCH_MODEL"), os.environ.get("TTS_UI_BENCH_GGUF")
    if not folder:
        return [Figure("nothing measured", "name the folder of a checkpoint with --model")]
    figures, ways = [], {"ours": folder, "generate": folder}
    if not gguf:
        figures.append(Figure("llama.cpp", "left out: no --gguf FILE"))
    elif importlib.util.find_spec("llama_cpp") is None:
        figures.append(Figure("llama.cpp", "left out: llama-cpp-python cannot be imported"))
    else:
        ways["llama.cpp"] = gguf
    call = "from benchmarks.real_weights import serve; serve()"
    started = {name: Decoding([call, name, path], {}) for name, path in ways.items()}
    try:
        times, others = blocks(started, ROUNDS)
    finally:
        for each in started.values():
            each.close()
    calm = sum(each <= busy_neighbour.LITTLE for each in others)
    figures.append(Figure("blocks that count", f"{calm} of {len(others)}"))
    for rows in ROWS:
        for busy in (False, True):
            found = {name: times[name, rows, busy] for name in ways}
            when = "beside a busy core" if busy else "quiet"
            cells = [f"{name} {spread(each)}" for name, each in found.items()]
            ratios = [f"{middle(found[name]) / middle(found['ours']):.2f}" for name in ways if name != "ours"]
            figures.append(Figure(f"{rows} rows, {when}", f"{'; '.join(cells)} ms; / ours: {', '.join(ratios)}"))
    return figures


def serve() -> None:
    """A number of rows comes in, milliseconds per pass go out."""
    _, way, path = sys.argv
    if way == "ours":
        busy_neighbour.serve(path)
        return
    took = _WAYS[way](path)
    for line in sys.stdin:
        print(json.dumps(took(int(line))), flush=True)


def _generate(path: str) -> Callable[[int], float]:
    import torch
    from transformers import AutoModelForCausalLM

    from engine.models.local.placement import place, stored_parameters

    parameters = stored_parameters(Path(path))
    torch.set_num_threads(cpu_threads(parameters))
    load: Any = AutoModelForCausalLM.from_pretrained
    model = load(path, dtype=getattr(torch, place(parameters).dtype)).eval()

    def seconds(rows: int, tokens: int) -> float:
        ids = torch.full((1, PROMPT), 100)
        start = time.perf_counter()
        model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=0, num_return_sequences=rows,
            min_new_tokens=tokens, max_new_tokens=tokens, pad_token_id=0,
        )  # fmt: skip
        return time.perf_counter() - start

    def took(rows: int) -> float:
        return (seconds(rows, PASSES + 1) - seconds(rows, 1)) * 1000 / PASSES

    return torch.inference_mode()(took)


def _llama(path: str) -> Callable[[int], float]:
    llama = importlib.import_module("llama_cpp")

    model: Any = llama.llama_model_load_from_file(path.encode(), llama.llama_model_default_params())
    settings: Any = llama.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_seq_max, settings.kv_unified = 2048, 512, max(ROWS), True
    settings.n_threads = settings.n_threads_batch = cpu_threads(float("inf"))
    context: Any = llama.llama_init_from_model(model, settings)
    batch: Any = llama.llama_batch_init(512, 0, 1)

    def decode(tokens: list[tuple[int, int]]) -> None:
        """One token for each (position, row)."""
        batch.n_tokens = len(tokens)
        for index, (position, row) in enumerate(tokens):
            batch.token[index], batch.pos[index], batch.logits[index] = 100, position, len(tokens) <= max(ROWS)
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, row
        if llama.llama_decode(context, batch):
            raise RuntimeError("llama_decode failed")

    def took(rows: int) -> float:
        memory = llama.llama_get_memory(context)
        llama.llama_memory_clear(memory, True)
        decode([(position, 0) for position in range(PROMPT)])
        for row in range(1, rows):
            llama.llama_memory_seq_cp(memory, 0, row, -1, -1)
        start = time.perf_counter()
        for number in range(PASSES):
            decode([(PROMPT + number, row) for row in range(rows)])
        return (time.perf_counter() - start) * 1000 / PASSES

    return took


_WAYS: Mapping[str, Callable[[str], Callable[[int], float]]] = {"generate": _generate, "llama.cpp": _llama}
