// The list itself: runs or comparisons as rows, and what can be done with each.
const { button, element, link, say } =
  await import(new URL("runs_dom.js" + new URL(import.meta.url).search, import.meta.url));

const RUNS = ["", "created", "problem", "strategy", "models", "answer", "tokens", "time", ""];
const COMPARISONS = ["created", "problem", "runs", "samples", "tokens"];

const title = (column) => column && say(`column_${column}`);
const cell = (column, ...children) => element("td", { data: { column } }, ...children);
const ORIGINS = new Set(["import", "example", "fork"]);      // what is said of a run that was no plain search

const small = (...children) => element("div", { className: "runs-small" }, ...children);

/** A table of `rows`; `page` is told what is done with them: `tick`, `edit`, `remove`, `restore`, `filter`. */
export function table(rows, comparisons, page) {
  const names = comparisons ? COMPARISONS : RUNS;
  const head = (name, place) => title(name) || (place ? hidden(say("actions")) : all(rows, page));
  const heads = names.map((name, place) => element("th", { scope: "col" }, head(name, place)));
  const lines = rows.map((row) => (comparisons ? compared(row) : run(row, page)));
  return element("table", {}, element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", { onkeydown: walk }, ...lines));
}

const hidden = (text) => element("span", { className: "runs-hidden" }, text);

/* Ticks and unticks what is on this page. */
function all(rows, page) {
  const ticked = rows.filter((row) => page.ticked.has(row.id)).length;
  return element("input", {
    type: "checkbox", checked: ticked > 0 && ticked === rows.length, indeterminate: ticked > 0 && ticked < rows.length,
    aria: { label: say("tick_all") }, data: { part: "all" },
    onchange: ({ target }) => page.tick(rows, target.checked),
  });
}

function run(row, page) {
  const tick = element("input", {
    type: "checkbox", checked: page.ticked.has(row.id), data: { part: "tick" },
    aria: { label: say("tick", { problem: row.problem }) },
    onchange: ({ target }) => page.tick([row], target.checked),
  });
  const problem = row.deleted ? row.problem : link(row.problem, row.address, { data: { part: "open" } });
  const look = { className: "runs-tag", title: say("tag_says") };
  const kept = row.tags.map((tag) => button(tag, () => page.filter({ tag }), look));
  const origin = ORIGINS.has(row.origin) ? say(`origin_${row.origin}`) : "";
  const beside = row.compared && link(say("compared", { n: row.beside }), row.compared);
  return element("tr", { data: { id: row.id } },
    cell("", tick),
    cell("created", row.when, origin ? small(origin) : "", row.kept ? small(row.kept) : ""),
    cell("problem", element("div", { className: "runs-problem" }, problem),
      kept.length || beside ? small(...kept, beside) : "",
      row.note ? element("div", { className: "runs-note" }, row.note) : ""),
    cell("strategy", row.strategy, small(row.settings)),
    cell("models", row.models, small(row.judge || say("no_judge"))),
    cell("answer", answer(row), outcome(row)),
    tokens(row),
    cell("time", row.time),
    cell("", ...actions(row, page)));
}

/* Where there is no room for heads the number says what it is of. */
const tokens = (row) => element("td", { data: { column: "tokens", unit: say("tokens_unit") } }, row.tokens);

function actions(row, page) {
  const act = (part, does, text = part) => {
    const label = say(`${part}_of`, { problem: row.problem });
    return button(say(text), does, { aria: { label }, data: { part } });
  };
  if (!row.mine) return [];
  if (row.deleted) return [act("restore", () => page.restore([row.id]))];
  const has = row.note || row.tags.length > 0;
  const edit = act("edit", () => page.edit(row), has ? "edit" : "tag_note");
  return row.deletable ? [edit, act("delete", () => page.remove([row.id]))] : [edit];
}

const answer = (row) => (row.answer ? element("b", { className: "runs-answer" }, row.answer) : "");

/* How it came out: a word always, and a sign before those that a colour marks, too. */
function outcome(row) {
  const graded = row.outcome && row.answer ? row.correct : null;
  const sign = graded === true ? "✓ " : graded === false ? "✗ " : "";
  const kind = graded === true ? "ok" : graded === false ? "bad" : "ungraded";
  const live = row.running ? "live" : "";
  return small(
    row.outcome ? element("span", { className: kind }, sign + row.outcome) : "",
    row.status ? element("span", { className: live }, (row.outcome ? ", " : "") + row.status) : "");
}

function compared(row) {
  const problem = row.address ? link(row.problem, row.address, { data: { part: "open" } }) : row.problem;
  const member = (each) => [link(each.title, `./?run=${each.id}`), " ", answer(each), " ", outcome(each)];
  const runs = row.runs.map((each) => element("li", {}, ...member(each)));
  return element("tr", { data: { id: row.id } },
    cell("created", row.when, row.kept ? small(row.kept) : ""),
    cell("problem", element("div", { className: "runs-problem" }, problem)),
    cell("runs", element("ul", { className: "runs-members" }, ...runs), row.gone ? small(row.gone) : ""),
    cell("samples", row.paired),
    tokens(row));
}

/* Up and down go to the same part of the next row. */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target.closest("tr");
  if (!step || !row || event.target.matches("textarea, input:not([type=checkbox])")) return;
  const rows = [...row.parentElement.querySelectorAll("tr[data-id]")];
  const next = rows[rows.indexOf(row) + step];
  const part = event.target.dataset.part ?? "open";
  (next?.querySelector(`[data-part=${part}]`) ?? next?.querySelector("[data-part]"))?.focus();
  event.preventDefault();
}
