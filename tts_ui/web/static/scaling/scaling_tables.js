// The tables of the page: points, a point's problems, two points compared, published numbers.
// Texts are written as text.

const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ button, element }, { number, pieces, say }] = await Promise.all(["dom.js", "words_scaling.js"].map(part));

const COLUMNS = ["n", "accuracy", "problems", "tokens", "flops_policy", "flops_all", "seconds"];

const head = (names) =>
  element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))));

/** Every point of the figure; `page` is told which one is opened (`open`) or ticked (`tick`). */
export function pointsTable(rows, page) {
  const lines = rows.map((row) => {
    const tick = element("input", {
      type: "checkbox", checked: page.ticked.includes(row.id),
      onchange: ({ target }) => page.tick(row.id, target.checked),
      aria: { label: say("compare_at", { line: row.line, budget: String(row.n) }) },
    });
    const open = button(row.line, () => page.open(row.id), { className: "link", title: say("open_says") });
    const cells = COLUMNS.map((name) => element("td", { data: { column: name } }, cell(name, row)));
    const name = element("th", { scope: "row" }, open);
    return element("tr", { data: { point: row.id } }, element("td", {}, tick), name, ...cells);
  });
  const names = ["compare", "line", ...COLUMNS].map((name) => say(`point_${name}`));
  return element("table", {}, head(names), element("tbody", {}, ...lines));
}

const cell = (name, row) =>
  (name === "problems" && row.seeds > 1
    ? say("seeds_each", { n: row.seeds, problems: String(row.problems) }) : String(row[name]));

/** A point's problems: right or wrong, and a way to each tree. */
export function problemsOf(point, close) {
  const shown = element("ol", {}, ...point.rows.map(problem));
  const choice = element("select", {
    onchange: ({ target }) => {
      for (const [at, item] of [...shown.children].entries()) {
        item.hidden = target.value !== "" && (target.value === "right") !== isRight(point.rows[at]);
      }
    },
  }, new Option(say("all"), ""), new Option(say("wrong"), "wrong"), new Option(say("right"), "right"));
  const filter = element("label", {}, ...pieces("show", { choice }));
  const more = point.total > point.rows.length ? element("p", { className: "hint" },
    say("first_of", { first: point.rows.length, n: point.total })) : "";
  return [
    element("div", { className: "scaling-head" }, element("h2", {}, point.title), button(say("close"), close)),
    element("p", { className: "hint" },
      `${point.facts}. ${say("accuracy_of", { percent: String(point.accuracy), n: point.total })} `, filter),
    element("div", { className: "scaling-scroll", tabIndex: 0, role: "region", aria: { label: say("problems") } }, shown),
    more,
  ];
}

const isRight = (row) => row.runs.every((run) => run.right === 1);

function problem(row) {
  const [first, ...others] = row.runs;
  const marked = element("span", { className: isRight(row) ? "ok" : "bad" }, row.outcome);
  const seed = (run) => element("a", { href: run.address }, `${run.seed} ${say(run.right === 1 ? "right" : "wrong")}`);
  const seeds = others.length
    ? element("span", { className: "hint" }, ` ${say("by_seed")} `, ...row.runs.flatMap((run) => [seed(run), " "])) : "";
  return element("li", {}, marked, " ", element("a", { href: first.address }, row.problem), seeds);
}

/** Two points compared, in sentences. */
export function comparedText(said, clear) {
  const [first, second] = said.titles;
  return [
    element("div", { className: "scaling-head" },
      element("h2", {}, say("against", { first, second })), button(say("clear"), clear)),
    ...said.lines.map((line) => element("p", {}, line)),
  ];
}

/** How many problems of each measured bin were guessed to be in which. */
export function guessesTables({ guesses = [], error }) {
  if (error || !guesses.length) return [element("p", { className: "hint" }, error ?? say("no_guesses"))];
  return [element("p", { className: "hint" }, say("guesses_say")), ...guesses.flatMap(({ title, bins, counts, lines }) => {
    const rows = counts.map((row, at) => element("tr", {}, element("th", { scope: "row" }, bins[at]),
      ...row.map((count) => element("td", {}, number(count)))));
    const table = element("table", { className: "scaling-confusion" }, element("caption", {}, title),
      head([say("measured"), ...bins.map((bin) => say("guessed", { bin }))]), element("tbody", {}, ...rows));
    const label = say("guesses_of", { title });
    return [element("div", { className: "scaling-wide", tabIndex: 0, role: "region", aria: { label } }, table),
      ...lines.map((line) => element("p", {}, line))];
  })];
}

/** Published numbers, which are nobody's runs here. */
export function publishedTable(rows) {
  if (!rows.length) return [];
  const lines = rows.map((row) => element("tr", {}, element("th", { scope: "row" }, row.model),
    element("td", {}, row.method), element("td", {}, row.accuracy), element("td", {}, say("published_table", { table: row.table }))));
  const names = ["model", "method", "accuracy", "from"].map((name) => say(`published_${name}`));
  return [element("details", {},
    element("summary", {}, say("published", { n: rows.length })),
    element("p", { className: "hint" }, say("published_says")),
    element("div", { className: "scaling-wide", tabIndex: 0, role: "region", aria: { label: say("published_numbers") } },
      element("table", {}, head(names), element("tbody", {}, ...lines))))];
}

/** All sweeps; `page.openSweep` opens one. */
export function sweepsTable(sweeps, current, page) {
  const names = ["name", "problems", "cells", "state", "done", "started", "runs"];
  const lines = sweeps.map((sweep) => element("tr", { data: { sweep: sweep.id } },
    element("th", { scope: "row" }, button(sweep.name, () => page.openSweep(sweep.id), {
      className: "link", aria: { current: String(sweep.id === current) },
    })),
    element("td", {}, say("problems_of", { problems: String(sweep.problems), set: sweep.set })), element("td", {}, sweep.cells),
    element("td", {}, sweep.state),
    element("td", {}, say("done_of", { done: sweep.done, planned: sweep.planned })),
    element("td", {}, sweep.when),
    element("td", {}, element("a", { href: `./runs?sweep=${encodeURIComponent(sweep.id)}` }, say("its_runs")))));
  return element("table", {}, head(names.map((name) => say(`sweep_${name}`))), element("tbody", {}, ...lines));
}
