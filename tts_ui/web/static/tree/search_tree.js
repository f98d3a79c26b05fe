/* The live tree: joins what the log says (tree_log.js), what of it is drawn (tree_fold.js) and how (tree_figure.js,
 * tree_outline.js, tree_icicle.js) with one element of the page, its keys and its pointer. mountSearchTree is the way
 * in. */

/* The query (a version) travels on to every part: a cached copy of one must never meet a newer copy of another. */
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ orderOf, placesOf }, { TreeLog }, Figure, Geometry, Walk, { listenToPointer }, { TreeTip }, { readTheme },
  { scaleOn }, { Fold, shapeOf }, { TreeBar }, { JUMPS }, { Outline }, Icicle, { selecting },
  { MODES, reading }, Links, { joinReplay }, { labelling }, { drawing }, { say }] =
  await Promise.all([
    "tree_places.js", "tree_log.js", "tree_figure.js", "tree_geometry.js", "tree_walk.js", "tree_pointer.js",
    "tree_tip.js", "tree_theme.js", "tree_colours.js", "tree_fold.js", "tree_bar.js", "tree_filter.js",
    "tree_outline.js", "tree_icicle.js", "tree_selecting.js", "tree_reading.js", "tree_links.js", "tree_replay.js",
    "tree_labelling.js", "tree_plotly.js", "words_tree.js",
  ].map(part));

const CONFIG = {
  displayModeBar: false, displaylogo: false, showSendToCloud: false, scrollZoom: true, doubleClick: false,
  showTips: false, typesetMath: false, responsive: false, showAxisDragHandles: false,
};

/** Draws into `element`, Gradio's box, which holds SearchTree's template. Returns the view.
 *
 * `props` are the component's, `watch(names, callback)` reports changes that Python made, `onSelect(detail)` and
 * `onSeek(detail)` (the reader moved to another moment) go back.
 * Whole texts come through `onAsk({run, ids})`, formulas through `katexUrl`: without them there are beginnings of texts
 * and plain formulas. */
export async function mountSearchTree(
  { element, props, watch, onSelect, onSeek = () => {}, onAsk = null, onRate = null, plotlyUrl, katexUrl = null,
    onFail = (error) => { throw error; } },
) {
  const view = new TreeView(element.querySelector(".search-tree"), props, {
    onSelect, onSeek, onAsk, onRate, plotlyUrl, katexUrl, onFail,
  });
  watch("value", () => view.read());
  watch("selected", () => view.selectId(props.selected, { tell: false }));
  watch("marks", () => view.showMark(view.mark));
  watch("texts", () => view.readTexts());
  watch("judges", () => { if (props.judges) view.setJudges(...props.judges.split(",")); });
  watch("rated", () => view.hearRated());
  view.read();
  if (props.texts) view.readTexts();      // a page without a server brings them along
  return view;
}

class TreeView {
  constructor(root, props, outside) {
    Object.assign(this, { root, props, ...outside });
    this.plot = root.querySelector(".st-plot");
    (this.says = root.querySelector(".st-says")).dataset.hint = say("hint");
    this.tip = new TreeTip(root.querySelector(".st-tip"));
    this.log = new TreeLog();   // all that Python sent
    this.shown = this.log;      // what of it is drawn, walked and selected in (see showMoment)
    this.fold = new Fold();
    this.direction = props.direction === "right" ? "right" : "down";
    this.bestFirst = false;
    this.view = null;           // ranges the user chose; null: fit the whole tree
    this.selected = -1;
    this.wanted = null;         // path to the step that another tree of the group has selected
    this.mark = null;           // name of the set of nodes that is ringed, and their indices
    this.marked = [];
    this.scene = null;          // what is on the screen
    this.shape = null;          // what of the log is drawn
    this.drawing = null;        // timer of the next drawing
    this.lastCost = 0;
    this.lastDrawn = -Infinity;
    this.held = false;          // a finger or button is down on the plot
    this.touch = window.matchMedia("(pointer: coarse)").matches;
    this.beginReading();
    root.searchTree = {
      view: this, position: (id) => this.position(id), select: (id) => this.selectId(id), fit: () => this.fit(),
    };
    this.replay = joinReplay(this);
    this.listen();
  }

  listen() {
    this.buttons();
    this.bar = new TreeBar(this);
    this.beginLabelling();
    listenToPointer(this);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.plot.addEventListener("focus", () => this.byKeys(!this.held));
    this.plot.addEventListener("blur", () => this.tip.hide());
    this.abort = new AbortController();
    window.addEventListener("st-pick", (event) => this.onPick(event.detail ?? {}), { signal: this.abort.signal });
    window.addEventListener("st-mark", (event) => this.onMark(event.detail ?? {}), { signal: this.abort.signal });
    this.resizes = new ResizeObserver(() => this.drawSoon());
    this.resizes.observe(this.root.querySelector(".st-frame"));
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
    if (run && this.log.run !== run) this.forgetJudges();
    this.applyJudges();
    this.replay.read(this, this.log.run !== run);
    if (this.log.run !== run) this.startRun(hadNodes || run !== "");
    else {
      if (fresh) this.selected = this.shown.indexOf.get(id) ?? -1;    // the same run, told again: keep the place
      if (this.selected >= 0 && this.stateOfSelected() !== before) this.tellAgain();
    }
    if (this.filter) this.find();
    this.pickPending();
    this.pickWanted();
    this.pickChosen();
    this.drawSoon();
  }

