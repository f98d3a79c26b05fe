"""A policy in vLLM, in this process: its asynchronous engine in one loop thread, prefix caching on.

vLLM batches what all searches ask for; a cancelled draw is aborted in the engine. Untested on CUDA: the
tests use vLLM's CPU build. vLLM is imported only when such a policy is loaded.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from safetensors import safe_open

from engine.errors import ModelError
from engine.models.local.checkpoint import digest_of
from engine.models.loop_thread import LoopThread
from engine.models.policies.draft import Continue, Draft, End, RequestSession, Till
from engine.models.policies.streamed import Reading
from engine.models.prompts.chat_prompt import ChatPrompt
from engine.models.prompts.open_tokenizer import open_tokenizer
from engine.models.servers.refusals import one_line
from engine.models.servers.settings import VllmSettings
from engine.models.servers.wire import Abilities, Chunk
from engine.search.events import ModelInfo
from engine.search.policy import DELIMITER, Sampling
from engine.search.tree import Node

#: Read by vLLM when it is imported. Keeps standard output for us, avoids forking processes that have threads, and
#: sends no usage reports.
_ENVIRONMENT = {
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_NO_USAGE_STATS": "1",
}
#: On a CPU: positions cached together (128 by default, longer than most paths), and whole prompts only, because vLLM
#: 0.32 crashes there when it splits the prompt of a request with a seed ("CPU Generator does not use offset").
_ON_CPU = {"block_size": 32, "enable_chunked_prefill": False}
_ABILITIES = Abilities(
    prompts=True,
    token_ids=True,
    stop_reason=True,
    kept_stop=True,
    logprobs=True,
    seeds=True,
    plain_sampling=True,
    cut_offs=True,
)


class VllmPolicy:
    """A checkpoint in `folder`, held by vLLM."""

    def __init__(
        self,
        name: str,
        folder: Path,
        settings: VllmSettings,
        *,
        system: str = "",
        suffix: str = "",
        delimiter: str = DELIMITER,
    ) -> None:
        if not list(folder.glob("*.safetensors")):
            raise ModelError(f"{folder}: no safetensors weights here; other formats are not loaded")
        self.delimiter = delimiter
        self._tokenizer = open_tokenizer(folder)
        self._prompt = ChatPrompt(self._tokenizer, system=system, suffix=suffix)
        self._numbers = itertools.count()
        self.thread = LoopThread(f"policy {name}")
        try:
            self.engine = self.thread.call(_start(folder, settings))
        except BaseException:
            self.thread.close()
            raise
        config = self.engine.model_config
        self.info = ModelInfo(
            name=name,
            parameters=_parameters(folder),
            context_window=int(config.max_model_len),
            digest=digest_of(folder),
            dtype=str(config.dtype).removeprefix("torch."),
            device=f"vllm {self.engine.vllm_config.device_config.device_type}",
            template=self._prompt.template,
            opens_thought=self._prompt.opens_thought,
        )

    def prompt_ids(self, problem: str) -> list[int]:
        return self._prompt.ids(problem)

    def prompt_tokens(self, problem: str) -> int:
        return len(self.prompt_ids(problem))

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def session(self, problem: str) -> RequestSession:
        prompt = self.prompt_ids(problem)

        async def ask(sampling: Sampling) -> tuple[int, Continue]:
            async def go_on(draft: Draft, most: int, till: Till) -> End:
                return await self._request(prompt, draft, most, till, sampling)

            return len(prompt), go_on

        return RequestSession(self.thread, self.info.context_window, self.delimiter, ask, self._decode)

    def close(self) -> None:
        if not self.thread.closed:
            self.thread.cancel_all()
            self.engine.shutdown()
            self.thread.close()

    async def _request(self, prompt: list[int], draft: Draft, most: int, till: Till, sampling: Sampling) -> End:
        ids = [*prompt, *self._path_ids(draft.draw.path), *draft.written.ids]
        reading = Reading(draft, till, _ABILITIES, most)
        try:
            async with aclosing(self._chunks(ids, draft, most, sampling)) as chunks:
                return await reading.read(chunks)
        except ModelError:
            raise
        except Exception as error:  # a dead engine, CUDA out of memory: the run fails and says so
            raise ModelError(f"vLLM failed: {_advice(error)}") from error
        finally:
            till.cost.prompt_tokens += (reading.prompt_tokens or 0) - reading.cached_tokens
            till.cost.prompt_tokens_reused += reading.cached_tokens

    async def _chunks(self, ids: list[int], draft: Draft, most: int, sampling: Sampling) -> AsyncGenerator[Chunk, None]:
        from vllm import SamplingParams, TokensPrompt
        from vllm.sampling_params import RequestOutputKind

        params = SamplingParams(
            temperature=sampling.temperature, top_p=sampling.top_p, max_tokens=most, seed=draft.seed >> 1,
            stop=[self.delimiter], include_stop_str_in_output=True, logprobs=0, output_kind=RequestOutputKind.DELTA,
        )  # fmt: skip
        outputs = self.engine.generate(TokensPrompt(prompt_token_ids=ids), params, f"draw-{next(self._numbers)}")
        async with aclosing(outputs) as stream:
            async for output in stream:
                yield _chunk(output)

    def _path_ids(self, path: Sequence[Node]) -> list[int]:
        """A step that no model wrote (a person did) has no ids of its own."""
        encode = self._tokenizer.encode
        return [token for node in path for token in node.token_ids or encode(node.text, add_special_tokens=False)]

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))


async def _start(folder: Path, settings: VllmSettings) -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "vllm":
            raise ModelError("kind vllm needs vLLM, which is not installed: pip install 'tts-ui[vllm]'") from error
        raise ModelError(f"vLLM cannot be imported ({one_line(error)})") from error
    try:
        return AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                model=str(folder), dtype=settings.dtype, load_format="safetensors", enable_prefix_caching=True,
                gpu_memory_utilization=settings.gpu_memory_utilization, max_model_len=settings.max_model_len,
                tensor_parallel_size=settings.tensor_parallel_size, enforce_eager=settings.enforce_eager,
                disable_log_stats=True, **(_ON_CPU if current_platform.is_cpu() else {}),
            )
        )  # fmt: skip
    except Exception as error:
        share = settings.gpu_memory_utilization
        raise ModelError(
            f"{folder}: vLLM cannot start ({_advice(error)}); it may use {share:.0%} of the GPU"
        ) from error


def _advice(error: Exception) -> str:
    """The error in one line and, if it is or may be about memory, what to change in the entry."""
    reason = one_line(error) or type(error).__name__
    if "memory" in reason.lower() or "core initialization failed" in reason:
        reason += (
            "; if the GPU is short of memory, lower max_model_len, or gpu_memory_utilization if the PRM or another "
            "program needs room; raise the latter if the model itself does not fit"
        )
    return reason


def _chunk(output: Any) -> Chunk:
    """What is new in an output of vLLM's engine."""
    said = output.outputs[0]
    new = zip(said.token_ids, said.logprobs or [], strict=False)
    return Chunk(
        text=said.text,
        ids=tuple(said.token_ids),
        tokens=tuple((known[token].decoded_token or "", known[token].logprob) for token, known in new),
        finish=said.finish_reason,
        stop_reason=said.stop_reason,
        prompt_tokens=len(output.prompt_token_ids or ()),
        cached_tokens=output.num_cached_tokens or 0,
    )


def _parameters(folder: Path) -> int:
    """All parameters in the files; tied ones are stored once."""
    count = 0
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as weights:
            names = list(weights.keys())
            count += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
    return count
