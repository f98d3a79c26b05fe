"""Memory: where models go, what they may keep, and what happens when there is none left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from support.recorded import solve_with
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from engine.assets import assets
from engine.errors import ModelError
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.models.local import memory, placement, prefix_cache
from engine.models.local.prefix_cache import PrefixCache
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.qwen_prm import load
from engine.search.domain import Domain

BUILTIN = assets() / "models"


@contextmanager
def out_of_memory(model: Any, after: int, error: Exception) -> Iterator[None]:
    """`model` raises `error` once, when it is run for the `after`-th time."""
    calls = iter(range(after, -1, -1))

    def fail(*_: Any) -> None:
        if next(calls, None) == 0:
            raise error

    hook = model.get_input_embeddings().register_forward_pre_hook(fail)
    try:
        yield
    finally:
        hook.remove()


ERRORS = [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), MemoryError()]


@pytest.mark.parametrize("error", ERRORS, ids=["gpu", "ram"])
async def test_a_policy_out_of_memory_ends_its_run_as_failed_and_keeps_the_tree(
    models: Models, maths: Domain, error: Exception
) -> None:
    policy = LocalPolicy("small", BUILTIN / "builtin-xs")
    try:
        with out_of_memory(policy.model, 40, error):
            run = await solve_with(policy, models.scorer, maths, strategy="beam_search", n=8)
        assert run.last.status == "failed"
        assert run.last.error and run.last.error.startswith("the policy small ran out of ")
        assert "lower N" in run.last.error and "\n" not in run.last.error
        assert len(run.tree) > 1
        assert (await solve_with(policy, models.scorer, maths, strategy="greedy")).last.status == "done"
    finally:
        policy.close()


async def test_a_scorer_out_of_memory_says_so(models: Models, maths: Domain) -> None:
    scorer = load("judge", BUILTIN / "builtin-prm", ScorerOptions())
    try:
        with out_of_memory(scorer.backbone, 2, ERRORS[0]):
            run = await solve_with(models.policy, scorer, maths, strategy="beam_search", n=8)
        assert run.last.error and run.last.error.startswith("the scorer judge ran out of GPU memory; lower N")
        assert len(run.tree) > 1
    finally:
        scorer.close()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefix caches that share nothing with those of other tests."""
    monkeypatch.setattr(prefix_cache, "room", prefix_cache.Room())


def segment(positions: int) -> torch.Tensor:
    return torch.zeros(1, 2, 1, positions, 4)


@pytest.mark.usefixtures("alone")
def test_caches_of_all_sessions_share_one_limit() -> None:
    prefix_cache.fit_anew(3 * segment(8).nbytes)
    policy, judge = PrefixCache(), PrefixCache()
    policy.put("a", segment(8))
    judge.put("a", segment(8))
    policy.put("b", segment(8))
    policy.longest(["a"])
    judge.put("b", segment(8))
    assert not judge.longest(["a"])  # used longest ago
    assert len(policy.longest(["a", "b"])) == 2 and judge.longest(["b"])
    policy.clear()
    judge.put("c", segment(8))
    judge.put("d", segment(8))
    assert len(judge.longest(["b", "c", "d"])) == 3 and not policy.longest(["a"])
    judge.put("e", segment(800))
    assert judge.longest(["e"]) and not judge.longest(["b"])  # at least the newest stays


@pytest.mark.usefixtures("alone")
def test_the_limit_follows_from_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([4 << 30, 100 << 30, 1 << 20])
    monkeypatch.setattr(prefix_cache, "free_ram", lambda: next(free))
    limits = []
    for _ in range(3):
        prefix_cache.fit_anew()
        PrefixCache().put("a", segment(1))
        limits.append(prefix_cache.room.limit(torch.device("cpu")))
    assert limits[0] == pytest.approx(1 << 30, rel=1e-3)
    assert limits[1:] == [8 << 30, 64 << 20]


@pytest.mark.usefixtures("alone")
def test_a_pairs_own_limit(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(
        '[[pair]]\nname = "x"\ncache_gb = 0.5\nscorer = "prm"\n[pair.policy]\nkind = "local"\npath = "builtin-xs"\n'
        '[[scorer]]\nname = "prm"\nkind = "qwen_prm"\npath = "builtin-prm"\n'
    )
    catalogue = Catalogue(file)
    catalogue.load()
    catalogue.close()
    assert prefix_cache.room.decided == 500_000_000


# --- placement -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "dtype"), [("fpu avx512_bf16 sse", "bfloat16"), ("amx_bf16", "bfloat16"), ("avx2 avx512f", "float32")]
)
def test_bfloat16_where_the_cpu_has_it_and_the_model_is_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, dtype: str
) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(placement, "CPUINFO", cpuinfo)
    monkeypatch.setattr(memory, "GPU_NODES", ())
    assert placement.place(0.5e9).dtype == dtype
    assert placement.place(2e6).dtype == "float32"
    assert placement.place(0.5e9).needs(1e9) == pytest.approx((2 if dtype == "bfloat16" else 4) * 1.05e9)