  /** Draws `shown`, the log as it was at a moment, or all of it: the replay alone chooses it. Node indices mean the
   * same in every moment of one run. `moved`: by the reader, who is told what the selected step was like then. */
  showMoment(shown, moved) {
    const before = this.stateOfSelected();
    this.shown = shown;
    if (!moved) return;
    if (this.stateOfSelected() !== before && shown.nodes[this.selected]) this.tellAgain();
    else this.says.textContent = this.describeSelected();
    if (this.filter) this.find();
    this.pickPending();
    this.pickChosen();
    this.drawSoon(0);
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
    this.forgetReading();
    this.pending = another ? null : this.askedFor();
    this.writeUrl(this.pending?.id ?? null);
    if (another) this.root.dispatchEvent(new CustomEvent("st-run", { bubbles: true }));
  }

  // --- drawing -------------------------------------------------------------------------------------------------

  /** Draws once the last drawing is long enough ago: at most every 100 ms and at most half of the time. */
  drawSoon(gap = Math.max(100, 2 * this.lastCost)) {
    if (this.drawing !== null && gap > 0) return;
    clearTimeout(this.drawing);
    const wait = Math.max(0, this.lastDrawn + gap - performance.now());
    this.drawing = setTimeout(() => { this.drawing = null; this.draw(); }, wait);
  }

  /** Draws at once: the next key means what is then on the screen. */
  drawNow() {
    clearTimeout(this.drawing);
    this.drawing = null;
    this.draw();
  }

  draw() {
    if (!this.root.isConnected) return this.leave();
    if (this.held) return this.drawSoon(100);           // never move the tree under the user's finger
    const frame = this.root.querySelector(".st-frame");
    const size = { width: frame.clientWidth, height: frame.clientHeight };
    if (!size.width || !size.height) return;            // in a hidden tab: drawn when it is shown
    const began = performance.now();
    const empty = this.shown.nodes.length === 0;
    if (!empty && this.mode !== "outline" && !this.Plotly) return this.awaitPlotly();
    this.root.classList.toggle("st-is-empty", empty);
    if (this.root.dataset.view !== this.mode) this.root.dataset.view = this.mode;
    if (!empty) this.drawTree(size);
    this.showState();
    this.lastDrawn = performance.now();
    this.lastCost = this.lastDrawn - began;
  }

  drawTree(size) {
    const { shown: log, direction, mode } = this;
    const theme = (this.theme ??= readTheme(this.root)), tools = this.root.querySelector(".st-tools");
    this.order = orderOf(this);
    this.shape = shapeOf(log, this.fold, this.order, this.shownAnyway());
    this.scale = scaleOn(log, this.colour, theme);
    this.scene = {
      log, size, direction, mode, theme, shape: this.shape, scale: this.scale,
      selected: log.nodes[this.selected] ? this.selected : -1, marked: this.marked.filter((index) => log.nodes[index]),
      dimmed: (index) => this.isDimmed(index), texts: this.textsShown,
      tools: { width: tools.offsetWidth, height: tools.offsetHeight }, drawn: new Set(this.shape.list),
    };
    if (mode === "outline") this.drawOutline();
    else if (mode === "icicle") this.drawSectors();
    else this.drawNodes();
  }

  drawNodes() {
    const { scene, shape, direction } = this, { at, whole } = placesOf(this);
    const spread = this.textsShown && whole.count <= TEXTS_MOST;
    scene.at = at;
    scene.view = this.view ?? Geometry.fitView(whole, scene.size, direction, this.touch, spread, scene.theme.scale);
    if (this.following && this.view && scene.selected >= 0) {
      scene.view = this.view = Walk.bringIntoView(scene, this.selected);
    }
    this.following = false;
    this.react(Figure.figure(scene), CONFIG);
  }

  drawOutline() {
    this.outline ??= new Outline(this, this.root.querySelector(".st-outline"));
    this.outline.draw(this.scene);
    if (this.following) this.outline.showSelected();
    this.following = false;
  }

  drawSectors() {
    this.scene.drawn = new Set(Icicle.sectors(this.shape));
    this.react(Icicle.icicle(this.scene), CONFIG);
  }

  /* The selected step is marked in a view that is no picture of nodes. */
  drawSelected(follow) {
    if (this.mode === "outline") this.outline?.showSelected(follow);
    else this.drawSoon(0);
  }

