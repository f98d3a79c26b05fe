/* The live tree: joins what the log says (tree_log.js), where the nodes lie (tidy_layout.js) and how they look
 * (tree_figure.js) with one element of the page, its keys and its pointer. mountSearchTree is the way in. */

/* The query (a version) travels on to every part: a cached copy of one must never meet a newer copy of another. */
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ tidyLayout }, { TreeLog, describe }, Figure, Walk, { listenToPointer }, { TreeTip }, { readTheme }, Links,
  Address] =
  await Promise.all([
    "tidy_layout.js", "tree_log.js", "tree_figure.js", "tree_walk.js", "tree_pointer.js", "tree_tip.js",
    "tree_theme.js", "tree_links.js", "tree_address.js",
  ].map(part));

const CONFIG = {
  displayModeBar: false, displaylogo: false, showSendToCloud: false, scrollZoom: true, doubleClick: false,
  showTips: false, typesetMath: false, responsive: false, showAxisDragHandles: false,
};
const TELL_GAP = 250;     // ms between two selections by keyboard that Python hears of

/** Draws into `element`, Gradio's box, which holds SearchTree's template. Returns the view.
 *
 * `props` are the component's, `watch(names, callback)` reports changes that Python made, `onSelect(detail)` goes back. */
export async function mountSearchTree({ element, props, watch, onSelect, plotlyUrl }) {
  const Plotly = await loadPlotly(plotlyUrl);
  const view = new TreeView(element.querySelector(".search-tree"), props, onSelect, Plotly);
  watch("value", () => view.read());
  watch("selected", () => view.selectId(props.selected, { tell: false }));
  watch("marks", () => view.showMark(view.mark));
  view.read();
  return view;
}

/* Plotly keeps one global, which one of Gradio's own plots replaces with another version: ours is kept apart. */
function loadPlotly(url) {
  const kept = (window.searchTreePlotly ??= {});
  return (kept[url] ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: url });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { delete kept[url]; reject(new Error(`could not load ${url}`)); };
    document.head.append(script);
  }));
}

class TreeView {
  constructor(root, props, onSelect, Plotly) {
    Object.assign(this, { root, props, onSelect, Plotly });
    this.plot = root.querySelector(".st-plot");
    this.says = root.querySelector(".st-says");
    this.tip = new TreeTip(root.querySelector(".st-tip"));
    this.log = new TreeLog();
    this.direction = props.direction === "right" ? "right" : "down";
    this.bestFirst = false;
    this.view = null;           // ranges the user chose; null: fit the whole tree
    this.selected = -1;
    this.wanted = null;         // path to the step that another tree of the group has selected
    this.mark = null;           // name of the set of nodes that is ringed, and their indices
    this.marked = [];
    this.scene = null;          // what is on the screen
    this.drawing = null;        // timer of the next drawing
    this.lastCost = 0;
    this.lastDrawn = -Infinity;
    this.held = false;          // a finger or button is down on the plot
    this.touch = window.matchMedia("(pointer: coarse)").matches;
    root.searchTree = {
      view: this, position: (id) => this.position(id), select: (id) => this.selectId(id), fit: () => this.fit(),
    };
    this.listen();
  }

  listen() {
    this.buttons();
    listenToPointer(this);
    this.plot.addEventListener("keydown", (event) => this.onKey(event));
    this.plot.addEventListener("focus", () => this.byKeys(!this.held));
    this.plot.addEventListener("blur", () => this.tip.hide());
    this.abort = new AbortController();
    window.addEventListener("st-pick", (event) => this.onPick(event.detail ?? {}), { signal: this.abort.signal });
    window.addEventListener("st-mark", (event) => this.onMark(event.detail ?? {}), { signal: this.abort.signal });
    this.resizes = new ResizeObserver(() => this.drawSoon());
    this.resizes.observe(this.plot);
    this.themes = new MutationObserver(() => { this.theme = null; this.drawSoon(); });
    for (const place of [document.documentElement, document.body]) {
      this.themes.observe(place, { attributes: true, attributeFilter: ["class"] });
    }
  }

  /* The frame shows the focus to keyboard users. */
  byKeys(yes) { this.root.classList.toggle("st-by-keys", yes); }

