/* A run, or runs side by side, opened from a file. Unpacks what the file brings along, mounts the trees as the server's
 * pages do, and shows the step that is selected. Texts become text nodes; only KaTeX, which trusts none, makes more. */
(async () => {
  /* what it says */
  /* the tree */
  const own = document.currentScript;
  const $ = (id) => document.getElementById(id);
  const SHOWN = 40;         // siblings in the detail

  /** An element with attributes (`class`, `data-pick`, ...), and children that are elements or texts. */
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) element.setAttribute(key, value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== ""));
    return element;
  }

  // --- unpacking -----------------------------------------------------------------------------------------------

  async function unpack(id) {
    const bytes = Uint8Array.from(atob($(id).textContent), (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(plain).json();
  }

  const blob = (source) => URL.createObjectURL(new Blob([source], { type: "text/javascript" }));

  /* Before any module is asked for: where each is, by the address that it has on the server. */
  function install(modules) {
    const imports = Object.fromEntries(Object.entries(modules).map(([name, source]) => [`./${name}`, blob(source)]));
    const map = document.createElement("script");
    map.type = "importmap";
    map.nonce = own.nonce;
    map.textContent = JSON.stringify({ imports });
    document.head.append(map);
  }

  /* The tree looks here before it asks the server for plotly.js. */
  async function installPlotly() {
    const source = await unpack("plotly"), script = document.createElement("script");
    const loaded = new Promise((resolve, reject) => Object.assign(script, { onload: resolve, onerror: reject }));
    script.src = blob(source);
    document.head.append(script);
    await loaded;
    const address = new URL(`rte/${$("plotly").dataset.address}`, document.baseURI).href;
    (window.searchTreePlotly ??= {})[address] = Promise.resolve(window.Plotly);
  }

  let katex = null;
  async function installFormulas({ katex: address, sheet }) {
    if (!sheet) return;
    document.head.append(make("style", {}, sheet));
    katex = (await import(new URL(address, document.baseURI))).default;
  }

  const runs = await unpack("story");

  // --- the trees -----------------------------------------------------------------------------------------------

  function mount(run, place) {
    const props = { ...run.props, value: run.lines };
    const box = make("div", { id: `tree-${place}`, class: "tree-box" });
    box.innerHTML = TREE.html(props);           // the component's own template, which no text of a run is in
    $("trees").append(make("section", { class: "run", "aria-label": run.label },
      runs.length > 1 ? runHead(run) : "",
      make("style", {}, `#tree-${place} { ${TREE.css(props)} }`), box));
    const watchers = [];      // what Python would change: here the answer to `ask`
    const answers = {
      select: (detail) => select(place, detail),
      ask: ({ ids }) => {
        props.texts = JSON.stringify({ run: run.id, texts: ids.filter((id) => run.steps[id]).map((id) => [id, sourceOf(run.steps[id])]) });
        for (const [names, heard] of watchers) if ([names].flat().includes("texts")) heard();
      },
    };
    TREE.mount(box, props, (names, heard) => watchers.push([names, heard]), (name, detail) => answers[name]?.(detail));
  }

  /* A step's text as it was written, in one of the spellings of its formulas. */
  function sourceOf(step) {
    return step.text.map((piece) => (typeof piece === "string" ? piece : piece[1] ? `\\[${piece[0]}\\]` : `\\(${piece[0]}\\)`)).join("");
  }

  const badge = (run) => make("b", { class: `badge run-${run.letter.toLowerCase()}` }, run.letter);
  const runHead = (run) => make("div", { class: "run-head" }, badge(run), " ", make("b", {}, run.label), make("div", {}, ...outcomeLine(run)));

  function mark({ outcome, correct }) {
    const [kind, sign] = { true: ["ok", "✓ "], false: ["bad", "✗ "] }[correct] ?? ["ungraded", ""];
    return outcome ? make("b", { class: kind }, sign + outcome) : "";
  }

  function outcomeLine(run) {
    const ended = run.status === "done" ? "" : ` ${say(`run_${run.status}`)}`;
    if (run.answer === null) return [make("b", {}, say("no_answer") + ended)];
    const votes = run.votes ? make("i", {}, run.judge ? run.votes : say("votes", { votes: run.votes })) : "";
    const answer = make("b", { class: "answer" }, run.answer);
    return [...pieces("answer", { answer }), " ", mark(run), " ", votes, ended];
  }

  // --- the selected step ---------------------------------------------------------------------------------------

  /* The steps of a run as a tree: the place in the list is the id. */
  for (const run of runs) {
    run.steps.forEach((step, id) => Object.assign(step, { id, children: [] }));
    for (const step of run.steps) if (step.parent !== null) run.steps[step.parent].children.push(step);
    run.onChosenPath = new Set(run.chosen === null ? [] : pathTo(run, run.steps[run.chosen]));
  }

  function pathTo(run, step) {
    const path = [];
    for (let at = step; at.parent !== null; at = run.steps[at.parent]) path.unshift(at);
    return path;
  }

  const scoreOf = (run, step) => step.scores?.[run.judge] ?? null;

  function select(place, { value: id, linked }) {
    const run = runs[place], step = run.steps[id];
    if (!step) return;
    const isStep = step.parent !== null;
    const siblings = isStep ? run.steps[step.parent].children.filter((other) => other !== step) : [];
    siblings.sort((a, b) => (scoreOf(run, b) ?? -1) - (scoreOf(run, a) ?? -1) || a.id - b.id);
    $("detail").replaceChildren(
      make("div", { class: "head" },
        make("b", {}, runs.length > 1 ? badge(run) : "", " ", isStep ? say("step", { depth: step.depth }) : say("problem")),
        make("span", {}, isStep && run.judge ? pieces("prm", { score: make("b", {}, two(scoreOf(run, step))) }) : "")),
      textOf(step),
      make("ul", { class: "why" }, grounds(run, step).map((line) => make("li", {}, line))),
      make("p", { class: "facts" }, ...(isStep ? stepFacts(step) : runFacts(run))),
      ...scores(run, step), ...critiques(step),
      ...rows(say("path"), pathTo(run, step), place, step),
      ...rows(say("siblings", { n: siblings.length }), siblings.slice(0, SHOWN), place, step),
      siblings.length > SHOWN ? make("p", { class: "facts" }, say("more", { n: siblings.length - SHOWN })) : "",
      ...others(place, linked ?? {}));
  }

  const two = (score) => (score === null ? say("unknown") : score.toFixed(2));

  /* Of a very long text the lines are short, so that a browser lays them out at once. */
  function textOf(step) {
    return make("div", { class: "step-text" }, step.text.map((piece) => (typeof piece === "string" ? piece : formula(...piece))));
  }

  function formula(tex, display) {
    const box = make(display ? "div" : "span", { class: "formula" });
    if (!katex) return make("code", {}, tex);
    try {
      katex.render(tex, box, { displayMode: display, throwOnError: false, trust: false, strict: "ignore", maxExpand: 500, maxSize: 20 });
    } catch {
      box.textContent = tex;
    }
    return box;
  }

  function grounds(run, step) {
    const lines = (step.why ?? []).map(([done, because]) => [make("b", {}, done), because ? `: ${because}` : ""]);
    if (!lines.length && step.parent !== null) lines.push([make("b", {}, say(`status_${step.status}`))]);
    if (run.onChosenPath.has(step) && step.id !== run.chosen) lines.push([make("b", {}, say("on_chosen_path"))]);
    return lines;
  }

  function stepFacts(step) {
    if (step.answer === undefined) return [step.facts];
    return [step.facts, ", ", ...pieces("its_answer", { answer: make("b", {}, step.answer) }), " ", mark(step)];
  }

  function runFacts(run) {
    const settings = run.settings.map(([name, value]) => `${name} ${value}`).join(" · ");
    const known = run.reference === null ? "" : `${say("reference", { answer: run.reference })} `;
    return [`${known}${run.label} · ${settings} · ${say("run", { id: run.id })}`];
  }

  function bar(share) {
    const filled = make("i");
    filled.style.width = `${100 * Math.max(0, Math.min(1, share ?? 0))}%`;
    return make("i", { class: "bar" }, filled);
  }

  function scores(run, step) {
    const judges = Object.entries(step.scores ?? {});
    if (!judges.length) return [];
    const own = (judge) => (judge === run.judge && judges.length > 1 ? ` ${say("decided_on")}` : "");
    return [make("h3", {}, say(judges.length > 1 ? "scores" : "score")), make("table", { class: "scores" }, judges.map(([judge, value]) =>
      make("tr", {}, make("th", { scope: "row" }, judge + own(judge)), make("td", {}, bar(value), ` ${Number(value.toPrecision(4))}`))))];
  }

  function critiques(step) {
    return Object.entries(step.critiques ?? {}).map(([judge, text]) => make("details", { class: "critique" },
      make("summary", {}, say("critique", { judge })), make("pre", {}, text.trim())));
  }

  function rows(title, steps, place, here) {
    if (!steps.length) return [];
    const run = runs[place];
    const judged = (step) => (run.judge ? [make("span", {}, two(scoreOf(run, step))), bar(scoreOf(run, step))] : []);
    return [make("h3", {}, title), ...steps.map((step) => make("button", {
      type: "button", class: `step ${step.status}${step === here ? " here" : ""}${run.judge ? "" : " unjudged"}`,
      "data-pick": step.id, "data-tree": `tree-${place}`, "aria-current": step === here ? "step" : null,
    }, make("b", {}, String(step.depth)), ...judged(step), make("em", {}, lineOf(step))))];
  }

  /* A text on one line: of a formula its source. */
  function lineOf(step) {
    return step.text.map((piece) => (typeof piece === "string" ? piece : piece[0])).join("").slice(0, 400)
      .replace(/\s+/g, " ").replace(/^#+ ?Step \d+[:.]? ?/i, "");
  }

  /* The same step in the other runs. */
  function others(place, linked) {
    return runs.filter((run, at) => at !== place).map((run) => {
      const id = linked[run.id] ?? null, step = run.steps[id];
      if (!step || id === 0) return make("p", { class: "facts" }, badge(run), " ", say(id === 0 ? "the_problem" : "no_such_step"));
      return make("p", {}, badge(run), " ", say("scored", { score: two(scoreOf(run, step)) }), ...grounds(run, step).flatMap((line) => [", ", ...line]));
    });
  }

  document.addEventListener("click", (event) => {
    const pick = event.target.closest?.("[data-pick]");
    if (!pick) return;
    const detail = { id: Number(pick.dataset.pick), tree: pick.dataset.tree };
    window.dispatchEvent(new CustomEvent("st-pick", { detail }));
  });

  // --- answers and cost ----------------------------------------------------------------------------------------

  const table = (heads, body) => make("table", {},
    make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, body));

  function tables(run, place) {
    const answers = run.answers.map((group) => make("tr", {},
      make("td", {}, make("button", { type: "button", class: "link", "data-pick": group.node, "data-tree": `tree-${place}` }, group.answer)),
      ...[mark(group), String(group.votes), group.weight, group.best].map((cell) => make("td", {}, cell))));
    const cost = run.cost.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)));
    return make("section", { class: "tables" },
      make("h2", {}, runs.length > 1 ? [badge(run), ` ${run.label}`] : say("answers_and_cost")),
      answers.length ? table(["answer", "outcome", "votes", "weight", "best"].map((name) => say(`column_${name}`)), answers)
        : make("p", { class: "facts" }, say("none_finished")),
      make("table", { class: "cost" }, make("tbody", {}, cost)));
  }

  // --- the page ------------------------------------------------------------------------------------------------

  function mode(dark) {
    document.body.classList.toggle("dark", dark);
    $("dark").setAttribute("aria-pressed", String(dark));
  }
  $("dark").addEventListener("click", () => mode(!document.body.classList.contains("dark")));
  mode(window.matchMedia("(prefers-color-scheme: dark)").matches);

  const first = runs[0];
  document.body.classList.toggle("several", runs.length > 1);
  $("problem").textContent = first.problem;
  $("told").append(...(runs.length > 1 ? [say("several", { n: runs.length })] : [...outcomeLine(first), ` · ${first.label}`]),
    ` · ${first.judge ? say("judged", { policy: first.policy, judge: first.judge }) : first.policy} · ${first.created} UTC`);
  $("detail").append(make("p", { class: "facts" }, say("hint")));
  $("tables").append(...runs.map(tables));
  const parts = await unpack("parts");
  install(parts.modules);
  await Promise.all([installPlotly(), installFormulas(parts)]);
  runs.forEach(mount);
})().catch((error) => {
  document.getElementById("failed").hidden = false;
  throw error;
});
