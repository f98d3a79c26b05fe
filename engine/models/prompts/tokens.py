"""A judge's own tokenizer, used a piece at a time so that the pieces add up to the tokens of the whole.

Two things could go wrong. A special token spelled out in a user's text would become that token; here text is only ever
text, and special tokens are recognised in templates alone. Special is every added token that looks like a mark: some
checkpoints do not say so of all of theirs (`<think>`, `<｜User｜>`). Added words and blanks are text. And tokenizers
like SentencePiece's put a blank before whatever they are given; inside a text that blank is left out. Thread-safe after
construction; needs no model.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any, Literal

from transformers import PreTrainedTokenizerBase

from engine.errors import ModelError

#: Where a piece stands: at the very start, after other text, or right after a special token.
Place = Literal["start", "inside", "special"]

_FIELD = re.compile(r"\{(problem|step)\}")
_TAG = re.compile(r"(</?think>)")
_MARK = re.compile(r"\s*(<.+>|\[[A-Z_/]+\])\s*", re.DOTALL)


class Tokens:
    """Token ids of texts and templates. `bos` is what the tokenizer itself puts before a text."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise ModelError(f"{tokenizer.name_or_path}: no tokenizer.json here; other formats are not read")
        self._backend: Any = copy.deepcopy(backend)  # its state changes here
        added = {
            each.content: (token, each.special)
            for token, each in tokenizer.added_tokens_decoder.items()
            if each.special or _MARK.fullmatch(each.content)
        }
        self._special = {name: token for name, (token, _) in added.items()}
        self._backend.add_special_tokens([name for name, (_, special) in added.items() if not special])
        names = sorted(self._special, key=len, reverse=True)
        self._split = re.compile("(" + "|".join(map(re.escape, names)) + ")") if names else None
        self._backend.encode_special_tokens = False
        self._newline = self._encode("\n")
        if len(self._newline) > 1 and self._encode("\n\n") != [*self._newline, self._newline[-1]]:
            raise ModelError(f"{tokenizer.name_or_path}: the tokenizer adds a leading blank and merges line breaks")
        after_special = self._encode(names[0] + "\n")[1:] if names else self._newline
        self._blank_after_special = after_special == self._newline
        self.bos = _in_front(self._backend.encode("\n").ids, self._newline)
        self._backend.encode_special_tokens = True

    def text(self, text: str, place: Place = "inside", without: int | None = None) -> list[int]:
        """The ids of `text` at its place. The token `without` is spelled with the tokens of its characters."""
        ids = [token for token, _ in self.pieces(text, place)]
        if without is None or without not in ids:
            return ids
        return [piece for token in ids for piece in (self._spelled(token) if token == without else [token])]

    def written(self, text: str, place: Place = "inside") -> list[tuple[int, int]]:
        """As `pieces`, of what a policy wrote: the tags of its thought are the tokens that they were to it."""
        found: list[tuple[int, int]] = []
        start = 0
        for part in _TAG.split(text) if "</think>" in self._special else [text]:
            if part in self._special:
                found.append((self._special[part], start))
                place = "special"
            elif part:
                found += [(token, start + at) for token, at in self.pieces(part, place)]
                place = "inside"
            start += len(part)
        return found

    def pieces(self, text: str, place: Place = "inside") -> list[tuple[int, int]]:
        """As `text`, each id with the place in `text` of its first character."""
        if not text:
            return []
        adds_blank = len(self._newline) > 1
        if not adds_blank or place == "start" or (place == "special" and self._blank_after_special):
            read = self._backend.encode(text, add_special_tokens=False)
            return [(token, start) for token, (start, _) in zip(read.ids, read.offsets, strict=True)]
        # Nothing is ever merged with a line break, so after one a text reads as it does inside a longer text.
        read = self._backend.encode("\n" + text, add_special_tokens=False)
        behind = list(zip(read.ids, read.offsets, strict=True))[len(self._newline) :]
        return [(token, start - 1) for token, (start, _) in behind]

    def fill(
        self, template: str, place: Place = "inside", texts: Mapping[str, str] | None = None, without: int | None = None
    ) -> tuple[list[int], Place]:
        """The ids of `template`, and the place after it.

        Special tokens in the template are tokens. `{problem}` and `{step}` become `texts` of these names, which are
        tokenised together with the text around them.
        """
        ids: list[int] = []
        for part in self._split.split(template) if self._split else [template]:
            if part in self._special:
                ids.append(self._special[part])
                place = "special"
            elif part:
                written = _FIELD.sub(lambda field: (texts or {})[field[1]], part)
                ids += self.text(written, place, without if _FIELD.search(part) else None)
                place = "inside"
        return ids, place

    def single(self, text: str) -> int | None:
        """The id of `text` if it is one token inside a text, else None."""
        ids, _ = self.fill(text)
        return ids[0] if len(ids) == 1 else None

    def has_special(self, text: str) -> bool:
        """Whether a special token is named in `text`."""
        return bool(self._split and self._split.search(text))

    def _encode(self, text: str) -> list[int]:
        return list(self._backend.encode(text, add_special_tokens=False).ids)

    def _spelled(self, token: int) -> list[int]:
        """The characters of a token, as tokens."""
        ids: list[int] = []
        for character in self._backend.id_to_token(token):
            whole = self._backend.token_to_id(character)
            found = [self._backend.token_to_id(f"<0x{byte:02X}>") for byte in character.encode()]
            found = found if whole is None else [whole]
            if None in found:
                raise ModelError(f"the tokenizer has no token for {character!r}, so its step tag cannot be escaped")
            ids += found
        return ids


def _in_front(with_added: list[int], alone: list[int]) -> list[int]:
    """What stands before `alone` in `with_added`."""
    for start in range(len(with_added)):
        if with_added[start : start + len(alone)] == alone:
            return with_added[:start]
    return []
