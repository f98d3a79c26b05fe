/* The tree behind the picture: reads the growing text of one JSON value per line (tree_lines.py) and keeps what it says
 * so far. Knows nothing of drawing. Model text stays data here: it is stored as strings and never interpreted. */

/* The facts of a line that is an array, in order; an object at its end names the rest. */
const FACTS = {
  n: { t: "node", names: ["s", "id", "p", "x", "n", "l", "k", "h", "u"] },
  c: { t: "node", names: ["s", "id", "c"] },
  v: { t: "score", names: ["s", "id", "v", "j"] },
  x: { t: "truth", names: ["s", "id", "ok"] },
  d: { t: "decide", names: ["s", "id", "a"] },
};

/* Who says which steps are right, where it is the check of a built-in problem. */
export const EXACT = "exact check";

/* Actions by their number on the line. */
const ACTIONS = ["keep", "prune", "expand", "finish", "choose", "descend", "backup"];
const STATUS_OF = { keep: "kept", prune: "pruned", finish: "finished" };

/* Kinds of truth, the best first. */
const TRUTHS = ["exact", "human", "imported", "estimated"];

const ABOUT_A_NODE = new Set(["score", "truth", "decide", "grade"]);

/** One search as read so far. `nodes[0]` is the problem; a parent always comes before its children. Of the scores only
 * those of one judge count: the one that the first line names, if it names one. */
export class TreeLog {
  constructor() { this.reset(); }

  reset() {
    this.seen = "";
    this.lines = [];            // all lines so far, parsed; `s` is the moment that each belongs to
    this.newest = 0;            // the last moment so far
    this.run = "";
    this.judge = undefined;     // whose scores are shown; undefined: any judge's
    this.own = undefined;       // the judge whose scores are shown unless another is asked for
    this.named = [];            // all judges, in the order in which they came
    this.against = undefined;   // whose scores are compared with those shown; undefined: the next judge's
    this.status = "";           // "" before the first line, "running", then what the end line says
    this.nodes = [];
    this.indexOf = new Map();   // node id -> index in nodes
    this.chosen = -1;           // index of the chosen answer's leaf
    this.onChosenPath = new Set();
    this.graded = false;        // whether any leaf was compared with a reference answer
    this.handmade = false;      // whether a person wrote any step
    this.judges = [];           // the other judges, in the order in which they came
    this.sources = new Map();   // kinds of truth: who says it -> "exact", "human", "imported" or "estimated"
    this.wished ??= "";         // the one that the reader chose
    this.best = "";             // the one that is shown: that one, else the best there is
    this.knows = new Set();     // what any node has: "logprob", "confidence", "truth", "visits", "lanes"
    this.waiting = new Map();   // node id not seen yet -> lines about it
  }

  /** Reads what is new in `value`. Returns true when it was another text and everything was read afresh. */
  read(value) {
    const fresh = !value.startsWith(this.seen);
    if (fresh) this.reset();
    const lines = value.slice(this.seen.length).split("\n");
    const rest = lines.pop();
    let taken = value.length - rest.length;
    for (const line of lines) this.take(parse(line));
    const last = parse(rest);   // a complete last line without its newline counts, half a line waits
    if (last) { this.take(last); taken = value.length; }
    this.seen = value.slice(0, taken);
    return fresh;
  }

  /** Accepts a line and keeps it. One without a seq (the end, what was right) belongs to the moment it comes in. */
  take(event) {
    if (!event) return;
    if (!Number.isFinite(event.s)) event.s = this.newest;
    this.newest = Math.max(this.newest, event.s);
    this.lines.push(event);
    this.accept(event);
  }

  /** The search as it was when `seq` was its last moment: a log of its own, which what is read later does not reach. */
  upTo(seq) {
    const then = new TreeLog();
    then.wished = this.wished;
    for (const line of this.lines) if (line.s <= seq) then.accept(line);
    return then;
  }

  accept(event) {
    if (event.t === "run") this.begin(event);
    else if (event.t === "end") this.status = String(event.status ?? "done");
    else if (event.t === "node") this.addNode(event);
    else if (event.t === "source") this.addSource(String(event.by), String(event.kind));
    else if (ABOUT_A_NODE.has(event.t)) this.annotate(event);
  }

  begin(event) {
    this.run = String(event.id ?? "");
    this.judge = this.own = event.j;
    if (this.own !== undefined && !this.named.length) this.named.push(this.own);
    this.status = "running";
    if (!this.nodes.length) this.append({ id: 0, x: event.root }, -1);
  }

