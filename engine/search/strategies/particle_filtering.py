"""Particle filtering with entropic annealing (Puri et al. 2025, arXiv 2502.01618; the variant of its_hub 1.2).

N particles take one step each. A particle's weight is the log-odds of its PRM score; the softmax of the weights is the
chance to be drawn again, and N particles are drawn by it. Where few particles hold most of the chance (an effective
share below a half) in the first half of the search, a temperature that falls with the steps keeps the others alive. A
particle that has ended keeps its weight, and may still lose its place. Those left when all have ended are the
completions; the paper answers with the heaviest, which is `prm_last_max`.

Resampling is systematic, with one number from the run's seed for each step: a particle of chance p has floor(N p) or
ceil(N p) successors, so the heaviest always has one. Equal particles are one node with their sum. A completion votes
with the draws that led to it, however often it was drawn again: that is no sample of the policy.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from engine.search.draws import chance
from engine.search.search import Search
from engine.search.tree import Node

#: Scores are kept this far from 0 and 1, where log-odds are not finite.
CLIP = 1e-7
#: The temperature rises where the effective share of particles, and of the steps taken, are both below these.
DIVERSE, EARLY = 0.5, 0.5


async def particle_filtering(search: Search, *, n: int) -> None:
    particles, step = Counter({search.root: n}), 0
    while heads := [particle for particle in particles.elements() if not particle.terminal]:
        step += 1
        ended = Counter({particle: held for particle, held in particles.items() if particle.terminal})
        drawn = Counter(chain.from_iterable(await search.expand_each(heads, 1)))
        search.finish(particle for particle in drawn if particle.finish == "budget")
        particles = ended + Counter({particle: held for particle, held in drawn.items() if particle.finish != "budget"})
        await search.score(particles)
        if not all(particle.terminal for particle in particles):
            particles = resample(search, particles, step)
    search.finish(particles)
    search.flush()


def resample(search: Search, particles: Counter[Node], step: int) -> Counter[Node]:
    """As many particles again, drawn by their weights; the numbers behind it are recorded on every one of them."""
    weights, held = [log_odds(search.value(particle)) for particle in particles], list(particles.values())
    chances, share, temperature = tempered(weights, held, step / search.max_steps)
    drawn = systematic(chances, sum(held), chance(search.seed, step))
    for particle, weight, p, resampled in zip(particles, weights, chances, drawn, strict=True):
        numbers = {
            "weight": weight, "probability": p, "particles": particles[particle], "resampled": resampled,
            "of": sum(held), "share": share, "temperature": temperature, "step": step,
        }  # fmt: skip
        search.decide(particle, "keep" if resampled else "prune", "resampled", numbers)
    search.flush()
    return Counter({particle: count for particle, count in zip(particles, drawn, strict=True) if count})


def log_odds(score: float) -> float:
    clipped = min(1 - CLIP, max(CLIP, score))
    return math.log(clipped / (1 - clipped))


def tempered(weights: Sequence[float], held: Sequence[int], progress: float) -> tuple[list[float], float, float]:
    """The chance of each node (of all its particles together), the effective share of particles and the temperature.

    `progress` is the share of the longest chain that is written. The effective share is that before the temperature.
    """
    chances = softmax(weights, held)
    share = 1 / sum(p * p / count for p, count in zip(chances, held, strict=True)) / sum(held)
    if share >= DIVERSE or progress >= EARLY:
        return chances, share, 1.0
    temperature = max(1.0, (1 - progress) / share)
    return softmax([weight / temperature for weight in weights], held), share, temperature


def softmax(weights: Sequence[float], held: Sequence[int]) -> list[float]:
    """In proportion to `held` times the exponential of `weights`."""
    shares = [count * math.exp(weight - max(weights)) for weight, count in zip(weights, held, strict=True)]
    return [share / sum(shares) for share in shares]


def systematic(chances: Sequence[float], draws: int, start: float) -> list[int]:
    """How many of the `draws` points start, start + 1, ... fall to each, where each covers `draws` times its chance.

    `start` is in [0, 1); what rounding leaves over falls to the last.
    """
    ends = [0]
    covered = 0.0
    for p in chances[:-1]:
        covered += draws * p
        ends.append(min(draws, max(ends[-1], math.ceil(covered - start))))
    ends.append(draws)
    return [end - begin for begin, end in zip(ends, ends[1:], strict=False)]
