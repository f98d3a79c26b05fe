// The Runs page: what its address asks for is asked of the server and shown; every choice is a new address.
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask, button, element, link, pieces, say }, { table }, { editor }, { listenForFiles }] =
  await Promise.all(["runs_dom.js", "runs_table.js", "runs_editor.js", "runs_file.js"].map(part));

const FIELDS = ["q", "strategy", "models", "judge", "outcome", "origin", "tag", "sweep", "since", "until", "sort"];
const TYPING_MS = 250;      // without another key, before a typed text is searched for
const AGAIN_MS = 3000;      // between two looks at a list with runs that are still searched
const MOST = 4;             // runs that can be compared

export function mountRuns(root) {
  const page = new RunsPage(root);
  window.addEventListener("popstate", () => page.load());
  if (root.dataset.files === "yes") listenForFiles(root, () => Promise.all([page.load(), page.offer()]));
  page.load();
  page.offer();
}

class RunsPage {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("form");
    this.ticked = new Map();        // rows by id, on whichever page they are
    this.loading = null;
    this.form.onsubmit = (event) => { event.preventDefault(); this.typed(); };
    this.form.oninput = ({ target }) => {
      clearTimeout(this.timer);
      this.timer = null;
      if (target.name === "q") this.timer = setTimeout(() => this.typed(), TYPING_MS);
      else this.go({ [target.name]: target.value, page: "" });
    };
    this.part("clear").onclick = () => this.go(Object.fromEntries([...FIELDS, "page"].map((name) => [name, ""])));
    this.part("unfold").onclick = ({ target }) => {
      target.setAttribute("aria-expanded", String(this.form.classList.toggle("runs-unfolded")));
    };
    root.querySelector(".runs-kinds").onclick = ({ target }) => {
      if (target.dataset.kind !== undefined) this.go({ kind: target.dataset.kind, page: "" });
    };
  }

  part(name) { return this.root.querySelector(`.runs-${name}`); }
  get asked() { return new URL(window.location.href).searchParams; }
  get comparisons() { return this.asked.get("kind") === "comparisons"; }

  /* Another address, and what it asks for. Typing makes no entry of the history for each letter. */
  go(changes, typing = false) {
    const url = new URL(window.location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href === window.location.href) return;
    window.history[typing ? "replaceState" : "pushState"](null, "", url);
    this.load();
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = null;
    this.go({ q: this.form.elements.q.value.trim(), page: "" }, true);
  }

  filter(changes) { this.go({ ...changes, page: "" }); }

  async load() {
    this.loading?.abort();
    clearTimeout(this.again);
    const { signal } = (this.loading = new AbortController());
    this.fill();
    this.root.setAttribute("aria-busy", "true");
    try {
      const asked = new URLSearchParams([...FIELDS, "kind", "page"].map((name) => [name, this.asked.get(name) ?? ""]));
      this.show(await ask(`?${asked}`, { signal }));
      this.part("error").replaceChildren();
    } catch (error) {
      if (signal.aborted) return;
      this.refuse(error);
    }
    this.root.setAttribute("aria-busy", "false");
  }

  /* The form as the address has it; a value that is not offered (yet) is offered all the same. */
  fill() {
    for (const name of FIELDS) {
      const field = this.form.elements[name], value = this.asked.get(name) ?? "";
      const offered = field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value);
      if (!offered) field.add(new Option(value, value));
      const typing = name === "q" && this.timer;
      if (!typing && field.value.trim() !== value) field.value = value;
      field.removeAttribute("aria-invalid");
    }
    const { sweep } = this.form.elements;
    sweep.parentElement.hidden = sweep.options.length < 2;
    this.part("clear").hidden = !FIELDS.some((name) => name !== "sort" && this.asked.get(name));
    for (const choice of this.root.querySelectorAll("[data-kind][aria-pressed]")) {
      choice.setAttribute("aria-pressed", String(choice.dataset.kind === (this.comparisons ? "comparisons" : "")));
    }
    for (const option of this.form.elements.sort.options) {
      option.hidden = this.comparisons && !["", "oldest"].includes(option.value);
    }
  }

  /* What there is to filter by. */
  async offer() {
    const offered = await ask("/choices").catch(() => ({}));
    for (const [name, choices] of Object.entries(offered)) {
      const field = this.form.elements[name];
      field.replaceChildren(field.options[0], ...choices.map(([value, text]) => new Option(text, value)));
    }
    this.fill();
  }

  refuse(error) {
    const field = this.form.elements[error.argument];
    field?.setAttribute("aria-invalid", "true");
    const named = field ? `${field.closest("label").firstChild.textContent}: ` : "";
    this.part("error").replaceChildren(named + error.message);
  }

  show({ rows, total, page, pages }) {
    const focused = document.activeElement, what = focused?.dataset?.part;
    const row = focused?.closest("[data-id]")?.dataset.id;
    this.rows = rows;
    const listed = this.comparisons ? "comparisons" : "runs", text = this.asked.get("q");
    document.title = say(text ? `title_${listed}_with` : `title_${listed}`, { text });
    this.part("count").textContent = say(listed, { n: total });
    this.part("list").replaceChildren(rows.length ? table(rows, this.comparisons, this) : this.nothing());
    if (rows.length && rows.every((each) => each.origin === "example") && this.part("clear").hidden) {
      const told = element("p", { className: "hint" }, say("examples"), " ", ...this.advice());
      this.part("list").append(told);
    }
    this.pages(page, pages);
    this.bar();
    if (row && what) this.root.querySelector(`[data-id="${CSS.escape(row)}"] [data-part=${what}]`)?.focus();
    if (rows.some((each) => each.running)) this.again = setTimeout(() => this.refresh(), AGAIN_MS);
  }

  refresh() {
    if (!document.hidden && !this.root.querySelector(".runs-editor")) this.load();
    else this.again = setTimeout(() => this.refresh(), AGAIN_MS);
  }

  advice() {
    const solve = link(say("solve"), "./"), compare = link(say("compare_strategies"), "./compare");
    return pieces(this.root.dataset.files === "yes" ? "advice_files" : "advice", { solve, compare });
  }

  /* The empty list says what to do. */
  nothing() {
    const listed = this.comparisons ? "comparisons" : "runs";
    if (this.part("clear").hidden) {
      return element("p", { className: "hint" }, say(`no_${listed}`), " ", ...this.advice());
    }
    const clear = button(say("clear"), () => this.part("clear").click(), { className: "link" });
    return element("p", { className: "hint" }, say(`no_${listed}_match`), " ", clear);
  }

  pages(page, pages) {
    const open = (target) => this.go({ page: target > 1 ? String(target) : "" });
    const to = (text, target, can) => button(text, () => open(target), { disabled: !can });
    const number = element("input", {
      type: "number", min: 1, max: pages, value: page, aria: { label: say("page_number") },
      onchange: ({ target }) => open(Math.min(pages, Math.max(1, Math.trunc(target.value) || 1))),
    });
    const here = element("label", {}, ...pieces("page", { number, pages }));
    const all = [to(say("first"), 1, page > 1), to(say("previous"), page - 1, page > 1), here,
      to(say("next"), page + 1, page < pages), to(say("last"), pages, page < pages)];
    this.part("pages").replaceChildren(...(pages > 1 ? all : []));
  }

  tick(rows, on) {
    for (const row of rows) on ? this.ticked.set(row.id, row) : this.ticked.delete(row.id);
    for (const box of this.root.querySelectorAll("[data-id] [data-part=tick]")) {
      box.checked = this.ticked.has(box.closest("tr").dataset.id);
    }
    const here = this.rows.filter((row) => this.ticked.has(row.id)).length, of = this.rows.length;
    const all = this.root.querySelector("[data-part=all]");
    if (all) Object.assign(all, { checked: here > 0 && here === of, indeterminate: here > 0 && here < of });
    this.bar();
  }

  /* What can be done with the ticked runs, and why not, where it cannot. */
  bar() {
    const rows = [...this.ticked.values()], ids = rows.map((row) => row.id), deleted = rows.some((row) => row.deleted);
    const can = rows.length >= 2 && rows.length <= MOST && !deleted;
    const why = say(deleted ? "deleted_not_compared" : "tick_to_compare");
    const compare = can ? link(say("compare"), `./compare?runs=${ids.join(",")}`, { className: "runs-compare" })
      : element("span", { className: "runs-small" }, why);
    const different = can && new Set(rows.map((row) => row.problem)).size > 1;
    const bar = this.part("ticked");
    bar.hidden = rows.length === 0 || this.comparisons;
    bar.replaceChildren(
      element("b", {}, say("ticked", { n: rows.length })), compare,
      different ? element("span", { className: "runs-small" }, say("not_the_same")) : "",
      rows.every((row) => row.deletable) ? button(say("delete_all", { n: rows.length }), () => this.remove(ids)) : "",
      button(say("untick"), () => this.tick(rows, false)));
  }

  edit(row) {
    const line = this.root.querySelector(`[data-id="${CSS.escape(row.id)}"]`);
    editor(line, row, (tags, note) => this.change({ do: "describe", runs: [row.id], tags, note }), () => this.offer());
  }

  change(what) {
    const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) };
    return ask("/change", options).then(async (said) => { await this.load(); return said; });
  }

  async remove(ids) {
    try {
      const { changed } = await this.change({ do: "delete", runs: ids });
      for (const id of ids) this.ticked.delete(id);
      this.bar();
      const undo = button(say("undo"), () => this.restore(changed));
      this.part("says").replaceChildren(say("deleted", { n: changed.length }), " ", undo, " ",
        element("span", { className: "runs-small" }, say("deleted_says")));
      undo.focus();
    } catch (error) { this.refuse(error); }
  }

  async restore(ids) {
    try {
      const { changed } = await this.change({ do: "restore", runs: ids });
      this.part("says").replaceChildren(say("brought_back", { n: changed.length }));
      this.root.querySelector(`[data-id="${CSS.escape(ids[0])}"] [data-part]`)?.focus();
    } catch (error) { this.refuse(error); }
  }
}