def test_a_model_that_does_not_fit_is_refused_with_both_numbers() -> None:
    with pytest.raises(ModelError, match=r"big needs 16\.9 GB of memory \(bfloat16\), 12\.0 GB are free"):
        placement.Placement("cpu", "bfloat16", 12_000_000_000).check("big", 8.03e9)
    with pytest.raises(ModelError, match="GPU memory.*CUDA_VISIBLE_DEVICES"):
        placement.Placement("cuda:0", "bfloat16", 12_000_000_000).check("big", 8.03e9)
    placement.Placement("cpu", "bfloat16", None).check("big", 8.03e9)


def test_free_memory_is_what_machine_and_container_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kilobytes = {"MemTotal": 24000, "MemFree": 9000, "MemAvailable": 12000, "Buffers": 500, "Cached": 2500}
    kilobytes |= {"Shmem": 100, "Active": 2000, "Inactive": 2000}
    (tmp_path / "meminfo").write_text("".join(f"{name}:  {size} kB\n" for name, size in kilobytes.items()))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    assert memory.free_ram(tmp_path) == 12000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_ram(tmp_path) == 12000 * 1024
    (tmp_path / "memory.max").write_text("9000000\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    (tmp_path / "memory.stat").write_text("anon 3000000\ninactive_file 500000\n")
    assert memory.free_ram(tmp_path) == 5_500_000
    assert memory.total_ram(tmp_path) == 9_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.total_ram(tmp_path) == memory.total_ram(tmp_path / "none") == psutil.virtual_memory().total


def test_a_containers_share_of_the_processor_is_what_counts(tmp_path: Path) -> None:
    there = memory.cores(tmp_path)
    for share, cores in (("max 100000", there), ("100000 100000", 1), ("50000 100000", 1), ("150000 100000", 2),
                         ("99900000 100000", there), ("odd", there), ("1 0", there)):  # fmt: skip
        (tmp_path / "cpu.max").write_text(f"{share}\n")
        assert memory.cores(tmp_path) == min(cores, there)


def test_parameters_are_counted_from_the_files(models: Models) -> None:
    assert models.scorer is not None
    for folder, info in (("builtin-xs", models.policy.info), ("builtin-prm", models.scorer.info)):
        assert placement.stored_parameters(BUILTIN / folder) == info.parameters


# hidden size, layers, heads, key-value heads, intermediate size, vocabulary, tied; as published
SHAPES = {
    "llama-3.2-1b": (2048, 16, 32, 8, 8192, 128256, True),
    "llama-3.2-3b": (3072, 28, 24, 8, 8192, 128256, True),
    "llama-3.1-8b": (4096, 32, 32, 8, 14336, 128256, False),
    "qwen2.5-0.5b": (896, 24, 14, 2, 4864, 151936, True),
    "qwen2.5-1.5b": (1536, 28, 12, 2, 8960, 151936, True),
    "qwen2.5-3b": (2048, 36, 16, 2, 11008, 151936, True),
    "qwen2.5-7b": (3584, 28, 28, 4, 18944, 152064, False),
    "qwen2.5-14b": (5120, 48, 40, 8, 13824, 152064, False),
    "qwen2.5-32b": (5120, 64, 40, 8, 27648, 152064, False),
    "qwen2.5-72b": (8192, 80, 64, 8, 29568, 152064, False),
    "r1-distill-qwen-1.5b": (1536, 28, 12, 2, 8960, 151936, False),
    "r1-distill-qwen-7b": (3584, 28, 28, 4, 18944, 152064, False),
    "r1-distill-qwen-32b": (5120, 64, 40, 8, 27648, 152064, False),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_catalogues_sizes_are_those_of_the_published_shapes(name: str) -> None:
    hidden, layers, heads, kv, intermediate, vocabulary, tied = SHAPES[name]
    kind, config = (LlamaForCausalLM, LlamaConfig) if "llama" in name else (Qwen2ForCausalLM, Qwen2Config)
    with torch.device("meta"):
        model = kind(
            config(
                hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv,
                intermediate_size=intermediate, vocab_size=vocabulary, tie_word_embeddings=tied,
            )
        )  # fmt: skip
    written = Catalogue().entry(name).policy.parameters
    assert written == pytest.approx(model.num_parameters(), rel=0.01)
