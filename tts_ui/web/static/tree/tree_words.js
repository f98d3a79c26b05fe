/* What the views say of a step: pure functions on a log. A step's number is its depth; ids are those of nodes. */

const own = new URL(import.meta.url).search;
const [{ EXACT }, { say }] = await Promise.all(
  ["tree_log.js", "words_tree.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

/** A score in as few digits as tell it from its neighbours at both ends: 0.41, 0.0003, 0.9996. */
export function digits(value) {
  const gap = Math.min(Math.abs(value), Math.abs(1 - value));
  if (gap === 0 || gap >= 0.005 || value < 0 || value > 1) return value.toFixed(2);
  const places = Math.min(6, Math.ceil(-Math.log10(gap)));
  return value.toFixed(gap < 5e-7 ? 2 : places);
}

/** The same without the leading zero, which says nothing where there is little room. */
export function shortScore(value) { return digits(value).replace(/^(-?)0\./, "$1."); }

const STEP_NUMBER = /^\s*(?:#{1,6}\s*)?(?:\*\*)?step\s+(\d+)\s*(?:\*\*)?\s*[:.]\s*(?:\*\*)?\s*/i;

/** A step's text without "## Step 3:" at its beginning, where its number stands beside it. */
export function stepText(text, depth) {
  const [head, number] = STEP_NUMBER.exec(text) ?? [];
  const rest = head && Number(number) === depth ? text.slice(head.length) : text;
  return rest.trim() ? rest : text;
}

/** Whether a step was left where it was, without having been weighed: the search ended first. */
export function isUnexplored(log, node) {
  if (node.reason === "width_reached" || node.reason === "fruitless" || node.reason === "budget") return true;
  const over = log.status !== "" && log.status !== "running";
  return over && node.status === "open" && !node.children.length && node.finish === "step";
}

/** The status in plain words. */
export function statusWord(log, node) {
  if (node.index === 0) return say("problem");
  if (node.index === log.chosen) return say("chosen_answer");
  if (isUnexplored(log, node)) {
    const { reason, reached } = node;
    if (reason === "width_reached" && reached !== null) return say("unexplored_width", { reached });
    return say({ fruitless: "unexplored_fruitless", budget: "unexplored_budget" }[reason] ?? "status_unexplored");
  }
  if (node.reason === "rollout_dropped" && node.status === "pruned") return say("rollout_dropped");
  return say(`status_${node.status === "open" && node.children.length ? "continued" : node.status}`);
}

/** What the tree says of a node when it is selected: "step 3, score 0.41, pruned, child 2 of 4". */
export function describe(log, node, siblings) {
  if (node.index === 0) return say("described_problem", { n: node.children.length });
  const { depth, score } = node;
  const said = [say("step", { depth }), score === null ? say("not_scored") : say("scored", { score: digits(score) })];
  said.push(...remarks(log, node));
  if (siblings.length > 1) {
    said.push(say("child", { place: siblings.indexOf(node.index) + 1, siblings: siblings.length }));
  }
  return said.join(", ");
}

/** Status, outcome and origin of a step, in words. */
export function remarks(log, node) {
  const words = [statusWord(log, node)];
  if (node.truth !== null) words.push(say(node.truth ? "right_step" : "wrong_step", { by: sourceName(log.best) }));
  if (node.correct !== null) words.push(say(node.correct ? "correct" : "wrong"));
  if (node.finish === "length") words.push(say("truncated"));
  if (node.finish === "budget") words.push(say("cut"));
  if (node.copies > 1) words.push(say("draws", { n: node.copies }));
  if (node.origin === "human") words.push(say("by_hand"));
  if (node.origin === "rollout" && node.reason !== "rollout_dropped") words.push(say("rollout"));
  if (node.visits !== null) words.push(say("visits", { n: node.visits }));
  if (node.lanes) words.push(laneWords(node.lanes));
  return words;
}

/** "subtree 1", "subtrees 1, 4": counted from 1, as people do. */
export function laneWords(lanes) {
  return say("subtrees", { n: lanes.length, lanes: lanes.map((lane) => lane + 1).join(", ") });
}

/** "+7 (best 0.41)": what a group of siblings that were set aside says in their place. */
export function groupWords(group) {
  const { best, members: { length: count } } = group;
  return best === null ? say("group", { count }) : say("group_best", { count, best: digits(best) });
}

/** What the word on right and wrong is called whose log calls it `by`: the exact check, or a person. */
export function sourceName(by) { return by === EXACT ? say("exact_check") : by; }