  buttons() {
    const on = (name, act) => this.root.querySelector(`.st-${name}`).addEventListener("click", act);
    on("fit", () => this.fit());
    on("closer", () => this.zoom(1 / 1.5));
    on("further", () => this.zoom(1.5));
    on("turn", () => this.turn(this.direction === "down" ? "right" : "down"));
    on("sort", () => { this.bestFirst = !this.bestFirst; this.drawSoon(0); });
  }

  /** Takes in what Python sent since the last time. */
  read() {
    const run = this.log.run, hadNodes = this.log.nodes.length > 0;
    const id = this.selectedId(), before = this.stateOfSelected();
    const fresh = this.log.read(String(this.props.value ?? ""));
    if (this.log.run !== run) this.startRun(hadNodes || run !== "");
    else {
      if (fresh) this.selected = this.log.indexOf.get(id) ?? -1;      // the same run, told again: keep the place
      if (this.selected >= 0 && this.stateOfSelected() !== before) this.tellAgain();
    }
    this.pickPending();
    this.pickWanted();
    this.pickChosen();
    this.drawSoon();
  }

  /* A run met when it has ended is shown best subtree first; one that grows keeps the order in which it grew. */
  startRun(another) {
    this.view = null;
    this.selected = -1;
    this.wanted = another ? null : Links.wantedBy(Links.peersOf(this));
    this.tip.hide();
    this.says.textContent = "";
    this.bestFirst = this.log.status !== "running" && this.log.status !== "";
    this.chosenOffered = false;
    this.pending = another ? null : this.askedFor();
    this.writeUrl(this.pending?.id ?? null);
  }

  /* The node that the address or Python asks for is selected once it has arrived. */
  askedFor() {
    if (this.props.selected >= 0 && Number.isInteger(this.props.selected)) return { id: this.props.selected, tell: false };
    const node = this.props.sync_url ? Address.nodeAsked(this.log.run, Boolean(this.props.group)) : null;
    return node === null ? null : { id: node, tell: true };
  }

  pickPending() {
    if (!this.pending || !this.log.indexOf.has(this.pending.id)) return;
    const { id, tell } = this.pending;
    this.pending = null;
    this.selectId(id, { tell });
  }

  /* The step that another tree has selected is selected here when it comes. */
  pickWanted() {
    if (!this.wanted || this.selected >= 0) return;
    const index = Links.counterpart(this.log, this.wanted);
    if (index >= 0) this.select(index, { tell: true, spread: false });
  }

  /* A search that is over shows its answer, unless the reader is looking at something else. */
  pickChosen() {
    const ended = this.log.status !== "" && this.log.status !== "running";
    if (!ended || this.chosenOffered) return;
    this.chosenOffered = true;
    this.pending = null;        // a node that this run does not have
    if (!this.props.select_chosen || this.selected >= 0 || this.wanted || this.log.chosen < 0) return;
    this.select(this.log.chosen, { follow: false });
  }

  // --- drawing -------------------------------------------------------------------------------------------------

  /** Draws once the last drawing is long enough ago: at most every 100 ms and at most half of the time. */
  drawSoon(gap = Math.max(100, 2 * this.lastCost)) {
    if (this.drawing !== null && gap > 0) return;
    clearTimeout(this.drawing);
    const wait = Math.max(0, this.lastDrawn + gap - performance.now());
    this.drawing = setTimeout(() => { this.drawing = null; this.draw(); }, wait);
  }

  draw() {
    if (!this.root.isConnected) return this.leave();
    if (this.held) return this.drawSoon(100);           // never move the tree under the user's finger
    const size = { width: this.plot.clientWidth, height: this.plot.clientHeight };
    if (!size.width || !size.height) return;            // in a hidden tab: drawn when it is shown
    const began = performance.now();
    const empty = this.log.nodes.length === 0;
    this.root.classList.toggle("st-is-empty", empty);
    if (!empty) this.drawTree(size);
    this.showState();
    this.lastDrawn = performance.now();
    this.lastCost = this.lastDrawn - began;
  }

