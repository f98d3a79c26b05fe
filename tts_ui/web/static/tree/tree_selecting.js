/* Selecting a step: what TreeView does when a node is clicked, walked to, asked for by the address, by Python or by a
 * tree beside it. Mixed into TreeView, whose members these methods use. */

const own = new URL(import.meta.url).search;
const [{ describe }, Figure, Geometry, Walk, Links, Address] = await Promise.all(
  ["tree_words.js", "tree_figure.js", "tree_geometry.js", "tree_walk.js", "tree_links.js", "tree_address.js"]
    .map((name) => import(new URL(name + own, import.meta.url))),
);

const TELL_GAP = 250;     // ms between two selections by keyboard that Python hears of

export const selecting = {
  /* The node that the address or Python asks for is selected once it has arrived. */
  askedFor() {
    const { selected } = this.props;
    if (selected >= 0 && Number.isInteger(selected)) return { id: selected, tell: false };
    const node = this.props.sync_url ? Address.nodeAsked(this.log.run, Boolean(this.props.group)) : null;
    return node === null ? null : { id: node, tell: true };
  },

  pickPending() {
    if (!this.pending || !this.shown.indexOf.has(this.pending.id)) return;
    const { id, tell } = this.pending;
    this.pending = null;
    this.selectId(id, { tell });
  },

  /* The step that another tree has selected is selected here when it comes. */
  pickWanted() {
    if (!this.wanted || this.selected >= 0) return;
    const index = Links.counterpart(this.shown, this.wanted);
    if (index >= 0) this.select(index, { tell: true, spread: false });
  },

  /* A search that is over shows its answer, unless the reader is looking at something else. */
  pickChosen() {
    const ended = this.shown.status !== "" && this.shown.status !== "running";
    if (!ended || this.chosenOffered) return;
    this.chosenOffered = true;
    this.pending = null;        // a node that this run does not have
    if (!this.props.select_chosen || this.selected >= 0 || this.wanted || this.shown.chosen < 0) return;
    this.select(this.shown.chosen, { follow: false });
  },

  selectedId() { return this.shown.nodes[this.selected]?.id ?? null; },

  /** Selects the node with this id; null or -1 clears. `tell` says whether Python hears of it. */
  selectId(id, { tell = true } = {}) {
    if (id === null || id === undefined || id < 0) return this.select(-1, { tell: false });
    const index = this.shown.indexOf.get(id);
    if (index === undefined) this.pending = { id, tell };
    else this.select(index, { tell });
  },

  select(index, { tell = true, soon = false, follow = true, spread = true } = {}) {
    this.selected = index;
    this.pending = null;
    const node = this.shown.nodes[index];
    if (node) this.fold.reveal(this.shown, index);
    this.says.setAttribute("aria-live", spread ? "polite" : "off");     // one tree of a group speaks
    this.says.textContent = this.describeSelected();
    this.root.dataset.selected = node ? node.id : "";
    this.replay.noteSelection();
    this.ring(follow);
    if (spread) {
      this.wanted = null;
      this.writeUrl(node ? node.id : null);
      const path = node ? Links.pathTo(this.shown, index) : null;
      for (const peer of Links.peersOf(this)) peer.follow(path);
    }
    if (node && tell) this.tell(node, soon ? TELL_GAP : 0);
  },

  /** Another tree of the group has selected the step at the end of `path` (null: nothing). */
  follow(path) {
    this.wanted = path;
    this.select(path ? Links.counterpart(this.shown, path) : -1, { tell: false, spread: false });
  },

  describeSelected() {
    const node = this.shown.nodes[this.selected];
    if (!node) return "";
    const siblings = node.parent >= 0 ? (this.order ?? this.shown.ordered(false))[node.parent] ?? [] : [];
    return describe(this.shown, node, siblings);
  },

  /* What the page shows of the selected node and the log may change. */
  stateOfSelected() {
    const node = this.shown.nodes[this.selected];
    if (!node) return "";
    const { score, status, copies, correct, index } = node;
    return JSON.stringify([score, status, copies, correct, this.shown.onChosenPath.has(index), this.shown.status]);
  },

  /* The search has decided on the selected node: what is shown of it is read again. */
  tellAgain() {
    this.says.textContent = this.describeSelected();
    this.tell(this.shown.nodes[this.selected], TELL_GAP);
  },

  /* A key held down runs through many nodes: the first and where it rests are worth a trip to Python. */
  tell(node, gap) {
    clearTimeout(this.telling);
    const wait = (this.toldAt ?? -Infinity) + gap - performance.now();
    const send = () => {
      this.toldAt = performance.now();
      const linked = Links.selections(this), moments = this.replay.moments(), judges = this.judgesShown();
      this.onSelect({ index: node.index, value: node.id, selected: true, linked, moments, judges });
    };
    if (wait > 0) this.telling = setTimeout(send, wait);
    else send();
  },

  /* Moves the ring alone; the whole figure is drawn again only when the node was not on the screen yet. */
  ring(follow = true) {
    const { scene } = this;
    if (!scene || this.drawing !== null) return this.drawSoon(0);
    scene.selected = this.selected;
    if (this.selected >= 0 && !scene.drawn.has(this.selected)) { this.following = follow; return this.drawSoon(0); }
    if (scene.mode !== "tree") return this.drawSelected(follow);
    if (this.selected >= 0 && this.view && follow) {
      const view = Walk.bringIntoView(scene, this.selected);
      if (view.x[0] !== this.view.x[0] || view.y[0] !== this.view.y[0]) { this.view = view; return this.drawSoon(0); }
    }
    this.Plotly.relayout(this.plot, { shapes: Figure.shapes(scene, Geometry.markerSize(scene)) });
  },

  /* Whether an event of the page means this tree: it names the box of one, or none. */
  isMeant(tree) { return !tree || this.root.closest(`#${CSS.escape(tree)}`) !== null; },

  onMark({ mark, tree }) { if (this.isMeant(tree)) this.showMark(mark ?? null); },

  /** Rings the nodes of the set `mark` of the property `marks` and says what they are; null rings nothing. */
  showMark(mark) {
    if (mark === null && this.mark === null) return;
    const { nodes = [], says = "" } = this.props.marks?.[mark] ?? {};
    this.mark = mark;
    this.marked = nodes.map((id) => this.shown.indexOf.get(id)).filter((index) => index !== undefined);
    this.says.textContent = says || this.describeSelected();
    this.root.dataset.marked = this.marked.map((index) => this.shown.nodes[index].id).join(" ");
    if (!this.scene) return;
    this.scene.marked = this.marked;
    this.ring(false);
  },

  onPick({ id, tree }) {
    if (!this.isMeant(tree)) return;
    const node = Number.parseInt(id, 10);       // a link's data attribute is a string
    if (Number.isInteger(node)) this.selectId(node);
  },

  writeUrl(id) {
    if (this.props.sync_url && this.log.run) Address.writeSelection(this.log.run, Boolean(this.props.group), id);
  },
};
