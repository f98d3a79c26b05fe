"""What the scripts of a page will ask for, named in its head so that a browser asks for all of it at once.

Gradio's front end comes in a chain of some hundred small files: a script names the next ones once it has been read,
and on a slow line each link of the chain is a wait. Its build leaves a table of what a script may load in the script
itself, and beside each load the places in that table; what a page needs is read from there. Where a later version is
built otherwise nothing is named, and a page loads as it did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import gradio as gr

_ENTRY = re.compile(r'src="\./assets/(index-[\w-]+\.js)"')
_TABLE = re.compile(r"m\.f=\[(.*?)\]")
_NAME = re.compile(r'"\./([\w.-]+)"')
#: What follows a load.
_PLACES = r",__vite__mapDeps\(\[(\d+(?:,\d+)*)\]\)"
#: What Gradio puts around the components of every page.
_AROUND = frozenset({"column"})
#: Where the frame of all pages is loaded, and where a component is, by its type.
_FRAME = re.compile(r"import\(`\./Blocks-[\w-]+\.js`\);return\{default:e\}\}" + _PLACES)
_COMPONENT = r"[,{{]{type}:\{{(?:\w+:[^{{}}]*?,)*?component:\(\)=>\w+\(\(\)=>import\(`[^`]*`\)(?:\.then\(e=>e\.\w\))?"


def links(types: Iterable[str], own: Iterable[str] = ()) -> str:
    """For a page with components of these types, as elements of its head; `own` are addresses of scripts that it
    imports later, which come after the others."""
    named = "".join(map(_link, needed(_AROUND.union(types))))
    return named + "".join(f'<link rel="modulepreload" fetchpriority="low" href="./{address}">' for address in own)


@cache
def needed(types: frozenset[str]) -> tuple[str, ...]:
    """The files of Gradio's front end that such a page loads, in the order in which it would."""
    folder = Path(gr.__file__).parent / "templates" / "frontend"
    entry = _ENTRY.search((folder / "index.html").read_text(encoding="utf-8"))
    if entry is None:
        return ()
    first = _table(_text(entry[1]))
    found = dict.fromkeys([entry[1], *first])
    for script in (_text(name) for name in first if name.endswith(".js")):
        table = _table(script)
        loads = [_FRAME, *(re.compile(_COMPONENT.format(type=re.escape(each)) + _PLACES) for each in sorted(types))]
        for places in (match[1] for load in loads if (match := load.search(script))):
            found |= dict.fromkeys(
                table[int(place)] for place in places.split(",") if place and int(place) < len(table)
            )
    return tuple(found)


def _text(name: str) -> str:
    return (Path(gr.__file__).parent / "templates" / "frontend" / "assets" / name).read_text(encoding="utf-8")


def _table(script: str) -> list[str]:
    """What a script may load."""
    found = _TABLE.search(script)
    return _NAME.findall(found[1]) if found else []


def _link(name: str) -> str:
    kind = 'rel="modulepreload"' if name.endswith(".js") else 'rel="preload" as="style" crossorigin'
    return f'<link {kind} href="./assets/{name}">'
