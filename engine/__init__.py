"""The search engine of Reasoning Tree Explorer, usable alone as a library: no user interface in here.

What a program of one's own begins with is named here and imported when it is asked for, so that `import engine` costs
nothing and `RunParams` brings neither torch nor a database along.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["Host", "Question", "RunParams", "Solution", "Store", "asolve", "solve"]

if TYPE_CHECKING:
    from engine.runs.host import Host
    from engine.runs.question import Question
    from engine.runs.solving import Solution, asolve, solve
    from engine.search.params import RunParams
    from engine.store import Store
else:
    _ROOMS = {
        "Host": "engine.runs.host",
        "Question": "engine.runs.question",
        "RunParams": "engine.search.params",
        "Solution": "engine.runs.solving",
        "Store": "engine.store",
        "asolve": "engine.runs.solving",
        "solve": "engine.runs.solving",
    }

    def __getattr__(name: str) -> object:
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_ROOMS[name]), name)
