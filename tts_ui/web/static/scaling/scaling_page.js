// The Scaling page: what its address asks for is asked of the server and shown; every choice is a new address.
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask: askServer, button, element }, { loadPlotly }, { Plot }, tables, { Starting }, { pieces, say }] =
  await Promise.all([
    "dom.js", "plotly_script.js", "scaling_figure.js", "scaling_tables.js", "scaling_start.js", "words_scaling.js",
  ].map(part));

const FIELDS = ["sweep", "x", "by", "policy", "scorer", "strategy", "bin", "rule", "n", "envelope", "marks", "problems",
  "published"];
const ASKED = [...FIELDS, "point", "compare"];
const HEIGHT = 440, HEIGHT_BARS = 340;
const COMMAND = "tts-ui sweep --problems builtin-1000 --limit 60 --strategies best_of_n,beam_search,dvts --n 4,16";

export async function mountScaling(root, plotlyUrl) {
  const page = new ScalingPage(root, await loadPlotly(plotlyUrl));
  window.addEventListener("popstate", () => page.load());
  await page.load();
}

class ScalingPage {
  constructor(root, Plotly) {
    this.root = root;
    this.form = root.querySelector("form");
    this.curves = new Plot(Plotly, this.part("curves"), HEIGHT, (id) => this.open(id));
    this.bars = new Plot(Plotly, this.part("bars"), HEIGHT_BARS, (id) => this.open(id));
    this.form.onsubmit = (event) => event.preventDefault();
    root.addEventListener("change", ({ target }) => {
      if (target.form !== this.form || !FIELDS.includes(target.name)) return;      // a new sweep has an n, too
      const filter = { by: { [target.value]: "" } }[target.name] ?? {};     // what is a line of its own is not filtered
      if (target.name === "sweep") this.openSweep(target.value);
      else this.go({ point: "", compare: "", ...filter, [target.name]: target.value });
    });
    this.folds("all", "list");
    this.folds("new", "start");
    this.starting = new Starting(this);
    this.part("guesses").ontoggle = () => this.guess();
  }

  /* The form of a new sweep has names of its own. */
  part(name) { return this.root.querySelector(`.scaling-${name}`); }
  get asked() { return new URL(window.location.href).searchParams; }
  get ticked() { return (this.asked.get("compare") ?? "").split(",").filter(Boolean); }

  get query() {
    const given = ASKED.filter((name) => this.asked.get(name));
    return new URLSearchParams(given.map((name) => [name, this.asked.get(name)]));
  }

  folds(opener, name) {
    this.part(opener).onclick = ({ target }) => {
      const box = this.part(name);
      box.hidden = !box.hidden;
      target.setAttribute("aria-expanded", String(!box.hidden));
    };
  }

  /* Another address, and what it asks for. */
  go(changes) {
    const url = new URL(window.location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href === window.location.href) return null;
    window.history.pushState(null, "", url);
    return this.load();
  }

  open(id) { return this.go({ point: id }); }

  /* Another sweep has other models and strategies: nothing is asked of it yet. */
  openSweep(sweep) { return this.go({ ...Object.fromEntries(ASKED.map((name) => [name, ""])), sweep }); }

  tick(id, on) {
    const others = this.ticked.filter((each) => each !== id);
    return this.go({ compare: (on ? [...others, id].slice(-2) : others).join(",") });
  }

  async load() {
    this.loading?.abort();
    const { signal } = (this.loading = new AbortController());
    this.root.setAttribute("aria-busy", "true");
    try {
      await this.show(await askServer(`scaling?${this.query}`, { signal }));
      this.part("error").replaceChildren();
    } catch (error) {
      if (signal.aborted) return;
      this.refuse(error);
    }
    this.root.setAttribute("aria-busy", "false");
  }

  refuse(error) {
    const field = this.form.elements[error.argument];
    const named = field ? `${field.closest("label").firstChild.textContent}: ` : "";
    const again = element("a", { href: window.location.pathname }, say("anew"));
    this.part("error").replaceChildren(`${named}${error.message} `, again);
  }

  async show(told) {
    this.told = told;
    this.fill("sweep", told.sweeps.map((sweep) => [sweep.id, sweep.name]), told.sweep);
    this.part("list").replaceChildren(tables.sweepsTable(told.sweeps, told.sweep, this));
    for (const name of ["which", "all"]) this.part(name).hidden = !told.sweeps.length;
    const empty = !told.figure, current = told.sweeps.find((sweep) => sweep.id === told.sweep);
    this.part("empty").replaceChildren(...(empty ? this.nothing(current) : []));
    for (const name of ["shown", "asked"]) this.part(name).hidden = empty;
    this.part("bar").hidden = !told.sweeps.length && !told.may_start;
    this.part("new").hidden = !told.may_start;
    if (told.form) this.starting.offer(told.form, !told.sweeps.length);
    document.title = current ? say("title_of", { sweep: current.name }) : say("title");
    this.part("exports").replaceChildren(...(empty ? [] : this.exports(current)));
    if (empty) return;
    for (const [name, choices] of Object.entries(told.choices)) this.fill(name, choices, told.asked[name] ?? "");
    this.part("notes").replaceChildren(...told.notes.map((note) => element("p", {}, note)));
    this.part("ties").textContent = told.ties;
    this.guess();
    this.part("table").replaceChildren(tables.pointsTable(told.rows, this));
    this.part("published").replaceChildren(...tables.publishedTable(told.published));
    this.part("compared").replaceChildren(
      ...(told.compared ? tables.comparedText(told.compared, () => this.go({ compare: "" })) : []));
    const panel = this.part("point");
    panel.hidden = !told.point;
    panel.replaceChildren(...(told.point ? tables.problemsOf(told.point, () => this.go({ point: "" })) : []));
    for (const row of this.root.querySelectorAll("[data-point]")) {
      row.classList.toggle("here", row.dataset.point === told.point?.id);
    }
    this.part("difficulty").hidden = !told.bars;
    this.part("curves").setAttribute("role", "img");
    this.part("curves").setAttribute("aria-label", say("curves"));
    await this.curves.show(told.figure, told.palettes);
    if (told.bars) await this.bars.show(told.bars, told.palettes);
  }

  /* How well difficulty is guessed: asked for while it is unfolded. */
  async guess() {
    const box = this.part("guesses"), query = String(this.query);
    if (!box.open) return;
    const told = await askServer(`scaling/guesses?${query}`).catch((error) => ({ error: error.message }));
    if (query === String(this.query)) box.lastElementChild.replaceChildren(...tables.guessesTables(told));
  }

  fill(name, choices, value) {
    const field = this.form.elements[name];
    field.replaceChildren(...choices.map(([each, text]) => new Option(text, each)));
    field.value = value;
  }

  nothing(current) {
    if (current) return [element("p", {}, say("soon"))];
    return [
      element("h2", {}, say("no_sweep")),
      element("p", {}, say("no_sweep_says")),
      element("p", {}, ...pieces("command_line", { command: element("code", {}, COMMAND) })),
    ];
  }

  exports(current) {
    const file = (name, text, title) => element("a", {
      href: new URL(`rte/scaling/${name}${window.location.search}`, document.baseURI).href, download: "", title,
    }, text);
    return [
      file("points.csv", "CSV", say("csv_says")),
      button("PNG", () => this.curves.save(`scaling-${current.name.replace(/[^\w-]+/g, "-")}`),
        { title: say("png_says") }),
      file("figure.html", "HTML", say("html_says")),
    ];
  }
}