  /* Attributes that tell tests, styles and other scripts what is drawn. */
  showState() {
    const { root, shown: log } = this;
    root.dataset.nodes = log.nodes.length;
    root.dataset.drawn = this.shape ? this.shape.list.length : 0;
    root.dataset.run = log.run;
    root.dataset.status = log.status;
    root.dataset.selected = this.selectedId() ?? "";
    root.dataset.colour = this.scale?.id ?? "";
    root.dataset.direction = this.direction;
    root.dataset.zoomed = this.view ? "true" : "false";
    root.querySelector(".st-turn").setAttribute("aria-pressed", String(this.direction === "right"));
    root.querySelector(".st-sort").setAttribute("aria-pressed", String(this.bestFirst));
    this.plot.setAttribute("aria-label", say("plot", { n: log.nodes.length }));
    this.bar.show();
    this.showLabelling();
  }

  /** What a click on the drawn thing `index` does: a step is selected, a group opens. */
  pick(index) {
    if (this.shape?.isGroup(index)) this.openGroup(index);
    else if (index >= 0) this.select(index);
  }

  setView(view) {
    this.view = view;
    if (this.scene && view) this.scene.view = view;
    this.tip.hide();
    this.drawSoon();
  }

  fit() { this.view = null; this.drawSoon(0); }

  zoom(factor) { if (this.scene?.at) { this.view = Walk.zoomed(this.scene.view, factor); this.drawSoon(0); } }

  turn(direction) { this.direction = direction; this.fit(); }

  focusView() {
    const view = this.mode === "outline" ? this.root.querySelector(".st-outline") : this.plot;
    view.focus({ preventScroll: true });
  }

  // --- keys ----------------------------------------------------------------------------------------------------

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.scene || event.target !== this.plot) return;
    const scale = { "+": 1 / 1.5, "=": 1 / 1.5, "-": 1.5 }[event.key];
    const move = Walk.moveOf(event.key, this.direction);
    if (scale) this.zoom(scale);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") this.tip.hide();
    else if (move) this.walk(move);
    else if (!this.doKey(event.key)) return;
    event.preventDefault();
    this.byKeys(true);
  }

  /* The letters that do something in the tree; false for the others. */
  doKey(key) {
    const does = {
      f: () => this.foldAt(this.selected), h: () => this.hoist(), g: () => this.groupHere(),
      G: () => this.toggleGroups(),
      v: () => this.nextMode(), c: () => this.nextColour(), l: () => this.bar.openFilter(true),
      n: () => this.nextFound(1), N: () => this.nextFound(-1),
    }[key];
    const jump = JUMPS.find((each) => each.key === key);
    if (does) does();
    else if (this.rateByKey(key)) return true;
    else if (jump) this.jump(jump.id);
    else return false;
    return true;
  }

  /* The other view takes the focus. */
  nextMode() {
    this.setMode(MODES[(MODES.indexOf(this.mode) + 1) % MODES.length]);
    this.drawNow();
    this.focusView();
  }

  walk(move) {
    const { children, nodes, root } = this.shape;
    const steps = (kids) => (kids.at(-1) < nodes ? kids : kids.filter((kid) => kid < nodes));      // without groups
    const index = Walk.walk(this.shown, children.slice(0, nodes).map(steps), this.scene.selected, move, root);
    if (index >= 0 && (index !== this.selected || move === "again")) this.select(index, { soon: move !== "again" });
    if (index >= 0 && this.scene?.drawn.has(index)) this.showTip(index);
  }

  // --- where things are ----------------------------------------------------------------------------------------

  showTip(index) {
    const pixel = this.pixel(index);
    if (pixel) this.tip.show(this.scene, index, pixel, this);
  }

  /* Where the node lies inside the frame, in the view that is shown, or null. */
  pixel(index) {
    if (!this.scene?.drawn.has(index)) return null;
    if (this.mode === "tree") return this.scene.at ? Walk.pixelOf(this.scene, index) : null;
    const element = this.mode === "outline" ? this.outline?.elementOf(index) : Icicle.sectorOf(this.plot, index);
    if (!element) return null;
    const box = element.getBoundingClientRect(), frame = this.plot.getBoundingClientRect();
    return { x: box.left + box.width / 2 - frame.left, y: box.top + box.height / 2 - frame.top };
  }

  /** Index of what lies under the pointer: a node within `reach` px, or a sector; -1 where there is nothing. */
  under(event, point, reach) {
    if (!this.scene) return -1;
    if (this.mode === "icicle") return Icicle.sectorAt(event.target);
    return this.mode === "tree" && this.scene.at ? Walk.nodeAt(this.scene, point, reach) : -1;
  }

  /** Where node `id` lies in the window (what a mouse would click), or null when it is not drawn. */
  position(id) {
    const index = this.shown.indexOf.get(id), frame = this.plot.getBoundingClientRect();
    const pixel = index === undefined ? null : this.pixel(index);
    return pixel && { x: frame.left + pixel.x, y: frame.top + pixel.y };
  }

  leave() {
    this.abort.abort();
    this.resizes.disconnect();
    this.themes.disconnect();
  }
}
const TEXTS_MOST = 40;      // drawn nodes; a tree of so few is spread out for its texts

Object.assign(TreeView.prototype, selecting, reading, labelling, drawing);
