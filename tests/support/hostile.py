"""A thousand texts that a model could write and that mean harm: to a page, to a terminal, to what lays texts out.

Whatever of them is obeyed sets `window.hacked`, opens a dialog, asks an address for something or steers the terminal.
"""

from __future__ import annotations

import random
from itertools import product

#: Each would do something where it is taken for what it looks like.
PAYLOADS = (
    "<script>window.hacked=1</script>", "<img src=x onerror=window.hacked=1>", "<svg onload=window.hacked=1>",
    "<svg><script>window.hacked=1</script></svg>", "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<iframe src=javascript:parent.hacked=1></iframe>", "<body onload=window.hacked=1>",
    "<details open ontoggle=window.hacked=1>x</details>", "<input autofocus onfocus=window.hacked=1>",
    "<video><source onerror=window.hacked=1></video>", "<math><mi//xlink:href='javascript:window.hacked=1'>x</math>",
    "<a href=javascript:window.hacked=1>x</a>", "<form action=javascript:window.hacked=1><button>x</button></form>",
    "<object data=javascript:window.hacked=1></object>", "<embed src=javascript:window.hacked=1>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css>", "<style>*{background:url(http://127.0.0.1:9/x)}</style>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>", "<base href=http://127.0.0.1:9/>",
    "<p style='position:fixed;inset:0;z-index:9999;background:url(http://127.0.0.1:9/y)'>x</p>",
    "</script><script>window.hacked=1</script>", "</title></style></textarea><script>window.hacked=1</script>",
    "<!--<script>window.hacked=1</script>-->", "<![CDATA[<script>window.hacked=1</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=window.hacked=1>'>", 
    "<template><img src=x onerror=window.hacked=1>",
    "' onmouseover='window.hacked=1", '" onfocus="window.hacked=1" autofocus="', "` onload=window.hacked=1 `",
    "javascript:window.hacked=1", "data:text/html,<script>window.hacked=1</script>", "[x](javascript:window.hacked=1)",
    "![x](http://127.0.0.1:9/x.png)", "[x]: http://127.0.0.1:9/ 'x'\n[x]", "<http://127.0.0.1:9/>",
    "\\(\\href{javascript:window.hacked=1}{x}\\)", "$\\url{javascript:window.hacked=1}$",
    "$\\htmlStyle{background:url(http://127.0.0.1:9/z)}{x}$", "$\\htmlData{x=1}{y}$", "\\[\\htmlId{tree}{x}\\]",
    "$\\includegraphics{http://127.0.0.1:9/x.png}$", "$\\class{st-plot}{x}$", "$\\def\\x{\\x\\x}\\x$",
    "$\\newcommand{\\x}[1]{\\x{#1#1}}\\x{y}$", "$" + "\\frac{1}{" * 300 + "$", "$x" + "^{x" * 400 + "$",
    "$\\rule{99999em}{99999em}$", "$\\kern{-99999em}x$", "%{customdata[0]}<br><extra></extra>%{x:.2f}",
    "%{meta}<a href='javascript:window.hacked=1'>x</a>", "{{constructor.constructor('window.hacked=1')()}}",
    "${window.hacked=1}", "#{window.hacked=1}", "<%= window.hacked=1 %>", "__proto__", '{"__proto__":{"hacked":1}}',
    '"],"__type__":"update","visible":false,"x":["', '"}\n["n",1,1,0,"x"]\n{"t":"end"}',
    "\\u003cscript\\u003ewindow.hacked=1",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;", "&#60;img src=x onerror=window.hacked=1&#62;",
    "\x1b[2J\x1b[H\x1b[31mred", "\x1b]0;title\x07\x1b]52;c;aGFja2Vk\x07",
    "\x1b]8;;http://127.0.0.1:9/\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m\x9d0;x\x9c", "\x1bP+q544e\x1b\\\x1b[6n\x1b[c", "\r\x1b[Koverwritten\x08\x08\x08", "\x07\x0e\x0f\x7f\x85",
    "\u202egnp.exe\u2066\u2067\u2069\u200f\u061c", "\ufeff\u200b\u2028\u2029\u00ad", "Z\u0351\u0321\u0489" * 200,
    "a\u0300" * 2_000, "\0\x01\x02", "\ud800\udfff \udc00", "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 100,
    "[bold red]rich[/bold red] [link=http://127.0.0.1:9/]x[/link] [/]", "[@click=app.bell]x[/]", ":bomb: \\[bold]",
    "%s%n%x {0.__class__} {}", "../../../etc/passwd\n/etc/shadow", "'; DROP TABLE runs; --",
    "$(touch hacked) `touch hacked`",
    "=HYPERLINK(\"http://127.0.0.1:9/\")", "@SUM(1+1)*cmd|' /C calc'!A0", "w" * 50_000, "\n" * 3_000, "\t" * 3_000,
    "> " * 500, "- " * 500 + "x", "`" * 999, "*_" * 800, "| a " * 500, "[" * 999 + "x" + "](" * 999, "<b>" * 2_000,
    "((((" * 500, "1" * 5_000, "$" * 501, "\\begin{matrix}" * 100, "\\(" * 300, "#" * 300,
)  # fmt: skip
#: Where it stands.
AROUND = (
    "{}", "${}$", "\\({}\\)", "$$\n{}\n$$", "`{}`", "```html\n{}\n```", "**{}**", "# {}", "| a | {} |\n|---|---|",
    "$\\text{{{}}}$", "Step 1: {}", '"{}"', "'{}'", "<b>{}</b>", "\\boxed{{{}}}", "{}\n- {}\n> {}", "</pre>{}", "]]>{}",
)  # fmt: skip


def hostile_texts(count: int = 1_000) -> list[str]:
    """So many different ones, always the same and in the same order; the first are a mixture of all kinds."""
    pairs = list(product(PAYLOADS, AROUND))
    random.Random(0).shuffle(pairs)
    texts = dict.fromkeys(around.format(*[payload] * 3) for payload, around in pairs)
    assert len(texts) >= count
    return list(texts)[:count]


def hostile_records(texts: list[str], a_run: int = 50) -> list[dict[str, object]]:
    """Problems with completions, as an importer reads them: every text is a problem, a step or an answer."""
    records: list[dict[str, object]] = []
    for start in range(0, len(texts), a_run):
        mine = texts[start : start + a_run]
        completions = [f"{text}\n\n{text} again.\n\nThe answer is \\boxed{{{text[:60]}}}" for text in mine]
        scores = [[0.5]] * len(completions)
        records.append({
            "problem": f"{mine[0]} {start}", "answer": mine[-1][:200], "completions": completions,
            "model": mine[1][:150], "prm": mine[2][:150], "agg_scores": [0.5] * len(scores),
        })  # fmt: skip
    return records
