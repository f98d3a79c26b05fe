/* Finding steps: which ones a filter keeps, and the places worth jumping to. Pure functions on a log. */

const own = new URL(import.meta.url).search;
const [{ isUnexplored, sourceName }, { saidBy, sourcesOf, verdictBy }, { say }] = await Promise.all(
  ["tree_words.js", "tree_log.js", "words_tree.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

export const STATUSES = ["kept", "pruned", "finished", "unexplored", "right", "wrong"];

/** A filter from its fields, as typed; null where all are empty. Numbers that are none are left out. */
export function filterOf({ text = "", status = "", answer = "", from = "", to = "", depth = "" }) {
  const number = (typed) => (typed.trim() !== "" && Number.isFinite(Number(typed)) ? Number(typed) : null);
  const filter = {
    text: text.trim().toLowerCase(),
    status,
    answer: answer.trim().toLowerCase(),
    from: number(from),
    to: number(to),
    depth: number(depth),
  };
  return Object.values(filter).some((wish) => wish !== "" && wish !== null) ? filter : null;
}

/** Indices of the steps that the filter keeps; `textOf(node)` is what is known of a step's text. */
export function matches(log, filter, textOf = (node) => node.text) {
  return log.nodes.filter((node) => node.index > 0 && keeps(log, filter, node, textOf)).map((node) => node.index);
}

function keeps(log, { text, status, answer, from, to, depth }, node, textOf) {
  if (depth !== null && node.depth !== depth) return false;
  if (from !== null && !(node.score !== null && node.score >= from)) return false;
  if (to !== null && !(node.score !== null && node.score <= to)) return false;
  if (status && !hasStatus(log, node, status)) return false;
  if (answer && (node.answer ?? "").toLowerCase() !== answer) return false;
  return !text || textOf(node).toLowerCase().includes(text);
}

function hasStatus(log, node, status) {
  if (status === "right" || status === "wrong") return (node.truth ?? node.correct) === (status === "right");
  if (status === "unexplored") return isUnexplored(log, node);
  return node.status === status && !(status === "pruned" && isUnexplored(log, node));
}

/** The next of `found` after `from`, in the order given; before it where `step` is -1. Wraps around. */
export function nextOf(found, from, step = 1) {
  if (!found.length) return -1;
  const at = found.indexOf(from);
  if (at < 0) return step > 0 ? found[0] : found.at(-1);
  return found[(at + step + found.length) % found.length];
}

/** What one may jump to: name, key, and the step's index in a log, -1 where there is none. */
export const JUMPS = [
  { id: "best", name: say("jump_best"), key: "b", find: (log) => extreme(log, (node) => node.score) },
  {
    id: "worst",
    name: say("jump_worst"),
    key: "w",
    find: (log) => extreme(log, (node) => (node.score === null ? null : -node.score)),
  },
  { id: "drop", name: say("jump_drop"), key: "d", find: (log) => extreme(log, (node) => dropOf(log, node)) },
  { id: "wrong", name: say("jump_wrong"), key: "x", find: firstWrong, says: (log) => faultOf(log).says },
  { id: "chosen", name: say("jump_chosen"), key: "End", find: (log) => log.chosen },
];

function extreme(log, worth) {
  let best = -1,
    most = -Infinity;
  for (const node of log.nodes) {
    const value = node.index > 0 ? worth(node) : null;
    if (value !== null && value > most) {
      most = value;
      best = node.index;
    }
  }
  return best;
}

/** How far a step's score lies below its parent's; null where one of them has none. */
function dropOf(log, node) {
  const above = log.nodes[node.parent]?.score ?? null;
  return node.score === null || above === null ? null : above - node.score;
}

/* The first wrong step of the chosen path, by the best truth that says anything of it; the shallowest wrong one
 * elsewhere where that finds none there. Where there is no truth, the largest fall of the score on that path, or, if it
 * ends right, the best wrong answer. */
function firstWrong(log) { return faultOf(log).index; }

/** The same, with the words that say by whom: {index, says}. */
export function faultOf(log) {
  const path = log.chosen < 0 ? [] : log.path(log.chosen).reverse().slice(1).map((index) => log.nodes[index]);
  const source = sourcesOf(log).find((each) => path.some((node) => saidBy(log, node, each) !== null)) ?? log.best;
  const wrong = (node) => source !== "" && verdictBy(log, node, source) === false;
  const by = sourceName(source);
  const chosen = path.find(wrong);
  if (chosen) return { index: chosen.index, says: say("fault_chosen", { by }) };
  const elsewhere = log.nodes.filter(wrong);
  if (elsewhere.length) {
    const first = elsewhere.reduce((best, node) => (node.depth < best.depth ? node : best));
    return { index: first.index, says: say("fault_elsewhere", { by }) };
  }
  if (source !== "") return { index: -1, says: say("fault_none", { by }) };
  if (log.nodes[log.chosen]?.correct) {
    const answer = extreme(log, (node) => (node.correct === false ? (node.score ?? 0) : null));
    if (answer >= 0) return { index: answer, says: say("fault_answer") };
  }
  const fallen = extreme(log, (node) => (path.length && !path.includes(node) ? null : falling(log, node)));
  const found = fallen < 0 ? "nowhere" : "fall";
  return { index: fallen, says: say(path.length ? `fault_${found}_on_path` : `fault_${found}`) };
}

function falling(log, node) {
  const drop = dropOf(log, node);
  return drop > 0 ? drop : null;
}
