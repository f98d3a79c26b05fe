"""`make train`: makes the built-in tokenizer, policies and PRMs again from nothing but this code and its seeds.

Every stage leaves its result in the work folder and is skipped if the result exists, so an interrupted run resumes
where it stopped; finished models are moved into place whole. Budgets are counted in tokens. Every process has one
thread, because two are slower at these sizes: policies are trained side by side, and everything after them by a team of
processes that share each batch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn
from tqdm import tqdm
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from engine.domains.builtin.problems import stream
from engine.domains.builtin.sets import problem_set
from engine.training import tokenizer as tokenizers
from engine.training.checkpoints import MODELS, WEIGHTS, read_weights, write_policy
from engine.training.evaluate import PrmQuality, greedy_accuracy, policy_accuracy, prm_quality
from engine.training.judged import JudgedRow, cut_after_error, judge, packed, prefer_short, unpacked
from engine.training.loop import leads, part_of, put_together, save_state
from engine.training.model_cards import policy_card, prm_card
from engine.training.policy import POLICIES, TRUNK, PolicyPlan, new_model, train_policy
from engine.training.prm import PRMS, PrmPlan, StepJudge, read_marks_as_blank_lines, score_rows, train_prm, write_prm
from engine.training.rollouts import rollout_rows
from engine.training.slips import slips
from engine.training.solutions import sample

Plan = TypeVar("Plan", PolicyPlan, PrmPlan)

WORK = Path(".train")
DRAWS_PER_PROBLEM = 2
SAMPLES = 28_000
"""Solutions drawn from a policy for all PRMs at once; without duplicates, 20,000 or more are left."""
PARTS = {"builtin-m": 2, "builtin-l": 3}
"""How often: a larger policy is sampled more, because it errs more rarely."""
SAMPLE_TEMPERATURE = 1.0


def the_tokenizer(work: Path) -> PreTrainedTokenizerBase:
    folder = work / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        tokenizers.build().save_pretrained(folder)
    return tokenizers.load(folder)


def progress(name: str, total: int) -> Callable[[int, float], None]:
    """A progress bar in tokens, with a running mean of the loss; a team has one."""
    bar = tqdm(total=total, desc=name, unit="tok", unit_scale=True, mininterval=2.0, disable=not leads())
    mean = [float("nan")]

    def report(seen: int, loss: float) -> None:
        mean[0] = loss if mean[0] != mean[0] else 0.98 * mean[0] + 0.02 * loss
        bar.set_postfix(loss=f"{mean[0]:.4f}", refresh=False)
        bar.update(seen - bar.n)

    return report


def load_policy(folder: Path) -> Qwen2ForCausalLM:
    """A finished policy with its stored (bf16) weights, computing in fp32."""
    model = new_model(TRUNK if folder.name == TRUNK.name else POLICIES[folder.name])
    model.load_state_dict(read_weights(folder), strict=False)
    model.train(False)
    return model


def finished(plan: Plan, work: Path, out: Path) -> bool:
    """Whether a model has been trained, measured and installed; if so, prints it."""
    before = (work / f"{plan.name}.done").exists() and (out / plan.name / WEIGHTS).exists()
    if before:
        print(f"{plan.name}: already done")
    return before


def policy_stage(plan: PolicyPlan, work: Path, out: Path) -> None:
    """Train, measure on the validation set and install one policy."""
    torch.set_num_threads(1)
    if finished(plan, work, out):
        return
    tokenizer = the_tokenizer(work)
    model = train_policy(plan, tokenizer, work, progress(plan.name, plan.tokens))
    write_policy(work / "models" / plan.name, model, tokenizer, "")
    model = load_policy(work / "models" / plan.name)  # measured as it is stored
    accuracy = policy_accuracy(model, tokenizer, problem_set("builtin-validation"))
    parameters = sum(p.numel() for p in model.parameters())
    write_policy(out / plan.name, model, tokenizer, policy_card(plan, parameters, accuracy))
    (work / f"{plan.name}.done").write_text(f"{accuracy}\n")
    print(f"{plan.name}: {accuracy}")


def trunk_stage(plan: PolicyPlan, work: Path) -> None:
    """Train the PRM's trunk, by a team."""
    if (work / "models" / plan.name).exists():
        return
    tokenizer = the_tokenizer(work)
    model = train_policy(plan, tokenizer, work, progress(plan.name, plan.tokens))
    if leads():
        write_policy(work / "models" / plan.name, model, tokenizer, "")


