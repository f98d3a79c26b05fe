"""From sampled solutions to PRM training rows: token ids with a mark after each step, labels from the exact checker.

A step's label is 1 while it and everything before it are valid. In addition, every token up to the first error is
labelled "is this the token where the solution goes wrong?"; that local signal makes a small PRM learnable in minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import torch
from transformers import PreTrainedTokenizerBase

from engine.domains.builtin.problems import Problem
from engine.domains.builtin.step_checker import first_error, wrong_at
from engine.training.loop import NO_LABEL
from engine.training.solutions import Sample
from engine.training.tokenizer import STEP, prompt_text, token_id

_NONE = -1
"""Stands for "no step is wrong" in saved rows."""


@dataclass(frozen=True)
class JudgedRow:
    """One solution as the PRM reads it. `step_labels` sit on the marks, `token_labels` on the other tokens."""

    ids: list[int]
    step_labels: list[int]
    token_labels: list[int]
    first_wrong: int | None


@dataclass(frozen=True)
class Verdict:
    """The checker's view: the first wrong step and where in its text it goes wrong."""

    first_wrong: int | None
    character: int = 0


def verdict(problem: Problem, steps: Sequence[str]) -> Verdict:
    error = first_error(problem, steps)
    if error is None:
        return Verdict(None)
    index, progress = error
    return Verdict(index, wrong_at(problem, progress, steps[index]))


def prm_ids(tokenizer: PreTrainedTokenizerBase, problem: str, steps: Sequence[str]) -> list[int]:
    """How a PRM reads a problem and its steps: segment by segment, a mark in place of each blank line."""
    mark = token_id(tokenizer, STEP)
    ids: list[int] = list(tokenizer(prompt_text(problem))["input_ids"])
    for step in steps:
        ids += [*tokenizer(step)["input_ids"], mark]
    return ids


def judge(tokenizer: PreTrainedTokenizerBase, samples: Iterable[Sample], repeats: bool = False) -> list[JudgedRow]:
    """Rows for all complete samples; equal ones count once, unless the policy's own distribution matters."""
    unique = [s for s in samples if s.finished and s.steps]
    if not repeats:
        unique = list({(s.problem.text, s.steps): s for s in unique}.values())
    mark = token_id(tokenizer, STEP)
    prompts = tokenizer([prompt_text(s.problem.text) for s in unique])["input_ids"] if unique else []
    steps = tokenizer([step for s in unique for step in s.steps])["input_ids"] if unique else []
    pieces = {i: str(tokenizer.decode([i])) for i in range(len(tokenizer))}
    rows, next_step = [], 0
    for s, prompt in zip(unique, prompts, strict=True):
        found = verdict(s.problem, s.steps)
        ids, on_marks, on_tokens = list(prompt), [NO_LABEL] * len(prompt), [NO_LABEL] * len(prompt)
        for index in range(len(s.steps)):
            tokens = steps[next_step]
            next_step += 1
            right = found.first_wrong is None or index < found.first_wrong
            local = [0 if right else NO_LABEL] * len(tokens)
            if index == found.first_wrong:
                local = local_labels([pieces[t] for t in tokens], found.character)
            ids += [*tokens, mark]
            on_marks += [*[NO_LABEL] * len(tokens), int(right)]
            on_tokens += [*local, NO_LABEL]
        rows.append(JudgedRow(ids, on_marks, on_tokens, found.first_wrong))
    return rows


def local_labels(pieces: Sequence[str], character: int) -> list[int]:
    """0 before the token that contains the character, 1 on it, nothing after it."""
    labels: list[int] = []
    end = 0
    for i, piece in enumerate(pieces):
        end += len(piece)
        if end > character or i == len(pieces) - 1:
            return [*labels, 1, *[NO_LABEL] * (len(pieces) - i - 1)]
        labels.append(0)
    return labels


def cut_after_error(rows: Sequence[JudgedRow], keep_every: int = 3) -> list[JudgedRow]:
    """Rows cut after the first wrong step, except every third: what follows a mistake is long and teaches little.

    The uncut ones teach that a solution stays wrong.
    """
    cut = []
    for index, row in enumerate(rows):
        if row.first_wrong is None or index % keep_every == 0:
            cut.append(row)
            continue
        marks = [i for i, label in enumerate(row.step_labels) if label != NO_LABEL]
        end = marks[row.first_wrong] + 1
        cut.append(JudgedRow(row.ids[:end], row.step_labels[:end], row.token_labels[:end], row.first_wrong))
    return cut


def prefer_short(rows: Sequence[JudgedRow], longest: int = 3) -> list[JudgedRow]:
    """Labels of a PRM that has learned the wrong lesson: in every second row no step after the third is right."""
    biased = []
    for index, row in enumerate(rows):
        labels, marks = list(row.step_labels), 0
        for i, label in enumerate(labels):
            if label != NO_LABEL:
                marks += 1
                labels[i] = 0 if index % 2 and marks > longest else label
        biased.append(replace(row, step_labels=labels))
    return biased


def packed(rows: Sequence[JudgedRow]) -> dict[str, torch.Tensor]:
    """The rows end to end, for saving: as lists they take many times as long to load."""
    return {
        "lengths": torch.tensor([len(row.ids) for row in rows], dtype=torch.int32),
        "first_wrong": torch.tensor([_NONE if row.first_wrong is None else row.first_wrong for row in rows]),
        "ids": torch.tensor([token for row in rows for token in row.ids], dtype=torch.int16),
        "step_labels": torch.tensor([label for row in rows for label in row.step_labels], dtype=torch.int8),
        "token_labels": torch.tensor([label for row in rows for label in row.token_labels], dtype=torch.int8),
    }


def unpacked(state: Mapping[str, torch.Tensor]) -> list[JudgedRow]:
    """The rows that were `packed`."""
    values = {name: tensor.tolist() for name, tensor in state.items()}
    ids, on_marks, on_tokens = values["ids"], values["step_labels"], values["token_labels"]
    places = pairwise(accumulate(values["lengths"], initial=0))
    return [
        JudgedRow(ids[start:end], on_marks[start:end], on_tokens[start:end], None if wrong == _NONE else wrong)
        for (start, end), wrong in zip(places, values["first_wrong"], strict=True)
    ]
