/* Labels by hand: -1, 0 and +1 for the selected step, or the first error of its path. What is said is shown at once and
 * kept by Python; what Python refuses is taken off again. Mixed into TreeView, whose members these methods use. */

const own = new URL(import.meta.url).search;
const { say } = await import(new URL(`words_tree.js${own}`, import.meta.url));

const PREFIX = "labels: "; // as engine/store/labels.py calls the judge that stands for a person
const RATINGS = { 1: -1, 2: 0, 3: 1 };
const VALUES = new Map([[-1, 0], [0, 0.5], [1, 1]]);

export const labelling = {
  beginLabelling() {
    const at = (name) => this.root.querySelector(`.st-${name}`);
    Object.assign(this, { labelBox: at("labels"), labelButton: at("label"), nameBox: at("labeller") });
    this.labelled = at("labelled");
    this.undone = [];       // what was said before each change, the last one at the end
    this.nameBox.value = remembered();
    this.labelButton.addEventListener("click", () => this.openLabels(this.labelBox.hidden));
    this.labelBox.addEventListener("click", (event) => {
      const key = event.target.closest("[data-rate]")?.dataset.rate;
      if (key) this.rateByKey(key);
    });
    this.nameBox.addEventListener("change", () => this.nameGiven());
    this.nameBox.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.openLabels(false);
      else if (event.key === "Enter") this.nameGiven();
      else return;
      event.preventDefault();
    });
  },

  canLabel() {
    const over = this.log.status !== "" && this.log.status !== "running";
    return Boolean(this.onRate && this.props.labelling && over);
  },

  openLabels(open) {
    this.labelBox.hidden = !open;
    this.labelButton.setAttribute("aria-expanded", String(open));
    if (open && !this.labeller()) this.nameBox.focus();
    else this.focusView();
    this.drawSoon(0);
  },

  labeller() { return this.nameBox.value.trim().replace(/\s+/g, " "); },

  /* What was asked for before there was a name is done now. */
  nameGiven() {
    if (!this.labeller()) return;
    try { localStorage.setItem("rte-labeller", this.labeller()); } catch { /* private mode */ }
    this.undone = [];
    const key = this.waitingKey;
    this.waitingKey = null;
    this.focusView();
    if (key) this.rateByKey(key);
    else this.say(`${say("labels_by", { labeller: this.labeller() })} ${this.progress()}`);
    this.showLabelling();
  },

  /** Does what a key of labelling asks for; false for another key, or where there is nothing to label. */
  rateByKey(key) {
    if (!this.canLabel() || !(key in RATINGS || key === "e" || key === "u" || key === "m")) return false;
    if (!this.labeller()) {
      this.waitingKey = key;
      this.openLabels(true);
      this.say(say("labels_whose"));
    } else if (key === "u") this.undo();
    else if (key === "m") this.nextUnlabelled();
    else this.rateSelected(key);
    return true;
  },

  rateSelected(key) {
    const node = this.log.nodes[this.selected];
    if (this.shown !== this.log) return this.say(say("labels_moment"));
    if (!node || node.index === 0) return this.say(say("labels_select"));
    const first = key === "e", rating = first ? -1 : RATINGS[key];
    const above = first ? this.log.path(node.index).slice(1, -1) : [];
    const before = above.map((index) => [this.log.nodes[index].id, 1]);
    this.rate(new Map([...before, [node.id, rating]]), say(`labelled_${key}`, { depth: node.depth }));
  },

  undo() {
    const before = this.undone.pop();
    if (!before) return this.say(say("labels_nothing"));
    this.rate(before, "", { again: false });
    const [id] = [...before.keys()].slice(-1);
    this.selectId(id);
    this.say(`${say("taken_back", { step: this.describeSelected() })} ${this.progress()}`);
  },

  /* Shows ratings (null: none) at once, says `words` of them, and sends them. */
  rate(ratings, words, { again = true } = {}) {
    if (again) this.undone.push(new Map([...ratings.keys()].map((id) => [id, this.ratingOf(id)])));
    const by = this.judgeName();
    this.log.accept({ t: "source", by, kind: "human" });
    for (const [id, rating] of ratings) this.log.accept({ t: "score", id, v: VALUES.get(rating) ?? null, j: by });
    if (this.filter) this.find();
    this.say(`${words} ${this.progress()}`);
    this.drawSoon(0);
    const node = this.selectedId() ?? 0;
    this.onRate({ run: this.log.run, labeller: this.labeller(), ratings: [...ratings], node });
  },

  /** Python has kept the labels, or says why it did not: then they are taken off. */
  hearRated() {
    const { run, error } = parsed(this.props.rated);
    if (run !== this.log.run || !error) return;
    this.undone = [];
    this.log.seen = "\n"; // no text begins so: what Python sent is read afresh
    this.read();
    this.say(error);
  },

  judgeName() { return PREFIX + this.labeller(); },

  ratingOf(id) {
    const node = this.log.nodes[this.log.indexOf.get(id)], value = node?.others?.[this.judgeName()] ?? null;
    return value === null ? null : value === 0.5 ? 0 : value > 0.5 ? 1 : -1;
  },

  /* Steps that say something; a bare end of an answer is none. */
  labellable() { return this.log.nodes.filter((node) => node.index > 0 && node.text.trim()); },

  progress() {
    const steps = this.labellable(), done = steps.filter((node) => this.ratingOf(node.id) !== null).length;
    return say("labelled", { done, all: steps.length, labeller: this.labeller() });
  },

  /* The chosen path first, then the others in the order in which they are read. */
  nextUnlabelled() {
    const read = readingOrder(this.log, this.order ?? this.log.ordered(false));
    const first = read.filter((index) => this.log.onChosenPath.has(index));
    const all = [...first, ...read.filter((index) => !this.log.onChosenPath.has(index))];
    const at = all.indexOf(this.selected), open = new Set(this.labellable().map((node) => node.index));
    const next = [...all.slice(at + 1), ...all.slice(0, at + 1)].find(
      (index) => open.has(index) && this.ratingOf(this.log.nodes[index].id) === null,
    );
    if (next === undefined) return this.say(say("labelled_all", { labeller: this.labeller() }));
    this.select(next);
    this.say(`${this.describeSelected()}. ${this.progress()}`);
  },

  showLabelling() {
    const can = this.canLabel();
    this.labelButton.hidden = !can;
    if (!can) this.labelBox.hidden = true;
    this.labelled.textContent = can && this.labeller() && !this.labelBox.hidden ? this.progress() : "";
  },
};

function readingOrder(log, order) {
  const found = [], due = [0];
  while (due.length) {
    const index = due.pop();
    if (index > 0) found.push(index);
    due.push(...[...(order[index] ?? [])].reverse());
  }
  return found;
}

function remembered() {
  try { return localStorage.getItem("rte-labeller") ?? ""; } catch { return ""; }
}

function parsed(value) {
  try { return JSON.parse(value || "{}"); } catch { return {}; }
}