  addNode(event) {
    const known = this.indexOf.get(event.id);
    if (known !== undefined) return this.update(this.nodes[known], event);
    if (event.id === 0 || event.p === null || event.p === undefined) return;
    const parent = this.indexOf.get(event.p);
    if (parent === undefined) return this.wait(event.p, event);
    this.append(event, parent);
  }

  append(event, parent) {
    const index = this.nodes.length;
    const node = {
      id: event.id, index, parent, depth: parent < 0 ? 0 : this.nodes[parent].depth + 1, children: [],
      text: "", key: "", finish: null, copies: 1, origin: "policy", tokens: null, logprob: null, confidence: null,
      certainty: null, answer: null,
      score: null, others: null, exact: null, truth: null, value: null, visits: null, lanes: null,
      status: "open", reason: "", reached: null, correct: null,
    };
    this.update(node, event);
    this.nodes.push(node);
    this.indexOf.set(event.id, index);
    if (parent >= 0) this.nodes[parent].children.push(index);
    const held = this.waiting.get(event.id) ?? [];
    this.waiting.delete(event.id);
    for (const line of held) this.accept(line);
  }

  update(node, event) {
    if (event.x !== undefined) node.text = String(event.x ?? "");
    node.key = event.k ?? (node.key || node.text);      // what two trees know the step by; a long text has a hash
    if (event.f !== undefined) node.finish = event.f;
    if (Number.isFinite(event.c)) node.copies = event.c;
    if (event.o !== undefined) node.origin = String(event.o);
    this.handmade ||= node.origin === "human";
    if (Number.isFinite(event.n)) node.tokens = event.n;
    if (Number.isFinite(event.l)) { node.logprob = event.l; this.knows.add("logprob"); }
    if (Number.isFinite(event.h)) { node.confidence = event.h; this.knows.add("confidence"); }
    if (Number.isFinite(event.u)) { node.certainty = event.u; this.knows.add("certainty"); }
    if (event.a !== undefined) node.answer = String(event.a ?? "");
  }

  annotate(event) {
    const index = this.indexOf.get(event.id);
    if (index === undefined) return this.wait(event.id, event);
    const node = this.nodes[index];
    if (event.t === "score") this.score(node, event);
    else if (event.t === "grade") this.grade(node, event.ok);
    else if (event.t === "truth") this.judgeExactly(node, event.ok);
    else if (event.a === "choose") this.choose(index);
    else this.decide(node, event);
  }

  decide(node, { a: action, r: reason = "", n, m, u: lane }) {
    if (action === "backup") {
      if (Number.isFinite(n)) { node.visits = n; this.knows.add("visits"); }
      if (Number.isFinite(m)) node.value = m;
      return;
    }
    if (STATUS_OF[action] === undefined) return;
    node.status = STATUS_OF[action];
    node.reason = String(reason);
    node.reached = Number.isFinite(n) ? n : null;
    if (!Number.isInteger(lane) || action !== "keep") return;
    node.lanes = [...new Set([...(node.lanes ?? []), lane])];
    this.knows.add("lanes");
  }

  score(node, { v: value, j: judge = this.own }) {
    const known = Number.isFinite(value) ? value : null;
    if (judge !== undefined && !this.named.includes(judge)) this.named.push(judge);
    this.keepScore(node, known, judge);
    if (this.sources.size) this.judgeBy(node, this.best);
  }

  keepScore(node, known, judge) {
    if (judge === undefined || judge === this.judge || this.judge === undefined) node.score = known;
    if (judge === undefined || judge === this.judge) return;
    (node.others ??= {})[judge] = known;
    if (!this.judges.includes(judge)) this.judges.push(judge);
  }

  /** A judge's score of a node, or null. */
  scoreBy(node, judge) { return judge === this.judge ? node.score : node.others?.[judge] ?? null; }

  /** Shows the scores of another judge; those shown before are then another's. */
  setJudge(judge) {
    if (judge === this.judge || !this.named.includes(judge)) return;
    for (const node of this.nodes) {
      const others = { ...node.others };
      if (this.judge !== undefined && node.score !== null) others[this.judge] = node.score;
      node.score = others[judge] ?? null;
      delete others[judge];
      node.others = others;
    }
    this.judge = judge;
    this.judges = this.named.filter((name) => name !== judge);
  }

  /** A moment of `whole` is shown as `whole` is. What was added since the end is an opinion on steps that were there, so
   * they have it at every moment; the search's own scores come when they came. */
  showAs(whole) {
    this.against = whole.against;
    if (whole.named.length < 2) return;
    this.named = whole.named;
    this.setJudge(whole.judge);
    const added = whole.named.filter((name) => name !== whole.own);
    for (const node of this.nodes) {
      for (const judge of added) {
        const value = whole.scoreBy(whole.nodes[node.index], judge);
        if (judge === this.judge) node.score = value;
        else (node.others ??= {})[judge] = value;
      }
    }
    this.judges = this.named.filter((name) => name !== this.judge);
    if (this.sources.size) this.judgeAgain();
  }

