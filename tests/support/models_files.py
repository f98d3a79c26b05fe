"""Models files for the tests: pairs written as templates, with `name` and `policy` to be filled in."""

from __future__ import annotations

PAIR = '[[pair]]\nname = "{name}"\n[pair.policy]\nkind = "local"\npath = "{policy}"\n'
WITH_PRM = PAIR + '[pair.scorer]\nkind = "qwen_prm"\npath = "builtin-prm"\n'
