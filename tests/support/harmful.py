"""A run whose texts mean harm: what shows it must show them letter by letter."""

from __future__ import annotations

from engine.search.events import Decision, Event, Grade, ModelInfo, RunFinished, RunStarted, StepSampled, StepScored

HARM = [
    "${alert(1)}",
    "{{7*7}}",
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "$<img src=x onerror=window.hacked=1>$",
    "\\(\\href{javascript:alert(1)}{x}\\)",
    "$\\htmlData{x=1}{y}\\includegraphics{http://127.0.0.1:9/x.png}$",
    "[x](javascript:alert(1))",
    "![x](http://127.0.0.1:9/x.png)",
    "<a href=javascript:alert(1)>x</a>",
    "## no heading\n- no list\n> no quote\n\n    no code",
    "$5 and $6",
    "$x^2$ is maths",
    "\\boxed{42}",
    "&lt;b&gt; &amp;",
    "`code` **bold** _it_ ~~no~~ | a | b |",
]
POLICY = ModelInfo("<b>policy</b>", 520_000, 512)
SCORER = ModelInfo("<i>prm</i>", 1_000_000, 512)
PARAMS = {"n": 4, "width": 2, "select": "prm_last_vote", "temperature": 0.8, "seed": 0}


def harmful_run(run_id: str) -> list[Event]:
    """A first step of every harmful text, each also an answer; the third is chosen."""
    problem = "\n".join(HARM)
    log: list[Event] = [
        RunStarted(run_id, "2026-01-02T03:04:05.678Z", problem, HARM[2], "beam_search", PARAMS, POLICY, SCORER)
    ]
    seq = 0
    for node, text in enumerate(HARM, start=1):
        log.append(StepSampled(seq + 1, node, 0, 1, text, None, 5, -1.5, "eos", answer=text))
        log.append(StepScored(seq + 2, node, SCORER.name, 0.5))
        log.append(Decision(seq + 3, node, "finish", "eos"))
        seq += 3
    log.append(Decision(seq + 1, 3, "choose", "rule", {"weight": 0.5, "votes": 1, "of": len(HARM), "score": 0.5}))
    grades = {text: Grade(text, text == HARM[2], "exact") for text in HARM}
    return [*log, RunFinished("done", None, HARM[2], True, "exact", None, grades)]