  drawTree(size) {
    const { log, direction } = this;
    this.order = log.ordered(this.bestFirst);
    const at = Figure.place(log, tidyLayout(this.order), direction);
    this.scene = {
      log, at, size, direction, selected: this.selected, marked: this.marked, theme: (this.theme ??= readTheme(this.root)),
      view: this.view ?? Figure.fitView(at, size, direction, this.touch),
    };
    const { data, layout } = Figure.figure(this.scene);
    this.Plotly.react(this.plot, data, layout, CONFIG);
    if (!this.heard) this.hearPlotly();
  }

  /* Attributes that tell tests, styles and other scripts what is drawn. */
  showState() {
    const { root, log } = this;
    root.dataset.nodes = log.nodes.length;
    root.dataset.run = log.run;
    root.dataset.status = log.status;
    root.dataset.selected = this.selectedId() ?? "";
    for (const entry of root.querySelectorAll(".st-graded")) entry.hidden = !log.graded;
    root.querySelector(".st-handmade").hidden = !log.handmade;
    root.dataset.direction = this.direction;
    root.dataset.zoomed = this.view ? "true" : "false";
    root.querySelector(".st-turn").setAttribute("aria-pressed", String(this.direction === "right"));
    root.querySelector(".st-sort").setAttribute("aria-pressed", String(this.bestFirst));
    this.plot.setAttribute("aria-label", `Search tree, ${log.nodes.length} nodes. Arrow keys walk the tree.`);
  }

  hearPlotly() {
    this.heard = true;
    const moved = () => {
      const { xaxis, yaxis } = this.plot._fullLayout ?? this.plot.layout;   // the full one is ahead during a gesture
      this.setView({ x: [...xaxis.range], y: [yaxis.range[1], yaxis.range[0]] });
    };
    this.plot.on("plotly_relayouting", moved);
    this.plot.on("plotly_relayout", (change) => { if ("xaxis.range[0]" in change) moved(); });
  }

  setView(view) {
    this.view = view;
    if (this.scene && view) this.scene.view = view;
    this.tip.hide();
    this.drawSoon();
  }

  fit() { this.view = null; this.drawSoon(0); }

  zoom(factor) { if (this.scene) { this.view = Walk.zoomed(this.scene.view, factor); this.drawSoon(0); } }

  turn(direction) { this.direction = direction; this.fit(); }

  // --- selecting -----------------------------------------------------------------------------------------------

  selectedId() { return this.log.nodes[this.selected]?.id ?? null; }

  /** Selects the node with this id; null or -1 clears. `tell` says whether Python hears of it. */
  selectId(id, { tell = true } = {}) {
    if (id === null || id === undefined || id < 0) return this.select(-1, { tell: false });
    const index = this.log.indexOf.get(id);
    if (index === undefined) this.pending = { id, tell };
    else this.select(index, { tell });
  }

  select(index, { tell = true, soon = false, follow = true, spread = true } = {}) {
    this.selected = index;
    this.pending = null;
    const node = this.log.nodes[index];
    this.says.setAttribute("aria-live", spread ? "polite" : "off");     // one tree of a group speaks
    this.says.textContent = this.describeSelected();
    this.root.dataset.selected = node ? node.id : "";
    this.ring(follow);
    if (spread) {
      this.wanted = null;
      this.writeUrl(node ? node.id : null);
      const path = node ? Links.pathTo(this.log, index) : null;
      for (const peer of Links.peersOf(this)) peer.follow(path);
    }
    if (tell && node) this.tell(node, soon ? TELL_GAP : 0);
  }

  /** Another tree of the group has selected the step at the end of `path` (null: nothing). */
  follow(path) {
    this.wanted = path;
    this.select(path ? Links.counterpart(this.log, path) : -1, { tell: false, spread: false });
  }

  describeSelected() {
    const node = this.log.nodes[this.selected];
    if (!node) return "";
    const siblings = node.parent >= 0 ? (this.order ?? this.log.ordered(false))[node.parent] ?? [] : [];
    return describe(this.log, node, siblings);
  }

  /* What the page shows of the selected node and the log may change. */
  stateOfSelected() {
    const node = this.log.nodes[this.selected];
    if (!node) return "";
    const { score, status, copies, correct, index } = node;
    return JSON.stringify([score, status, copies, correct, this.log.onChosenPath.has(index), this.log.status]);
  }

