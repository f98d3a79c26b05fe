/* The moments of a search: pure functions on a log (tree_log.js). A stop is a group of events of a kind, with the
 * sentence on it that the log brings along; between stops any seq can be shown, too. Knows nothing of pages. */

const own = new URL(import.meta.url).search;
const [{ TreeLog }, { say }] = await Promise.all(
  ["tree_log.js", "words_tree.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

const BEGINNING = { from: 0, to: 0, level: 0, says: say("beginning") };

/** What can be shown of `log`, which may grow. `stops[0]` is the problem alone. */
export class Timeline {
  constructor(log) {
    this.log = log;
    this.start();
  }

  start() {
    this.lines = this.log.lines;
    this.read = 0;
    this.stops = [BEGINNING];
    this.places = new Map();        // first seq of a stop -> its place among the stops
    this.bills = [];
    this.rewind();
  }

  rewind() {
    this.then = new TreeLog();
    this.taken = 0;                 // lines that `then` has taken
    this.seq = -1;
  }

  /** Takes in what the log has read since the last time. */
  refresh() {
    if (this.lines !== this.log.lines) this.start();
    for (; this.read < this.lines.length; this.read++) {
      const line = this.lines[this.read];
      if (line.t === "say") this.addStop(line);
      else if (line.t === "bill") this.bills.push(line);
    }
  }

  addStop({ s: from, e: to, l: level, x: says }) {
    const place = this.places.get(from) ?? this.stops.length;
    this.places.set(from, place);
    this.stops[place] = { from, to, level, says: String(says) };
  }

  get last() { return this.stops.length - 1; }

  /** The tree when `seq` was its last moment. The same object moves on with the next call: forwards it only takes the
   * lines in between, however long the log is. */
  at(seq) {
    if (seq < this.seq) this.rewind();
    const { lines, then } = this;
    while (this.taken < lines.length && lines[this.taken].s <= seq) then.accept(lines[this.taken++]);
    this.seq = seq;
    then.showAs(this.log);
    return then;
  }

  /** Place of the stop that `seq` lies in. */
  stopAt(seq) {
    let low = 0, high = this.last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.stops[middle].to < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What had been spent by then, in words; empty where it was not recorded. */
  billAt(seq) {
    let found = "";
    for (const { s, x } of this.bills) if (s <= seq) found = String(x);
    return found;
  }

  /** How many stops in a row belong to the level of the stop at `place`. */
  levelLength(place) {
    const { stops } = this;
    let first = place, end = place;
    while (first > 0 && stops[first - 1].level === stops[place].level) first--;
    while (end <= this.last && stops[end].level === stops[place].level) end++;
    return end - first;
  }

  /** Place of the last stop of the level at `place`. */
  endOfLevel(place) {
    let end = place;
    while (end < this.last && this.stops[end + 1].level === this.stops[place].level) end++;
    return end;
  }
}
