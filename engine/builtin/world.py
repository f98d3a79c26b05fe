"""What the built-in models can know: is a problem one of their families', as far as its words tell?

They were trained on fifteen families of problems and on nothing else, and they answer anything with confidence. So a
person who asks for more is told. Words are the measure: a name or a thing that no family's problems ever mention.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from engine.builtin.problems import FAMILIES, stream

_WORD = re.compile(r"[^\W\d_]{2,}")
#: Problems that are read for their words; four passes over all families and difficulties find them all (a test counts).
_READ = 1500


@cache
def known_words() -> frozenset[str]:
    """Every word of the families' problems, in lower case."""
    return frozenset(word for problem in islice(stream("words", "policy"), _READ) for word in words_of(problem.text))


def words_of(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def strange_words(problem: str) -> list[str]:
    """The words of a problem that no family uses, in order, each once."""
    return [word for word in dict.fromkeys(words_of(problem)) if word not in known_words()]


def outside(problem: str) -> str | None:
    """One plain sentence for whoever asks the built-in models something they never learned; None where all is well."""
    strange = strange_words(problem)
    if not strange and any(character.isdigit() for character in problem):
        return None
    because = f" (never seen: {', '.join(strange[:4])}{', ...' if len(strange) > 4 else ''})" if strange else ""
    return (
        f"The built-in models know only {len(FAMILIES)} families of short arithmetic and algebra problems, and this"
        f" does not look like one{because}: expect nonsense. For anything else choose a bigger model of your own."
    )
