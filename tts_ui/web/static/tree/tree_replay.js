/* The replay bar: one for a tree, or one for all trees of a group, which then stand at the same share of their own
 * logs. It decides which moment each tree shows (`view.shown`) and needs no server: sentences and bills are in the log
 * (tree_timeline.js). `[` and `]` step, space plays. */

const own = new URL(import.meta.url).search;
const [{ Timeline }, Address, { number, say }] = await Promise.all(
  ["tree_timeline.js", "tree_address.js", "words_tree.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

const LEVEL = "level";      // a pace: each level takes a second, however many stops it has
const PACES = [2000, 1000, 400, 120];      // ms a moment
const CALM = 1000;          // ms between two pictures at least, where the reader asked for less motion
const REST = 250;           // ms between two moments that Python and the address hear of

const FIELDS = "input:not([type=range]), textarea, select, [contenteditable=true]";
const BUTTONS = "button, a, summary, [role=tab], [role=button]";

const ICONS = {
  start: "M4 3v10M12 3L6 8l6 5z", back: "M11 3L5 8l6 5z", play: "M4 2.500l9 5.500-9 5.500z", pause: "M5 3v10M11 3v10",
  next: "M5 3l6 5-6 5z", end: "M12 3v10M4 3l6 5-6 5z",
};

const bars = new Map();     // by group: one bar moves all its trees

/** Gives `view` its part in the replay; where the bar is shared, the page may have a place for it. */
export function joinReplay(view) {
  const group = view.props.group;
  view.timeline = new Timeline(view.log);
  view.shown = view.log;
  if (!group) return new ReplayBar(view.root.querySelector(".st-replay"), () => [view]);
  const known = bars.get(group);
  if (known?.host.isConnected) return known;
  const host = document.querySelector(`[data-replay="${CSS.escape(group)}"]`) ?? view.root.querySelector(".st-replay");
  const trees = () => [...document.querySelectorAll(".search-tree")].map((root) => root.searchTree?.view)
    .filter((other) => other?.props.group === group && other.log.run && other.root.offsetParent);
  bars.set(group, new ReplayBar(host, trees));
  return bars.get(group);
}

class ReplayBar {
  constructor(host, trees) {
    Object.assign(this, { host, trees });
    this.at = null;             // place of the stop that is shown, of the tree with most; null: all there is
    this.exact = null;          // a seq within a stop, which the address asked for
    this.playing = false;
    this.timer = null;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.build();
    this.abort = new AbortController();
    document.addEventListener("keydown", (event) => this.onKey(event), { signal: this.abort.signal });
  }

  build() {
    const control = (name, key, act) => {
      const says = say(`replay_${name}`), title = key ? `${says} (${key})` : says;
      const made = make("button", { type: "button", title, className: `rp-${name}` });
      made.setAttribute("aria-label", says);
      made.append(icon(name));
      made.addEventListener("click", act);
      return made;
    };
    this.slider = make("input", { type: "range", min: 0, step: 1, className: "rp-slider" });
    this.slider.setAttribute("aria-label", say("replay_moment"));
    this.slider.addEventListener("input", () => { this.pause(); this.go(this.slider.valueAsNumber); });
    this.count = make("span", { className: "rp-count" });
    this.pace = make("select", { className: "rp-pace", title: say("replay_pace") });
    this.pace.setAttribute("aria-label", say("replay_speed"));
    const seconds = (ms) => number(Number((ms / 1000).toFixed(1)));
    const paces = PACES.map((ms) => new Option(say("pace_moment", { seconds: seconds(ms) }), ms));
    this.pace.append(new Option(say("pace_level"), LEVEL), ...paces);
    this.slowly = make("button", {
      type: "button", className: "rp-slowly", textContent: say("slowly"), title: say("slowly_says"),
    });
    this.slowly.setAttribute("aria-pressed", String(remembered() === "true"));
    this.slowly.addEventListener("click", () => this.setSlowly(this.slowly.getAttribute("aria-pressed") !== "true"));
    this.playButton = control("play", say("key_space"), () => this.toggle());
    this.host.replaceChildren(
      control("start", "", () => this.jump(0)), control("back", "[", () => this.step(-1)),
      this.playButton, control("next", "]", () => this.step(1)),
      control("end", "", () => this.jump(Infinity)), this.slider, this.count, this.pace, this.slowly,
    );
    for (const name of ["ended", "not_yet"]) {       // what the page's style sheet says meanwhile
      document.documentElement.style.setProperty(`--rte-${name}`, JSON.stringify(say(name)));
    }
    this.host.setAttribute("role", "group");
    this.host.setAttribute("aria-label", say("replay"));
    this.host.hidden = true;
  }

  // --- what comes in -------------------------------------------------------------------------------------------------

  /** The log of `view` has been read on; `fresh` says that it shows another run than before. */
  read(view, fresh) {
    view.timeline.refresh();
    if (fresh) this.begin(view);
    this.show(false);
    if (fresh && this.at !== null) this.tellSoon();
    if (this.waiting && (this.at < this.last || !this.grows)) this.schedule();
  }

  /* The first tree speaks for its group. */
  begin(view) {
    if (view !== this.views[0]) return;
    this.pause();
    this.exact = Address.momentAsked(view.log.run, Boolean(view.props.group));
    this.at = this.exact === null ? null : 0;       // which stop that is: see findExact
    if (this.exact !== null) return;
    if (view.props.sync_url) Address.writeMoment(null);
    if (this.grows && this.isSlow) this.playSlowly();
  }

  get views() { return this.trees(); }
  get isSlow() { return this.slowly.getAttribute("aria-pressed") === "true"; }
  get grows() { return this.views.some((view) => view.log.status === "running"); }

  /** The tree with the most stops sets the pace. */
  get longest() { return this.views.reduce((a, b) => (b.timeline.last > (a?.timeline.last ?? -1) ? b : a), null); }
  get last() { return this.longest?.timeline.last ?? 0; }

  // --- moving --------------------------------------------------------------------------------------------------------

  /** Shows the stop at `place`; the last one of searches that are over, or are watched live, is all there is. */
  go(place) {
    const at = Math.min(Math.max(0, place), this.last);
    this.exact = null;
    this.at = at === this.last && !(this.grows && this.playing) ? null : at;
    if (this.at === null) this.pause();
    this.show();
  }

  jump(place) { this.pause(); this.go(place); }

  step(by) { this.pause(); this.go((this.at ?? this.last) + by); }

  toggle() { if (this.playing) { this.pause(); this.show(); } else this.play(); }

  play() {
    if (!this.last) return;
    this.playing = true;
    if (this.at === null) { this.at = 0; this.exact = null; }
    this.show();
    this.schedule();
  }

  playSlowly() {
    this.pace.value = LEVEL;
    this.playing = true;
    this.at = 0;
    this.schedule();
  }

  pause() {
    this.playing = this.waiting = false;
    clearTimeout(this.timer);
  }

  setSlowly(on) {
    this.slowly.setAttribute("aria-pressed", String(on));
    try { localStorage.setItem("rte-slowly", on); } catch { /* private mode */ }
    if (on && this.grows && !this.playing) { this.playSlowly(); this.show(); }
    if (!on && this.grows) this.jump(Infinity);
  }

  schedule() {
    clearTimeout(this.timer);
    this.waiting = false;
    const { timeline } = this.longest;
    const pace = this.pace.value === LEVEL ? 1000 / timeline.levelLength(this.at) : Number(this.pace.value);
    this.timer = setTimeout(() => this.advance(), this.calm.matches ? Math.max(CALM, pace) : pace);
  }

  advance() {
    if (!this.longest) return this.pause();
    if (this.at >= this.last) { this.waiting = true; if (!this.grows) this.go(this.last); return; }
    this.go(this.calm.matches ? this.longest.timeline.endOfLevel(this.at + 1) : this.at + 1);
    if (this.playing) this.schedule();
  }

  // --- showing -------------------------------------------------------------------------------------------------------

  /** The last seq that `view` shows; null: all there is. */
  seqOf(view) {
    if (this.at === null) return null;
    const { timeline } = view;
    if (this.exact !== null && view === this.views[0]) return this.exact;
    const share = this.at / (this.last || 1);
    const place = this.grows ? Math.min(this.at, timeline.last) : Math.round(share * timeline.last);
    return timeline.stops[place].to;
  }

  show(tell = true) {
    if (this.exact !== null) this.findExact();
    for (const view of this.views) {
      const seq = this.seqOf(view);
      this.tellMoment(view, seq);
      view.showMoment(seq === null ? view.log : view.timeline.at(seq), seq, tell);
    }
    this.showBar();
    if (tell) this.tellSoon();
  }

  /* Where the moment that the address names lies; one beyond the end is the end. */
  findExact() {
    const view = this.views[0];
    if (!view) return;
    if (this.exact >= view.log.newest && !this.grows) { this.exact = this.at = null; return; }
    const place = view.timeline.stopAt(this.exact);
    this.at = Math.round(place * this.last / (view.timeline.last || 1));
  }

  tellMoment(view, seq) {
    const { timeline, root } = view, line = root.querySelector(".st-moment");
    const now = seq ?? Infinity;
    const stop = timeline.stops[seq === null ? timeline.last : timeline.stopAt(seq)];
    const [says, bill] = line.children;
    line.hidden = !timeline.last;
    says.setAttribute("aria-live", this.playing || this.views.length > 1 ? "off" : "polite");
    says.textContent = now < stop.to ? say("during", { moment: stop.says }) : stop.says;
    bill.textContent = timeline.billAt(now);
    root.dataset.seq = seq ?? "";
  }

  showBar() {
    const { last, longest } = this, at = this.at ?? last;
    this.host.hidden = !last;
    document.documentElement.classList.toggle("replaying", this.at !== null);
    this.noteSelection();
    if (!longest) return;
    this.slider.max = last;
    this.slider.value = at;
    this.slider.style.setProperty("--at", `${100 * at / (last || 1)}%`);
    const seq = this.seqOf(this.views[0]) ?? this.views[0].log.newest;
    const many = this.views.length > 1;
    this.count.textContent = many ? say("replay_share", { percent: Math.round(100 * at / (last || 1)) })
      : say("replay_event", { seq: String(seq), newest: String(longest.log.newest) });
    this.slider.setAttribute("aria-valuetext", many ? this.count.textContent
      : `${this.count.textContent}: ${longest.timeline.stops[longest.timeline.stopAt(seq)].says}`);
    this.host.dataset.at = this.at ?? "";
    this.host.dataset.last = last;
    if (this.playing === (this.playButton.dataset.playing === "true")) return;
    this.playButton.dataset.playing = this.playing;
    this.playButton.replaceChildren(icon(this.playing ? "pause" : "play"));
    this.playButton.setAttribute("aria-label", say(this.playing ? "replay_pause" : "replay_play"));
  }

  /** Tells the page whether the selected step is drawn at this moment. */
  noteSelection() {
    const here = (log) => ({ selected, [log]: { nodes } }) => Boolean(nodes[selected]);
    const missing = this.views.some(here("log")) && !this.views.some(here("shown"));
    document.documentElement.classList.toggle("not-yet", missing);
  }

  /* A slider that is dragged passes many moments: the first and where it rests are worth a trip to Python. */
  tellSoon() {
    clearTimeout(this.telling);
    const wait = Math.max(0, (this.toldAt ?? -Infinity) + REST - performance.now());
    this.telling = setTimeout(() => {
      this.toldAt = performance.now();
      const [first] = this.views;
      if (!first) return;
      if (first.props.sync_url) Address.writeMoment(this.seqOf(first));
      const rejudged = first.rejudged;
      first.rejudged = false;
      first.onSeek({ moments: this.moments(), judges: first.judgesShown(), rejudged, asked: this.toldAt });
    }, wait);
  }

  /** The seq that each tree shows, by run; null where it shows all there is. */
  moments() { return Object.fromEntries(this.views.map((view) => [view.log.run, this.seqOf(view)])); }

  onKey(event) {
    if (!this.host.isConnected) return this.abort.abort();
    if (this.host.hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || event.target.closest?.(FIELDS)) return;
    if (event.key === "[") this.step(-1);
    else if (event.key === "]") this.step(1);
    else if (event.key === " " && !event.target.closest?.(BUTTONS)) this.toggle();
    else return;
    event.preventDefault();
  }
}

function make(tag, properties) { return Object.assign(document.createElement(tag), properties); }

function remembered() { try { return localStorage.getItem("rte-slowly"); } catch { return null; } }

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
