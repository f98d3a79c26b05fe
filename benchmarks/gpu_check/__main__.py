"""Every check on one device: `python -m benchmarks.gpu_check [--device cuda|cpu] [--tiny] [--json FILE]`.

Prints one table and writes the same as JSON, also when a part fails or time runs out. Exit code 0 if every promise was
kept, 1 if not, 2 if there is no such device.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import torch
from transformers.utils import logging

from benchmarks.gpu_check.decoding import copy_bandwidth, decoding
from benchmarks.gpu_check.exact_policy import exact_policy
from benchmarks.gpu_check.exact_prm import exact_prm
from benchmarks.gpu_check.placing import placed
from benchmarks.gpu_check.results import Result, machine, table, write
from benchmarks.gpu_check.searching import searching
from benchmarks.random_models import HALF_BILLION, SEVEN_BILLION, TINY, Shape, save_checkpoint
from engine.models.local.placement import SMALL, place
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.qwen_prm import Qwen2ForProcessRewardModel, load

ROWS = (1, 64, 256)


class Check:
    """The parts of the check in order; each writes what it found, and one that fails does not end the others."""

    def __init__(self, device: str, folder: Path, *, tiny: bool) -> None:
        self._device, self._folder, self._tiny = device, folder, tiny
        small = [replace(TINY, name=name) for name in ("0.5B", "7B")]
        self._half, self._seven = small if tiny else (HALF_BILLION, SEVEN_BILLION)
        self._tokens, self._levels, self._copied = (8, 3, 1 << 24) if tiny else (64, 10, 2 << 30)
        self._bandwidth = 0.0

    def parts(self) -> dict[str, Callable[[], list[Result]]]:
        """The quick and the important ones first."""
        return {
            "exact, tiny": self.exact_tiny,
            "bandwidth": self.bandwidth,
            "exact, 0.5B": self.exact_half,
            "decode, 0.5B": self.decode_half,
            "search, 0.5B": self.search_half,
            "decode, 7B": self.decode_seven,
        }

    def exact_tiny(self) -> list[Result]:
        policy = save_checkpoint(self._folder / "tiny", TINY)
        prm = save_checkpoint(self._folder / "tiny-prm", TINY, Qwen2ForProcessRewardModel)
        results: list[Result] = []
        for dtype in ("float32", "bfloat16"):
            with placed(self._device, dtype):
                results += exact_policy(policy, dtype, self._device)
                results += exact_prm(prm, dtype, self._device)
        return results

    def bandwidth(self) -> list[Result]:
        self._bandwidth = copy_bandwidth(self._device, self._copied)
        said = f"{self._bandwidth / 1e9:,.0f} GB/s, read and written"
        return [Result("decode", "memory copy", said, {"bytes_per_s": self._bandwidth})]

    def exact_half(self) -> list[Result]:
        """Where the product itself puts it."""
        put = place(SMALL)
        there = Result("exact", "the product puts a model", f"{put.device}, {put.dtype}", {}, self._puts_models_there())
        folder = self._saved(self._half)
        with self._placing():
            return [there, *exact_policy(folder, "bfloat16", self._device)]

    def decode_half(self) -> list[Result]:
        return self._decode(self._half)

    def search_half(self) -> list[Result]:
        folder, prm = self._saved(self._half), self._folder / "prm"
        save_checkpoint(prm, self._half, Qwen2ForProcessRewardModel, self._device)
        with self._placing():
            policy, scorer = LocalPolicy("policy", folder), load("prm", prm, ScorerOptions())
        try:
            return searching(policy, scorer, self._levels)
        finally:
            policy.close()
            scorer.close()

    def decode_seven(self) -> list[Result]:
        return self._decode(self._seven)

    def _decode(self, shape: Shape) -> list[Result]:
        folder = self._saved(shape)
        with self._placing():
            policy = LocalPolicy(shape.name, folder, delimiter="\0")  # never written: a draw ends at its limit
        try:
            return decoding(policy, ROWS, self._tokens, self._bandwidth)
        finally:
            policy.close()

    def _saved(self, shape: Shape) -> Path:
        folder = self._folder / shape.name
        whole = (folder / "tokenizer.json").is_file()  # the last file that is written
        return folder if whole else save_checkpoint(folder, shape, device=self._device)

    def _placing(self) -> AbstractContextManager[object]:
        """Real sizes go where the product puts them, unless that is wrong; a tiny one it would keep on the CPU."""
        own = not self._tiny and self._puts_models_there()
        return nullcontext() if own else placed(self._device, "bfloat16")

    def _puts_models_there(self) -> bool:
        return place(SMALL).device.startswith(self._device)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="gpu-check", description="The local back end on a GPU.")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument(
        "--tiny", action="store_true", help="tiny models throughout: tries the script, measures nothing"
    )
    parser.add_argument("--json", type=Path, default=Path("gpu-check.json"), help="where the figures go")
    parser.add_argument("--seconds", type=float, default=400, help="no part begins later than this")
    asked = parser.parse_args(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("gpu-check: torch sees no GPU; --device cpu --tiny tries the script without one", file=sys.stderr)
        return 2
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    about, start = machine(asked.device), time.perf_counter()
    print(", ".join(f"{key} {value}" for key, value in about.items()), flush=True)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        for name, part in Check(asked.device, Path(folder), tiny=asked.tiny).parts().items():
            began = time.perf_counter()
            if asked.device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            results += _run(name, part) if began - start < asked.seconds else [_late(name)]
            gc.collect()
            if asked.device == "cuda":
                torch.cuda.empty_cache()
            print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
            write(asked.json, about, results, time.perf_counter() - start)
    print(f"\n{table(results)}\n\n{time.perf_counter() - start:.0f} s; {asked.json}")
    return 1 if any(each.passed is False for each in results) else 0


def _run(name: str, part: Callable[[], list[Result]]) -> list[Result]:
    try:
        return part()
    except Exception as error:  # the others are still worth their time on a borrowed machine
        traceback.print_exc()
        return [Result(name.partition(",")[0], name, " ".join(f"{type(error).__name__}: {error}".split()), {}, False)]


def _late(name: str) -> Result:
    return Result(name.partition(",")[0], name, "not begun, time was up", {}, False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
