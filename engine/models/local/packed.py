"""Linear layers in bfloat16 on a CPU, their weights kept in the order in which oneDNN reads them.

torch hands oneDNN the weights as they were stored, and a decode pass, which does little but read them, takes half as
long again. Kept in its own order they take no more memory; what is computed is the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from engine.models.local.output_layer import output_layer


class PackedLinear(nn.Module):
    """Computes what `linear` does; `parameters_held` counts its parameters, which torch no longer sees."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.parameters_held = sum(each.numel() for each in linear.parameters())
        self._weight = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach())
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, inputs: Tensor) -> Tensor:
        result: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self._weight, self._bias, "none", [], "")
        return result


def pack(model: PreTrainedModel) -> None:
    """Pack the layers of the body of `model`, if it is in bfloat16 on a CPU; a head stays as it is."""
    if not _gains(model):
        return
    for parent in list(model.base_model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear:  # others may do more than multiply
                setattr(parent, name, PackedLinear(layer))


def packed_output(model: PreTrainedModel) -> Callable[[Tensor], Tensor]:
    """The output layer of `model`, for whoever needs all logits and no weights; packed where that takes no memory.

    One that is tied to the embedding would have to be held twice.
    """
    layer = output_layer(model)
    if not _gains(model) or layer.weight is model.get_input_embeddings().weight:
        return layer
    packed = PackedLinear(layer)
    model.set_output_embeddings(packed)
    return packed


def parameters(model: nn.Module) -> int:
    """How many `model` has, packed ones included, tied ones once."""
    held = sum(each.parameters_held for each in model.modules() if isinstance(each, PackedLinear))
    return held + sum(each.numel() for each in model.parameters())


def _gains(model: PreTrainedModel) -> bool:
    return model.dtype == torch.bfloat16 and model.device.type == "cpu" and torch.backends.mkldnn.is_available()