  judgeExactly(node, right) {
    node.exact = typeof right === "boolean" ? right : null;
    if (node.exact !== null) this.addSource(EXACT, "exact");
    this.judgeBy(node, this.best);
  }

  /* Who says which steps are right: an exact check, people's labels, or rollouts. */
  addSource(by, kind) {
    if (this.sources.has(by)) return;
    this.sources.set(by, kind);
    this.judgeAgain();
  }

  /** All steps are judged again, by whom the reader chose now. */
  judgeAgain() {
    [this.best = ""] = sourcesOf(this);
    for (const node of this.nodes) this.judgeBy(node, this.best);
  }

  judgeBy(node, by) {
    node.truth = verdictBy(this, node, by);
    if (node.truth !== null) this.knows.add("truth");
  }

  grade(node, correct) {
    node.correct = typeof correct === "boolean" ? correct : null;
    this.graded ||= node.correct !== null;
  }

  choose(index) {
    this.chosen = index;
    this.onChosenPath = new Set(this.path(index));
  }

  /** Indices from node `index` up to the root. */
  path(index) {
    const found = [];
    for (let i = index; i >= 0; i = this.nodes[i].parent) found.push(i);
    return found;
  }

  wait(id, event) {
    if (!this.waiting.has(id)) this.waiting.set(id, []);
    this.waiting.get(id).push(event);
  }

  /** Children of every node in drawing order: as they came, or the best subtree first. */
  ordered(bestFirst) {
    if (!bestFirst) return this.nodes.map((node) => node.children);
    const worth = this.subtreeWorth();
    return this.nodes.map((node) => [...node.children].sort((a, b) => worth[b] - worth[a] || a - b));
  }

  /* The chosen answer's subtree, then subtrees with finished leaves, then open, then pruned ones; by best leaf. */
  subtreeWorth() {
    const worth = new Float64Array(this.nodes.length).fill(-Infinity);
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const node = this.nodes[i];
      if (!node.children.length) worth[i] = this.leafWorth(node);
      if (node.parent >= 0) worth[node.parent] = Math.max(worth[node.parent], worth[i]);
    }
    return worth;
  }

  leafWorth(node) {
    const tier = node.index === this.chosen ? 3 : { finished: 2, pruned: 0 }[node.status] ?? 1;
    const own = this.own === undefined ? node.score : this.scoreBy(node, this.own);   // another judge moves nothing
    const score = own === null ? -0.5 : Math.tanh(own / 4);   // in (-1, 1): never crosses a tier
    return 2 * tier + score;
  }
}

/** What `by` says of a step: right or wrong exactly, else a value of 0 to 1; null where it is silent. */
export function saidBy(log, node, by) {
  if (log.sources.get(by) === "exact") return node.exact;
  return (by === log.judge ? node.score : node.others?.[by]) ?? null;
}

/** Whether a step is right by `by`; null where it is silent or neutral. Of rollouts, one that ends right is enough. */
export function verdictBy(log, node, by) {
  const said = saidBy(log, node, by), kind = log.sources.get(by);
  if (said === null || kind === "exact") return said;
  if (kind === "estimated") return said > 0;
  return said === 0.5 ? null : said > 0.5;
}

/** Who says which steps are right, the best first; whom the reader chose leads. */
export function sourcesOf(log) {
  const ranked = TRUTHS.flatMap((kind) => [...log.sources].filter(([, its]) => its === kind).map(([by]) => by));
  return log.sources.has(log.wished) ? [log.wished, ...ranked.filter((by) => by !== log.wished)] : ranked;
}

function parse(line) {
  if (!line.trim()) return null;
  try {
    const event = JSON.parse(line);
    if (Array.isArray(event)) return named(event);
    return event && typeof event === "object" ? event : null;
  } catch {
    return null;
  }
}

function named([kind, ...facts]) {
  const { t, names } = FACTS[kind] ?? {};
  if (!t) return null;
  const rare = facts.at(-1) && typeof facts.at(-1) === "object" ? facts.pop() : {};
  const event = { t };
  facts.forEach((fact, i) => { if (names[i] && fact !== null) event[names[i]] = fact; });
  if (t === "decide") event.a = ACTIONS[event.a] ?? event.a;
  return Object.assign(event, rare);
}
