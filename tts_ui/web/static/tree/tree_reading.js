/* How the reader looks at a tree: as which picture, in which colours, with what folded, filtered and jumped to. Mixed
 * into TreeView, whose members these methods use; what they decide is shown by tree_bar.js. */

const own = new URL(import.meta.url).search;
const [{ JUMPS, filterOf, matches, nextOf }, { judgesOf, scalesFor }, { sourceName }, { say }, Links, Address] =
  await Promise.all(
    ["tree_filter.js", "tree_colours.js", "tree_words.js", "words_tree.js", "tree_links.js", "tree_address.js"].map(
      (name) => import(new URL(name + own, import.meta.url)),
    ),
  );

export const MODES = ["tree", "outline", "icicle"];
const OPENED_MOST = 500; // matches that a filter opens
const ASKED_MOST = 100; // texts in one request
const SEARCHED_MOST = 2000; // whole texts that a filter by text reads

export const reading = {
  /** What the address asks for, before anything is drawn. */
  beginReading() {
    const asked = this.props.sync_url ? Address.reading() : {};
    this.mode = MODES.includes(asked.view) ? asked.view : "tree";
    this.colour = asked.color || "score";
    this.judges = asked.judges ?? []; // whose scores are shown, and whose they are compared with, where it matters
    this.textsShown = true;
    this.rejudged = false;
    this.filter = null;
    this.found = null; // indices that the filter keeps, in the order of the log; null without a filter
    this.texts = new Map(); // id -> whole text, where the line had only its beginning
    this.asked = new Set();
  },

  /** Another run: what was folded and found belongs to the one before. */
  forgetReading() {
    this.fold.reset();
    this.texts.clear();
    this.asked.clear();
  },

  /** Another run has judges of its own. */
  forgetJudges() {
    this.judges = [];
    this.remember({ judges: null });
  },

  setMode(mode, { spread = true } = {}) {
    if (this.mode === mode) return;
    this.mode = mode;
    this.following = true;      // what is selected is brought into view
    this.tip.hide();
    this.drawSoon(0);
    if (!spread) return;
    this.remember({ view: mode === "tree" ? null : mode });
    for (const peer of Links.peersOf(this)) peer.setMode(mode, { spread: false });
  },

  setColour(colour, { spread = true } = {}) {
    this.colour = colour;
    this.drawSoon(0);
    if (!spread) return;
    this.remember({ color: colour === "score" ? null : colour });
    for (const peer of Links.peersOf(this)) peer.setColour(colour, { spread: false });
  },

  /** Shows the scores of `judge`, compared with those of `against`; what stands around the tree follows. */
  setJudges(judge, against) {
    const { log } = this;
    if (against === judge) against = log.judge; // they change places
    this.judges = [judge, against].filter(Boolean);
    this.judgesDue = !log.named.includes(judge); // its scores are on their way
    if (this.judgesDue) return;
    this.applyJudges();
    this.remember({ judges: this.judges.join(",") });
    this.say(say("says_scores_by", { judge }));
    this.rejudged = true; // Python hears of it with the next moment
    this.replay.show();
    const node = this.shown.nodes[this.selected];
    if (node) this.tell(node, 0);
    this.drawSoon(0);
  },

  /* A run that has no scores of a judge that was asked for shows its own. */
  applyJudges() {
    const { log } = this;
    const [judge = log.own ?? log.named[0], against] = this.judges.map((name) => (log.named.includes(name) ? name : undefined));
    if (judge !== undefined) log.setJudge(judge);
    log.against = against;
    if (this.judgesDue && judge === this.judges[0]) queueMicrotask(() => this.setJudges(...this.judges));
  },

  /** Which judges Python is told of: null where there is nothing to choose. */
  judgesShown() {
    const { log, props } = this;
    return log.named.length > 1 && !props.group ? judgesOf(log).slice(0, 2) : null;
  },

  /** Whose word on right and wrong is shown; "" is the best there is. */
  setSource(by) {
    for (const log of new Set([this.log, this.shown])) {
      log.wished = by;
      log.judgeAgain();
    }
    this.say(say("says_truth", { by: sourceName(this.shown.best) }));
    if (this.filter) this.find();
    this.drawSoon(0);
  },

  nextColour() {
    const ids = scalesFor(this.shown).map((scale) => scale.id);
    const id = ids[(ids.indexOf(this.scale?.id) + 1) % ids.length];
    this.setColour(id);
    this.say(say("says_colour", { colour: scalesFor(this.shown).find((scale) => scale.id === id).name }));
  },

  remember(changes) {
    if (this.props.sync_url && this.log.run) Address.writeReading(changes);
  },

  toggleTexts() {
    this.textsShown = !this.textsShown;
    this.drawSoon(0);
  },

  // --- folding -------------------------------------------------------------------------------------------------

  /** Folds the steps below a node, or unfolds them. */
  foldAt(index) {
    const node = this.shown.nodes[index];
    if (!node || !node.children.length) return;
    const folded =
      !this.shape?.children[index]?.length ||
      (this.shape.hidden.get(index) && !this.fold.opened.has(node.id) && !this.fold.groups(this.shown));
    this.fold.toggle(node.id, Boolean(folded));
    this.say(folded ? say("unfolded", { n: node.children.length }) : say("folded"));
    this.drawNow();
  },

  /** Shows the members of a group one by one. */
  openGroup(index) {
    const group = this.shape?.groups[index - this.shape.nodes];
    if (!group) return;
    this.fold.opened.add(this.shown.nodes[group.parent].id);
    this.select(group.members[0], { soon: true });
    this.drawNow();
  },

  /** Groups what was set aside below the selected step, or beside it where it is a leaf; or shows it again. */
  groupHere() {
    const node = this.shown.nodes[this.selected];
    if (!node) return;
    const parent = node.children.length ? node : this.shown.nodes[node.parent];
    if (!parent) return;
    if (!this.fold.groups(this.shown)) this.fold.grouped = true;
    else this.fold.toggleGroup(parent.id);
    this.drawSoon(0);
  },

  toggleGroups() {
    this.fold.grouped = !this.fold.groups(this.shown);
    this.fold.opened.clear();
    this.drawSoon(0);
  },

  /** Shows every step; a large tree takes its time. */
  unfoldAll() {
    this.fold.reset();
    this.fold.grouped = false;
    for (const node of this.shown.nodes) if (node.children.length) this.fold.opened.add(node.id);
    this.drawSoon(0);
  },

  /** The selected step's subtree alone, or the whole tree again. */
  hoist() {
    const node = this.shown.nodes[this.selected];
    const back = !node || node.id === this.fold.root;
    const top = !back && !node.children.length ? this.shown.nodes[node.parent] : node;
    this.fold.root = back ? 0 : top.id;
    this.say(this.fold.root ? say("alone", { depth: top.depth }) : say("whole_tree"));
    this.fit();
  },

  // --- finding -------------------------------------------------------------------------------------------------

  setFilter(fields) {
    this.filter = filterOf(fields);
    if (this.filter?.text) this.askTexts(this.shown.nodes.slice(0, SEARCHED_MOST).map((node) => node.index));
    this.find();
    this.drawSoon(0);
  },

  /** Applies the filter to the log as it is now. */
  find() {
    this.found = this.filter ? matches(this.shown, this.filter, (node) => this.textOf(node)) : null;
    this.foundSet = this.found && new Set(this.found);
  },

  nextFound(step) {
    if (!this.found) return;
    const index = nextOf(this.found, this.selected, step);
    if (index >= 0) this.select(index, { soon: true });
  },

  jump(id) {
    const { find, name, says } = JUMPS.find((jump) => jump.id === id) ?? {};
    const index = find ? find(this.shown) : -1;
    const why = says?.(this.shown);
    if (index < 0) return this.say(why ?? say("nothing", { what: name }));
    this.select(index);
    if (why) this.say(`${why}: ${this.describeSelected()}`);
  },

  /* What is drawn whatever is folded. */
  shownAnyway() {
    return [...(this.shown.nodes[this.selected] ? [this.selected] : []), ...(this.found ?? []).slice(0, OPENED_MOST)];
  },

  isDimmed(index) {
    return Boolean(this.foundSet) && index !== 0 && !this.foundSet.has(index);
  },

  say(words) {
    this.says.setAttribute("aria-live", "polite");
    this.says.textContent = words;
  },

  // --- texts on demand -----------------------------------------------------------------------------------------

  textOf(node) {
    return this.texts.get(node.id) ?? node.text;
  },

  /** Asks Python for the whole texts of these nodes, where the lines had only their beginnings and somebody answers. */
  askTexts(indices) {
    if (!this.onAsk) return;
    for (const index of indices) {
      const node = this.shown.nodes[index];
      if (node?.text.endsWith("…") && !this.texts.has(node.id)) this.asked.add(node.id);
    }
    if (this.asked.size && !this.asking) this.asking = setTimeout(() => this.sendAsked(), 60);
  },

  sendAsked() {
    this.asking = null;
    const ids = [...this.asked].filter((id) => !this.texts.has(id)).slice(0, ASKED_MOST);
    this.asked = new Set([...this.asked].filter((id) => !this.texts.has(id)).slice(ASKED_MOST));
    if (ids.length) this.onAsk({ run: this.log.run, ids });
  },

  /** Takes in texts that Python sent: a line of JSON each, [id, text]. */
  readTexts() {
    const { run, texts } = parsed(this.props.texts);
    if (run !== this.log.run) return;
    for (const [id, text] of texts) this.texts.set(id, text);
    if (this.filter?.text) {
      this.find();
      this.drawSoon();
    }
    if (this.asked.size && !this.asking) this.asking = setTimeout(() => this.sendAsked(), 0);
    this.outline?.rewrite();
    if (this.mode !== "outline") this.drawSoon();
  },
};

function parsed(value) {
  try {
    return JSON.parse(value || "{}");
  } catch {
    return {};
  }
}
