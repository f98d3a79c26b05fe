"""Whether our decoding loop computes what the library's own model does, asked of every checkpoint that is opened.

transformers has far over a hundred causal architectures, and some of them keep a state of their own, place positions
their own way or build their own masks. Fed from our batches, these compute something else without a word. So a text is
read twice: in one plain pass of the library's model, and as a search reads it, with a prefix that is kept and used
again, two rows of very different length, a fork, and single tokens at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local import packed
from engine.models.local.kv import Decoder, KVBatch
from engine.models.local.output_layer import output_layer
from engine.models.local.placement import SMALL

#: The typical difference allowed at a position, as a share of the spread of what is compared there; docs/models.md
#: says what was measured.
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1}

#: Tokens of the long row; of the prefix that all rows share; of what the long and the short row have before the short
#: one forks, read in one ragged batch; and of what every row then reads one by one.
_LONG, _SHARED, _RAGGED, _SINGLE = 256, 24, (8, 4), 4
#: Sliding windows are narrowed to this while the check runs, so that the text is longer than they are.
_WINDOW = 64
#: At how many positions of each part the two are compared, its last ones: a large vocabulary takes room.
_COMPARED = 16

#: Outputs that vary less than this are all the same to the model.
_FLAT = 0.01

_TEXT = (
    "A baker fills 18 boxes with 13 rolls each and keeps 5 rolls for himself. How many rolls are there?\n\n"
    "Step 1: The boxes hold 18 * 13 = 234 rolls, because 18 * 10 = 180 and 18 * 3 = 54.\n\n"
    "Step 2: With those that he keeps there are $234 + 5 = 239$ rolls. The answer is \\boxed{239}.\n\n"
)


def check(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise `ModelError`, in one line, unless our loop and one plain pass of `model` agree."""
    ids = _ids(model, tokenizer)
    if len(ids) <= _SHARED + _RAGGED[0] + _SINGLE:
        return  # no window for a search
    try:
        with torch.inference_mode(), _narrow_window(model.config), _threads(model):
            difference = _difference(model, ids)
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # what an architecture stumbles over is not known beforehand
        if "can't allocate memory" in str(error):
            raise
        raise _unsupported(name, model, " ".join(str(error).split())[:120] or type(error).__name__) from error
    if not difference <= TOLERANCE[model.dtype]:  # nor if it is not a number
        raise _unsupported(name, model, f"read step by step it differs from one pass by {difference:.2g}")


def _unsupported(name: str, model: PreTrainedModel, reason: str) -> ModelError:
    kind = type(model).__name__
    return ModelError(f"{name}: the architecture {kind} is not supported here; a server can run it ({reason})")


def _ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Token ids of the text, repeated until they are enough."""
    ids = list(tokenizer.encode(_TEXT))
    window = int(getattr(model.config, "max_position_embeddings", _LONG))
    return (ids * (_LONG // len(ids) + 1))[: min(_LONG, window)]


@contextmanager
def _threads(model: PreTrainedModel) -> Iterator[None]:
    """As many as the worker will use: two threads wait for each other longer than a small model takes."""
    before = torch.get_num_threads()
    if packed.parameters(model) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _narrow_window(config: Any) -> Iterator[None]:
    wide = getattr(config, "sliding_window", None)
    if wide is not None:
        config.sliding_window = min(wide, _WINDOW)
    try:
        yield
    finally:
        if wide is not None:
            config.sliding_window = wide


def _difference(model: PreTrainedModel, long: list[int]) -> float:
    """The largest of the typical differences of each part of the text.

    A part is what one row reads at once, or one by one. The median of its positions is typical: a mixture of experts
    may send a single token elsewhere because of a rounding error.
    """
    end = _SHARED + _RAGGED[1]
    fork = long[:end] + long[-_SINGLE:]
    of_long, of_fork = _plain(model, long), _plain(model, fork)
    shared, rest, ragged, singles = _as_in_a_search(model, long, fork)
    parts = [
        (of_long, _SHARED, shared),
        (of_long, len(long) - _SINGLE - _RAGGED[0], rest),
        (of_long, len(long) - _SINGLE, ragged[0]),
        (of_long, end, ragged[1, : _RAGGED[1]]),
        (of_long, len(long), singles[0]),
        (of_long, end + _SINGLE, singles[1]),
        (of_fork, end + _SINGLE, singles[2]),
    ]
    return float(torch.stack([_typical(model, *part) for part in parts]).max())


def _plain(model: PreTrainedModel, ids: list[int]) -> Tensor:
    """What the library's model makes of `ids` in one pass: logits, or hidden states if it has a head of its own."""
    row = torch.tensor([ids], device=model.device)
    if model.can_generate():
        logits: Tensor = model(input_ids=row, use_cache=False).logits
        return logits[0]
    hidden: Tensor = model.base_model(input_ids=row, use_cache=False).last_hidden_state
    return hidden[0]


def _as_in_a_search(model: PreTrainedModel, long: list[int], fork: list[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Hidden states of the shared prefix, of the rest of the long row, of the ragged batch, and of what came singly."""
    decoder, batch = Decoder(model.base_model), KVBatch(model.config, model.dtype, model.device)

    def step(into: KVBatch, rows: Sequence[list[int]]) -> Tensor:
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=model.device)
        return decoder.step(into, ids, torch.tensor([len(row) for row in rows], device=model.device))

    last, end = len(long) - _SINGLE, _SHARED + _RAGGED[1]
    batch.add([[]])
    shared = step(batch, [long[:_SHARED]])
    kept = batch.segment(0, 0, _SHARED)
    rest = step(batch, [long[_SHARED : last - _RAGGED[0]]])
    batch.add([[kept]])
    ragged = step(batch, [long[last - _RAGGED[0] : last], long[_SHARED:end]])
    forked = batch.like()
    forked.add_copies(batch, [0, 1, 1])
    places = range(_SINGLE)
    singles = [step(forked, [[long[last + n]], [long[end + n]], [fork[end + n]]]) for n in places]
    return shared[0], rest[0], ragged, torch.cat(singles, dim=1)


def _typical(model: PreTrainedModel, plain: Tensor, end: int, hidden: Tensor) -> Tensor:
    """The median difference between `plain` before `end` and what `hidden` gives for the same positions."""
    hidden = hidden[-_COMPARED:]
    wanted = plain[end - len(hidden) : end].float()
    if not wanted.isfinite().all():  # damaged weights, and not our loop; it says so when it runs
        return wanted.new_zeros(())
    found = output_layer(model)(hidden).float() if model.can_generate() else hidden.float()
    if model.can_generate():
        wanted, found = wanted.log_softmax(-1), found.log_softmax(-1)
    return ((found - wanted).square().mean(-1).sqrt() / wanted.std(-1).clamp(min=_FLAT)).median()
