"""What the built-in models can know: judging by its form, does a problem belong to one of their families?

They were trained on fifteen families of problems and on nothing else, and they answer anything with confidence. So the
user is told when a problem is outside. The signs are words that no family's problems use, and sentences that none of
them uses around its calculations: numbers, names and goods may be exchanged for others of theirs, nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, islice

from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.problems import FAMILIES, stream
from engine.domains.builtin.reading import NoWholeAnswer, read_problem

_WORD = re.compile(r"[^\W\d_]{2,}")
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]")
_UNKNOWNS = frozenset("xyf")
_PUNCTUATION = frozenset(".,?!:;$'\"")
#: Number of problems read, in all their wordings; two thirds of them have all words and sentences (a test counts).
_READ = 1500
#: The longest numbers are rare: this many digits more than in the problems read still count as known.
_MORE_DIGITS = 1


@dataclass
class Calculations:
    """What may fill a sentence's places for calculations: which signs, and how long the numbers get."""

    signs: set[str] = field(default_factory=set)
    digits: int = 0


@cache
def known_words() -> frozenset[str]:
    """Every word of the families' problems, in lower case."""
    return frozenset(chain.from_iterable(map(words_of, _texts(_READ))))


@cache
def known_sentences(read: int = _READ) -> dict[str, Calculations]:
    """The families' sentences without their calculations, and what those may consist of."""
    known: dict[str, Calculations] = {}
    for text in _texts(read):
        sentence, found = taken_apart(text)
        allowed = known.setdefault(sentence, Calculations())
        allowed.signs |= found.signs
        allowed.digits = max(allowed.digits, found.digits)
    return known


@cache
def _texts(read: int) -> tuple[str, ...]:
    """Problems in all their wordings."""
    problems = islice(stream("words", "policy"), read)
    return tuple(text for p in problems for text in BY_NAME[p.family].ask(p.numbers, p.words))


@cache
def _choices() -> frozenset[str]:
    """Names and goods that a family uses interchangeably."""
    pools = (pool for family in BY_NAME.values() for pool in family.words)
    return frozenset(word.lower() for pool in pools for word in pool)


def words_of(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def taken_apart(text: str) -> tuple[str, Calculations]:
    """ "Compute 37 * 24." -> "compute #" and the sign *; "Ann buys 3 pens" -> "_ buys # _"."""
    sentence: list[str] = []
    found = Calculations()
    for token in _TOKEN.findall(text.lower()):
        if token in _PUNCTUATION:
            continue
        if token.isalpha() and not _UNKNOWNS.issuperset(token):
            sentence.append("_" if token in _choices() else token)
            continue
        if token[0].isdigit():
            found.digits = max(found.digits, len(token))
        found.signs |= {character for character in token if not character.isdigit()}
        if sentence[-1:] != ["#"]:
            sentence.append("#")
    return " ".join(sentence), found


def strange_words(problem: str) -> list[str]:
    """The words of a problem that no family uses, in order, each once."""
    return [word for word in dict.fromkeys(words_of(problem)) if word not in known_words()]


def is_familiar(problem: str) -> bool:
    """Whether a problem is worded as the families' are, with calculations of their kind and size."""
    sentence, found = taken_apart(problem)
    known = known_sentences().get(sentence)
    if known is None:
        return False
    return found.digits <= known.digits + _MORE_DIGITS and found.signs <= known.signs


def outside(problem: str) -> str | None:
    """One plain sentence, if a problem is something the built-in models never learned; else None."""
    try:
        read_problem(problem)
    except NoWholeAnswer:
        return (
            "With these numbers there is no whole answer, and the built-in models know whole ones only: expect a wrong"
            " answer, which is not graded. Try other numbers."
        )
    strange = strange_words(problem)
    if not strange and is_familiar(problem):
        return None
    because = f" (never seen: {', '.join(strange[:4])}{', ...' if len(strange) > 4 else ''})" if strange else ""
    return (
        f"The built-in models know only {len(FAMILIES)} families of short arithmetic and algebra problems, and this"
        f" does not look like one{because}: expect nonsense. For anything else choose a bigger model."
    )
