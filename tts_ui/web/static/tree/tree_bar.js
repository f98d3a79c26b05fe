/* The row above the tree: which view, which colour, where to go, what is folded and what is looked for. It holds no
 * state of its own: what it shows is read from the view after each drawing. */

const own = new URL(import.meta.url).search;
const [{ JUMPS, STATUSES }, { judgesOf, rampCss, scalesFor }, { sourceName }, { say }] = await Promise.all(
  ["tree_filter.js", "tree_colours.js", "tree_words.js", "words_tree.js"].map(
    (name) => import(new URL(name + own, import.meta.url)),
  ),
);

/* The scales on which two judges are compared. */
const COMPARED = new Set(["gap", "rankgap"]);

export class TreeBar {
  constructor(view) {
    Object.assign(this, { view, root: view.root, offered: "" });
    const at = (name) => this.root.querySelector(`.st-${name}`);
    Object.assign(this, {
      colour: at("colour"),
      judge: at("judge"),
      against: at("against"),
      jump: at("jump"),
      truth: at("truth"),
      find: at("find"),
      filter: at("filter"),
      note: at("note"),
      whole: at("whole"),
      group: at("group"),
      all: at("all"),
      texts: at("texts"),
      found: at("found"),
      views: [...this.root.querySelectorAll("[data-view]")],
    });
    for (const button of this.views) button.addEventListener("click", () => view.setMode(button.dataset.view));
    this.colour.addEventListener("change", () => view.setColour(this.colour.value));
    this.judge.addEventListener("change", () => view.setJudges(this.judge.value, this.against.value));
    this.against.addEventListener("change", () => view.setJudges(this.judge.value, this.against.value));
    this.jump.append(...JUMPS.map(({ id, name, key }) => new Option(say("jump_option", { name, key }), id)));
    this.jump.addEventListener("change", () => {
      view.jump(this.jump.value);
      this.jump.value = "";
    });
    this.truth.addEventListener("change", () => view.setSource(this.truth.value));
    this.texts.addEventListener("click", () => view.toggleTexts());
    this.group.addEventListener("click", () => view.toggleGroups());
    this.all.addEventListener("click", () => view.unfoldAll());
    this.whole.addEventListener("click", () => {
      view.fold.root = 0;
      view.fit();
    });
    this.find.addEventListener("click", () => this.openFilter(this.filter.hidden));
    this.filter.elements.status.append(...STATUSES.map((status) => new Option(say(`status_${status}`), status)));
    this.filter.addEventListener("input", () => view.setFilter(this.fields()));
    this.filter.addEventListener("submit", (event) => event.preventDefault());
    this.filter.addEventListener("keydown", (event) => this.onFilterKey(event));
    at("next").addEventListener("click", () => view.nextFound(1));
    at("before").addEventListener("click", () => view.nextFound(-1));
  }

  onFilterKey(event) {
    if (event.key === "Escape") this.openFilter(false);
    else if (event.key === "Enter" && event.target.matches("input")) this.view.nextFound(event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  fields() {
    return Object.fromEntries(
      ["text", "status", "answer", "from", "to", "depth"].map((name) => [name, this.filter.elements[name].value]),
    );
  }

  openFilter(open) {
    this.filter.hidden = !open;
    this.find.setAttribute("aria-expanded", String(open));
    if (open) this.filter.elements.text.focus();
    else {
      this.filter.reset();
      this.view.setFilter({});
      this.view.focusView();
    }
  }

  /** Shows what the view is like now. */
  show() {
    const { view } = this,
      log = view.shown;
    for (const button of this.views) button.setAttribute("aria-pressed", String(button.dataset.view === view.mode));
    this.offer(scalesFor(log));
    this.colour.value = view.scale?.id ?? "score";
    this.offerJudges(view);
    this.offerTruths(log);
    this.texts.setAttribute("aria-pressed", String(view.textsShown));
    this.texts.hidden = view.mode !== "tree";
    this.group.setAttribute("aria-pressed", String(view.fold.groups(log)));
    this.whole.hidden = !(view.shape && view.shape.root !== 0);
    this.note.textContent = this.folded(log);
    this.all.hidden = !this.note.textContent;
    this.found.textContent = view.found
      ? say("found", { found: view.found.length, all: log.nodes.length - 1 })
      : "";
    this.showScale(view.scale);
    const has = (name, yes) => {
      for (const key of this.root.querySelectorAll(`.st-${name}`)) key.hidden = !yes;
    };
    has("graded", log.graded);
    has("handmade", log.handmade);
    has("grouped", Boolean(view.shape?.groups.length));
    has("lanes", log.knows.has("lanes"));
  }

  /* Whose word on right and wrong is shown, where several have given theirs. */
  offerTruths(log) {
    const there = [...log.sources.keys()], offered = there.join("\n");
    this.truth.hidden = there.length < 2;
    const option = (by) => new Option(say("truth", { by: sourceName(by) }), by);
    if (offered !== this.truths) this.truth.replaceChildren(...there.map(option));
    this.truths = offered;
    this.truth.value = log.best;
  }

  offer(scales) {
    const offered = scales.map(({ id, name }) => id + name).join();
    if (offered === this.offered) return;
    this.offered = offered;
    this.colour.replaceChildren(...scales.map(({ id, name }) => new Option(name, id)));
  }

  /* Where several judges have scored: whose scores are shown, and whose they are compared with. */
  offerJudges({ log, props, scale }) {
    const several = log.named.length > 1 && !props.group;
    this.judge.hidden = !several;
    this.against.hidden = !several || (!COMPARED.has(scale?.id) && log.named.length < 3);
    if (!several) return;
    const offered = [log.named.join(), log.judge].join(":");
    if (this.judgesOffered !== offered) {
      this.judgesOffered = offered;
      this.judge.replaceChildren(...log.named.map((name) => new Option(say("scores_by", { judge: name }), name)));
      const others = log.named.filter((name) => name !== log.judge);
      this.against.replaceChildren(...others.map((name) => new Option(say("against", { judge: name }), name)));
    }
    this.judge.value = log.judge ?? "";
    this.against.value = judgesOf(log)[log.judge === undefined ? 0 : 1];
  }

  folded(log) {
    const { shape } = this.view;
    if (!shape) return "";
    const drawn = shape.list.length - shape.groups.length;
    const all = log.nodes.length;
    return drawn < all && shape.root === 0 ? say("shown", { drawn, all }) : "";
  }

  showScale(scale) {
    if (!scale) return;
    const [low, ramp, high] = this.root.querySelector(".st-scale").children;
    const judges = COMPARED.has(scale.id) ? judgesOf(this.view.shown) : [];
    const higher = (judge) => say(scale.id === "gap" ? "higher" : "ranks_higher", { judge });
    low.textContent = judges.length ? higher(judges[1]) : `${scale.name} ${scale.ends[0]}`;
    high.textContent = judges.length ? higher(judges[0]) : scale.ends[1];
    ramp.style.background = rampCss(scale.ramp);
    this.root.querySelector(".st-legend").classList.toggle("st-own", scale.own);
  }
}
