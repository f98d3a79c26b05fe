"""What the built-in models can know: is a problem one of their families', as far as its form tells?

They were trained on fifteen families of problems and on nothing else, and they answer anything with confidence. So a
person who asks for more is told. The measures are words that no family's problems ever mention, and sentences that none
of them uses around its calculations: numbers, names and goods may be exchanged for others of theirs, nothing else may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, islice

from engine.domains.builtin.families import BY_NAME
from engine.domains.builtin.problems import FAMILIES, stream

_WORD = re.compile(r"[^\W\d_]{2,}")
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]")
_UNKNOWNS = frozenset("xyf")
_PUNCTUATION = frozenset(".,?!:;$'\"")
#: Problems that are read, in all their wordings; two thirds of them have all words and sentences (a test counts).
_READ = 1500
#: The longest numbers are rare: so many digits more than what was read are still at home.
_MORE_DIGITS = 1


@dataclass
class Calculations:
    """What stands in a sentence's places for calculations: which signs, and how long the numbers get."""

    signs: set[str] = field(default_factory=set)
    digits: int = 0


@cache
def known_words() -> frozenset[str]:
    """Every word of the families' problems, in lower case."""
    return frozenset(chain.from_iterable(map(words_of, _texts(_READ))))


@cache
def known_sentences(read: int = _READ) -> dict[str, Calculations]:
    """The families' sentences without their calculations, and what these may be made of."""
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
    """Names and goods: what a family may put in each other's place."""
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
    """Whether a problem is put as the families put theirs, with calculations of their kind and size."""
    sentence, found = taken_apart(problem)
    known = known_sentences().get(sentence)
    if known is None:
        return False
    return found.digits <= known.digits + _MORE_DIGITS and found.signs <= known.signs


def outside(problem: str) -> str | None:
    """One plain sentence for whoever asks the built-in models something they never learned; None where all is well."""
    strange = strange_words(problem)
    if not strange and is_familiar(problem):
        return None
    because = f" (never seen: {', '.join(strange[:4])}{', ...' if len(strange) > 4 else ''})" if strange else ""
    return (
        f"The built-in models know only {len(FAMILIES)} families of short arithmetic and algebra problems, and this"
        f" does not look like one{because}: expect nonsense. For anything else choose a bigger model."
    )
