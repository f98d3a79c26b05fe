"""What the scripts of the pages say: for each page a module of texts, made of those that are translated.

The section `js_NAME` of `tts_ui/words/interface` is the module `words_NAME.js`, with the few lines that fill a text
(`static/shared/words.js`): one request of a page, kept by the browser as its other scripts are. `js_shared` is what
pages have in common. A page that is opened from disk has the same lines in its own script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tts_ui.words.interface import language, texts

_SCRIPT = Path(__file__).parent.parent / "static" / "shared" / "words.js"
_PLACE, _SECTION = "/* the texts */", "js_"


def modules() -> Mapping[str, str]:
    """Every module by the name of its file."""
    return _modules(*(_given(part) for part in _sections()))


@cache
def _modules(*given: str) -> Mapping[str, str]:
    script = _SCRIPT.read_text(encoding="utf-8")
    return {
        module_name(part.removeprefix(_SECTION)): script.replace(_PLACE, said)
        for part, said in zip(_sections(), given, strict=True)
    }


def module_name(page: str) -> str:
    return f"words_{page}.js"


def inlined(page: str) -> str:
    """The same for a script that is no module. Raises `KeyError` for a page that has no texts."""
    return _SCRIPT.read_text(encoding="utf-8").replace("export ", "").replace(_PLACE, _given(_SECTION + page))


def _sections() -> list[str]:
    return [part for part in texts() if part.startswith(_SECTION)]


def _given(section: str) -> str:
    """The texts of a section as JavaScript. Those in several forms that were not translated count as English does."""
    told, said = language(), dict[str, object](texts()[section])
    for name in said.keys() - told.texts.get(section, {}).keys() if told.texts else ():
        if isinstance(said[name], list):
            said[name] = {"english": said[name]}
    return (
        f"const LANGUAGE = {_written(told.tag)}, TEXTS = {_written(said)};\n"
        f"const formOf = (n) => Number({told.plural});"
    )


def _written(content: object) -> str:
    """JSON that may stand in a `<script>`: no text can end it."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
