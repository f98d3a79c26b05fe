"""Any causal language model that judges a step with one of two words; how it is asked comes from the catalogue.

The score is P(good) of the tokens `good` and `bad` after the last token of `step`; a word of several tokens stands for
its first (FoVer's "correct" and "incorrect"). Special tokens may be named in the template and are tokens there; the
problem and the steps are text, and a tag that is one token never occurs in them.
"""

from __future__ import annotations

from pathlib import Path

from transformers import AutoModelForCausalLM, PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.formats import TemplateFormat
from engine.models.scorers.heads import TwoTokenHead, first_tokens
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions, TwoTokenTemplate
from engine.models.scorers.served import ServedScorer, TwoTokens
from engine.models.servers.settings import ServerSettings


def read(tokenizer: PreTrainedTokenizerBase, template: TwoTokenTemplate) -> TemplateFormat:
    """How a judge with this template reads."""
    tokens = Tokens(tokenizer)
    prompt = template.prompt.rstrip(" ")
    blank = template.prompt[len(prompt) :]  # a token begins with a blank, none ends with it
    tag = template.step.partition("{step}")[2]
    if not tag.strip() or tokens.has_special(tag) or tokens.single(tag) is None:
        tag = ""
    step = (template.step.removesuffix(tag), tag) if tag else (template.step,)
    bos = tokenizer.bos_token
    return TemplateFormat(
        tokens,
        prompt,
        (blank + step[0], *step[1:]),
        (template.then + step[0], *step[1:]),
        tag=tag,
        bos=not (bos and prompt.startswith(bos)),
    )


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    template = _template(name, options)
    model, tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
    form = read(tokenizer, template)
    head = TwoTokenHead(model, *first_tokens(Tokens(tokenizer), template.good, template.bad))
    return LocalScorer(describe(name, folder, model, form.template), model.base_model, form, head)


def serve(
    name: str, settings: ServerSettings, tokenizer: PreTrainedTokenizerBase, options: ScorerOptions
) -> ServedScorer:
    template = _template(name, options)
    verdicts = first_tokens(Tokens(tokenizer), template.good, template.bad)
    return ServedScorer(name, settings, read(tokenizer, template), TwoTokens(*verdicts))


def _template(name: str, options: ScorerOptions) -> TwoTokenTemplate:
    if options.template is None:
        raise ModelError(f"{name}: a generic judge needs a template; add [pair.scorer.template] to the models file")
    return options.template