  /* The search has decided on the selected node: what is shown of it is read again. */
  tellAgain() {
    this.says.textContent = this.describeSelected();
    this.tell(this.log.nodes[this.selected], TELL_GAP);
  }

  /* A key held down runs through many nodes: the first and where it rests are worth a trip to Python. */
  tell(node, gap) {
    clearTimeout(this.telling);
    const wait = (this.toldAt ?? -Infinity) + gap - performance.now();
    const send = () => {
      this.toldAt = performance.now();
      this.onSelect({ index: node.index, value: node.id, selected: true, linked: Links.selections(this) });
    };
    if (wait > 0) this.telling = setTimeout(send, wait);
    else send();
  }

  /* Moves the ring alone; the whole figure is drawn again only when the node was not on the screen yet. */
  ring(follow = true) {
    if (!this.scene || this.selected >= this.scene.at.x.length || this.drawing !== null) return this.drawSoon(0);
    this.scene.selected = this.selected;
    const diameter = Figure.markerSize(this.scene);
    if (this.selected >= 0 && this.view && follow) {
      const view = Walk.bringIntoView(this.scene, this.selected);
      if (view.x[0] !== this.view.x[0] || view.y[0] !== this.view.y[0]) { this.view = view; return this.drawSoon(0); }
    }
    this.Plotly.relayout(this.plot, { shapes: Figure.rings(this.scene, diameter) });
  }

  /* Whether an event of the page means this tree: it names the box of one, or none. */
  isMeant(tree) { return !tree || this.root.closest(`#${CSS.escape(tree)}`) !== null; }

  onMark({ mark, tree }) { if (this.isMeant(tree)) this.showMark(mark ?? null); }

  /** Rings the nodes of the set `mark` of the property `marks` and says what they are; null rings nothing. */
  showMark(mark) {
    if (mark === null && this.mark === null) return;
    const { nodes = [], says = "" } = this.props.marks?.[mark] ?? {};
    this.mark = mark;
    this.marked = nodes.map((id) => this.log.indexOf.get(id)).filter((index) => index !== undefined);
    this.says.textContent = says || this.describeSelected();
    this.root.dataset.marked = this.marked.map((index) => this.log.nodes[index].id).join(" ");
    if (!this.scene) return;
    this.scene.marked = this.marked;
    this.ring(false);
  }

  onPick({ id, tree }) {
    if (!this.isMeant(tree)) return;
    const node = Number.parseInt(id, 10);       // a link's data attribute is a string
    if (Number.isInteger(node)) this.selectId(node);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.scene) return;
    const scale = { "+": 1 / 1.5, "=": 1 / 1.5, "-": 1.5 }[event.key];
    const move = Walk.moveOf(event.key, this.direction);
    if (scale) this.zoom(scale);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") this.tip.hide();
    else if (move) this.walk(move);
    else return;
    event.preventDefault();
    this.byKeys(true);
  }

  walk(move) {
    const index = Walk.walk(this.log, this.log.ordered(this.bestFirst), this.selected, move);
    if (index >= 0 && (index !== this.selected || move === "again")) this.select(index, { soon: move !== "again" });
    if (index >= 0 && this.scene && index < this.scene.at.x.length) this.showTip(index);
  }

  showTip(index) {
    this.tip.show(this.log, this.log.nodes[index], this.scene, Walk.pixelOf(this.scene, index));
  }

  /** Where node `id` lies in the window (what a mouse would click), or null when it is not drawn. */
  position(id) {
    const index = this.log.indexOf.get(id);
    if (!this.scene || index === undefined || index >= this.scene.at.x.length) return null;
    const pixel = Walk.pixelOf(this.scene, index), box = this.plot.getBoundingClientRect();
    return { x: box.left + pixel.x, y: box.top + pixel.y };
  }

  writeUrl(id) {
    if (this.props.sync_url && this.log.run) Address.writeSelection(this.log.run, Boolean(this.props.group), id);
  }

  leave() {
    this.abort.abort();
    this.resizes.disconnect();
    this.themes.disconnect();
  }
}