def judged_samples(name: str, work: Path, tokenizer: PreTrainedTokenizerBase, part: int) -> list[JudgedRow]:
    """Solutions drawn from a policy for problems that no policy was trained on, judged by the checker."""
    number = SAMPLES // DRAWS_PER_PROBLEM
    problems = list(islice(stream(f"prm {name}", "judge", start=part * number), number))

    def draw() -> list[JudgedRow]:
        policy = load_policy(work / "models" / name)
        drawn = sample(policy, tokenizer, problems, DRAWS_PER_PROBLEM, SAMPLE_TEMPERATURE, seed=part)
        return judge(tokenizer, tqdm(drawn, desc=f"samples of {name}", total=SAMPLES, mininterval=2.0))

    return kept(work / f"samples-{name}-{part}.pt", draw)


def slip_rows(number: int, work: Path) -> list[JudgedRow]:
    """Solutions with a slip, labelled by the checker like any other."""
    torch.set_num_threads(1)
    tokenizer = the_tokenizer(work)

    def draw() -> list[JudgedRow]:
        return judge(tokenizer, tqdm(slips("slips", number), desc="slips", total=number, mininterval=2.0))

    return kept(work / "slips.pt", draw)[:number]


def rolled_out_samples(plan: PrmPlan, name: str, work: Path, tokenizer: PreTrainedTokenizerBase) -> list[JudgedRow]:
    """As many solutions of a policy as the plan asks for, their steps labelled by rollouts of that policy."""
    problems = list(islice(stream(f"rollouts {name}", "judge"), plan.samples // DRAWS_PER_PROBLEM))

    def draw() -> list[JudgedRow]:
        policy = load_policy(work / "models" / name)
        drawn = list(sample(policy, tokenizer, problems, DRAWS_PER_PROBLEM, SAMPLE_TEMPERATURE))
        rows = rollout_rows(policy, tokenizer, drawn)
        return list(tqdm(rows, desc=f"rollouts of {name}", total=len(drawn), mininterval=2.0))

    return kept(work / f"rollouts-{name}.pt", draw)


def kept(file: Path, draw: Callable[[], list[JudgedRow]]) -> list[JudgedRow]:
    """The rows in a file of the work folder, which is made first if need be."""
    if not file.exists():
        save_state(file, packed(draw()))
    return unpacked(torch.load(file, weights_only=True))


def rows_of(plan: PrmPlan, name: str, work: Path) -> list[JudgedRow]:
    """A policy's samples as the plan's PRM reads them, drawn if need be."""
    torch.set_num_threads(1)
    tokenizer = the_tokenizer(work)
    if plan.labels == "rollouts":
        return rolled_out_samples(plan, name, work, tokenizer)
    parts = (judged_samples(name, work, tokenizer, part) for part in range(PARTS.get(name, 1)))
    rows = [row for part in parts for row in part]  # sorted by prompt length, so only a random sample has all families
    return Random(f"{plan.name} {name}").sample(rows, min(plan.samples, len(rows)))


def validation_rows(name: str, work: Path) -> list[JudgedRow]:
    """What every PRM is measured on: a policy's solutions to the validation problems."""
    torch.set_num_threads(1)
    tokenizer = the_tokenizer(work)

    def draw() -> list[JudgedRow]:
        problems = problem_set("builtin-validation")
        drawn = sample(load_policy(work / "models" / name), tokenizer, problems, 16, 0.8, seed=1)
        return judge(tokenizer, drawn, repeats=True)

    return kept(work / f"validation-{name}.pt", draw)


def measured(model: StepJudge, name: str, work: Path) -> PrmQuality:
    held_out = validation_rows(name, work)
    return prm_quality(score_rows(model, held_out), [row.first_wrong for row in held_out])


def prm_stage(plan: PrmPlan, policies: Sequence[str], work: Path, out: Path) -> None:
    """Train and measure a PRM, by a team; its leader installs it."""
    tokenizer = the_tokenizer(work)
    read = {name: rows_of(plan, name, work) for name in plan.policies or policies}
    rows = [row for own in read.values() for row in own]
    rows = cut_after_error(prefer_short(rows) if plan.labels == "prefer_short" else rows)
    slipped = slip_rows(max(plan.slips), work) if plan.slips else []
    trunk = load_policy(work / "models" / plan.trunk)
    by_itself = greedy_accuracy(trunk, tokenizer, problem_set("builtin-validation")) if leads() else 0.0
    read_marks_as_blank_lines(trunk, tokenizer)
    model = train_prm(plan, trunk, rows, work, progress(plan.name, plan.tokens), slipped)
    found = put_together({name: measured(model, name, work) for name in part_of(list(policies))})
    if not leads():
        return
    qualities = {name: found[name] for name in policies}
    parameters = sum(p.numel() for p in (*model.model.parameters(), *model.score.parameters()))
    sizes = {name: len(own) for name, own in read.items()}
    write_prm(out / plan.name, model, tokenizer, prm_card(plan, parameters, sizes, by_itself, qualities))
    (work / f"{plan.name}.done").write_text(f"{qualities}\n")
    print(f"{plan.name}: {qualities}")


def in_turn(stages: Sequence[Callable[[], object]]) -> None:
    """For a process of the pool. What the stages return is in the work folder, and too large to send back."""
    for stage in stages:
        stage()


def by_a_team(size: int, stage: Callable[[], None]) -> None:
    """Run `stage` in this many processes, which average their gradients."""
    with TemporaryDirectory() as folder:
        spawn(member, (size, Path(folder) / "meeting", stage), nprocs=size)


def member(rank: int, size: int, meeting: Path, stage: Callable[[], None]) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=meeting.as_uri(), rank=rank, world_size=size)
    stage()
    distributed.barrier()
    distributed.destroy_process_group()


def scaled(plan: Plan, share: float) -> Plan:
    return replace(plan, cycles=tuple(int(tokens * share) for tokens in plan.cycles))


def needed(wanted: Sequence[str], policies: Sequence[str]) -> set[str]:
    """The policies that these models need for training and measuring."""
    plans = [PRMS[name] for name in wanted if name in PRMS]
    trunks = {TRUNK.goes_on_from if plan.trunk == TRUNK.name else plan.trunk for plan in plans}
    return trunks.union(*(plan.policies for plan in plans), policies if plans else ())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train the built-in models; resumes where it was interrupted.")
    parser.add_argument("--work", type=Path, default=WORK, help="intermediate results (default: .train)")
    parser.add_argument("--out", type=Path, default=MODELS, help="where finished models go (default: assets/models)")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="train these models only")
    parser.add_argument(
        "--policies", nargs="+", default=list(POLICIES), metavar="NAME", choices=POLICIES,
        help="policies whose samples PRMs learn from",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, help="number of processes, one thread each (default: 2)")
    parser.add_argument("--token-share", type=float, default=1.0, help="scale every token budget, for a quick trial")
    options = parser.parse_args(arguments)
    share = options.token_share
    wanted = options.only or [*POLICIES, *PRMS]
    if options.jobs < 1:
        parser.error(f"--jobs: {options.jobs} is too few; give 1 or more")
    if share <= 0:
        parser.error(f"--token-share: {share:g} leaves nothing to read; give more than 0")
    if share != 1 and (options.work.resolve() == WORK.resolve() or options.out.resolve() == MODELS.resolve()):
        parser.error("--token-share: a trial needs --work and --out folders of its own")
    if unknown := set(wanted) - {*POLICIES, *PRMS}:
        parser.error(f"--only: unknown model {', '.join(sorted(unknown))}; choose from {', '.join([*POLICIES, *PRMS])}")
    if missing := needed(wanted, options.policies) - {*wanted} - {each.name for each in options.work.glob("models/*")}:
        parser.error(f"--only: these must be trained first, or named too: {', '.join(sorted(missing))}")
    torch.set_num_threads(1)
    the_tokenizer(options.work)
    policies = [scaled(POLICIES[name], share) for name in POLICIES if name in wanted]
    prms = [scaled(PRMS[name], share) for name in PRMS if name in wanted]
    due = [plan for plan in prms if not finished(plan, options.work, options.out)]
    draws = {(plan.labels == "rollouts", name): plan for plan in due for name in plan.policies or options.policies}
    by_policy: dict[str, list[Callable[[], object]]] = {name: [] for name in reversed(POLICIES)}  # the longest first
    for policy in policies:
        by_policy[policy.name].append(partial(policy_stage, policy, options.work, options.out))
    for (_, name), plan in draws.items():
        by_policy[name].append(partial(rows_of, plan, name, options.work))
    for name in options.policies if due else ():
        by_policy[name].append(partial(validation_rows, name, options.work))
    slipped = [partial(slip_rows, max(plan.slips), options.work) for plan in due if plan.slips]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(in_turn, [*by_policy.values(), slipped]))
    if any(plan.trunk == TRUNK.name for plan in due):
        by_a_team(options.jobs, partial(trunk_stage, scaled(TRUNK, share), options.work))
    for plan in due:
        by_a_team(options.jobs, partial(prm_stage, plan, options.policies, options.work, options.out))


if __name__ == "__main__":
    main()
