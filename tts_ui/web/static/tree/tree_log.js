/* The tree behind the picture: reads the growing text of one JSON object per line and keeps what it says so far.
 * Knows nothing of drawing. Model text stays data here: it is stored as strings and never interpreted. */

const STATUS_OF = { keep: "kept", prune: "pruned", finish: "finished" };

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
    this.status = "";           // "" before the first line, "running", then what the end line says
    this.nodes = [];
    this.indexOf = new Map();   // node id -> index in nodes
    this.chosen = -1;           // index of the chosen answer's leaf
    this.onChosenPath = new Set();
    this.graded = false;        // whether any leaf was compared with a reference answer
    this.handmade = false;      // whether a person wrote any step
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
    for (const line of this.lines) if (line.s <= seq) then.accept(line);
    return then;
  }

  accept(event) {
    if (event.t === "run") this.begin(event);
    else if (event.t === "end") this.status = String(event.status ?? "done");
    else if (event.t === "node") this.addNode(event);
    else if (event.t === "score" || event.t === "decide" || event.t === "grade") this.annotate(event);
  }

  begin(event) {
    this.run = String(event.id ?? "");
    this.judge = event.j;
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
      text: "", key: "", finish: null, copies: 1, origin: "policy", tokens: null, score: null, status: "open", correct: null,
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
  }

  annotate(event) {
    const index = this.indexOf.get(event.id);
    if (index === undefined) return this.wait(event.id, event);
    const node = this.nodes[index];
    if (event.t === "score") this.score(node, event);
    else if (event.t === "grade") this.grade(node, event.ok);
    else if (event.a === "choose") this.choose(index);
    else node.status = STATUS_OF[event.a] ?? node.status;
  }

  score(node, { v: value, j: judge }) {
    if (judge !== undefined && this.judge !== undefined && judge !== this.judge) return;
    node.score = Number.isFinite(value) ? value : null;
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
    const score = node.score === null ? -0.5 : Math.tanh(node.score / 4);   // in (-1, 1): never crosses a tier
    return 2 * tier + score;
  }
}

function parse(line) {
  if (!line.trim()) return null;
  try {
    const event = JSON.parse(line);
    return event && typeof event === "object" ? event : null;
  } catch {
    return null;
  }
}

/** The status in plain words. */
export function statusWord(log, node) {
  if (node.index === 0) return "problem";
  if (node.index === log.chosen) return "chosen answer";
  return node.status;
}

/** What the tree says of a node when it is selected: "step 3, score 0.41, pruned, child 2 of 4". */
export function describe(log, node, siblings) {
  if (node.index === 0) return `problem, ${count(node.children.length, "first step")}`;
  const said = [`step ${node.depth}`, node.score === null ? "not scored" : `score ${node.score.toFixed(2)}`];
  said.push(...remarks(log, node));
  if (siblings.length > 1) said.push(`child ${siblings.indexOf(node.index) + 1} of ${siblings.length}`);
  return said.join(", ");
}

/** Status, outcome and origin of a step, in words. */
export function remarks(log, node) {
  const words = [statusWord(log, node)];
  if (node.correct !== null) words.push(node.correct ? "correct" : "wrong");
  if (node.finish === "length") words.push("truncated");
  if (node.finish === "budget") words.push("cut by the budget");
  if (node.copies > 1) words.push(`${node.copies} identical draws`);
  if (node.origin === "human") words.push("written by hand");
  if (node.origin === "rollout") words.push("rollout");
  return words;
}

function count(n, noun) { return n === 1 ? `1 ${noun}` : `${n} ${noun}s`; }
