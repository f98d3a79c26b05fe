/* Trees side by side that select together. A step is named by the texts on the way to it: the only name that means the
 * same in every tree. Nothing here goes to the server. */

/** The other trees of this one's group. */
export function peersOf(view) {
  if (!view.props.group) return [];
  return [...document.querySelectorAll(".search-tree")]
    .map((root) => root.searchTree?.view)
    .filter((other) => other && other !== view && other.props.group === view.props.group);
}

/** Path to the step that a reader of one of `trees` has selected; null where nothing is. */
export function wantedBy(trees) {
  const leader = trees.find((tree) => tree.selected >= 0 && !tree.wanted);
  return leader ? pathTo(leader.shown, leader.selected) : null;
}

/** The texts from the first step down to node `index`; none for the problem itself. */
export function pathTo(log, index) {
  return log.path(index).reverse().slice(1).map((step) => log.nodes[step].key);
}

/** Index of the node at the end of the same path; else of the same step at the same depth; else -1. */
export function counterpart(log, path) {
  if (!log.nodes.length) return -1;
  let at = 0;
  for (const key of path) {
    at = log.nodes[at].children.find((child) => log.nodes[child].key === key) ?? -1;
    if (at < 0) return sameStep(log, path.length, path.at(-1));
  }
  return at;
}

/* Of several the one on the chosen path, else the best. */
function sameStep(log, depth, key) {
  const worth = (node) => (log.onChosenPath.has(node.index) ? 2 : 0) + (node.score ?? -1);
  const same = log.nodes.filter((node) => node.depth === depth && node.key === key);
  return same.length ? same.reduce((best, node) => (worth(node) > worth(best) ? node : best)).index : -1;
}

/** What is selected in each tree of the group, by run: an id, or null where the step does not occur. */
export function selections(view) {
  return Object.fromEntries([view, ...peersOf(view)].map((tree) => [tree.log.run, tree.selectedId()]));
}
