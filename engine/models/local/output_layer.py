"""The layer that turns hidden states into logits, if nothing else does."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from engine.errors import ModelError

#: Settings under which the logits are not simply the output layer's numbers.
_SCALED = ("final_logit_softcapping", "logit_scale", "logits_scaling")


def output_layer(model: PreTrainedModel) -> nn.Linear:
    """The layer whose output is exactly the model's logits."""
    for setting in _SCALED:
        if getattr(model.config, setting, None) not in (None, 1):
            raise ModelError(f"{type(model).__name__} changes its logits ({setting}), which is not supported here")
    layer = model.get_output_embeddings()
    if not isinstance(layer, nn.Linear):
        raise ModelError(f"{type(model).__name__} is not a causal language model")
    return layer
