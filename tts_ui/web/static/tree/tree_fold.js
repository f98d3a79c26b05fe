/* Which part of a tree is on the screen: subtrees that are folded, siblings set aside as one "+7 (best 0.41)", and a
 * subtree that stands alone. What the reader opened and closed is kept by id, so that it outlasts a growing log;
 * `shapeOf` applies it and is pure. */

const own = new URL(import.meta.url).search;
const { isUnexplored } = await import(new URL(`tree_words.js${own}`, import.meta.url));

export const GROUP_ABOVE = 300; // nodes; in a larger tree siblings that were set aside stand as one
const GROUP_LEAST = 2;
export const MOST_DRAWN = 4000; // nodes that are opened by themselves; the reader may open more

export class Fold {
  constructor() {
    this.reset();
  }

  reset() {
    this.closed = new Set(); // ids of nodes whose subtrees are folded
    this.opened = new Set(); // ids of nodes whose children are all shown, whatever their number
    this.grouped = null; // whether siblings set aside are grouped: true, false, or null, by the tree's size
    this.root = 0; // id of the node that stands at the top
  }

  /** Folds or unfolds the subtree below a node. */
  toggle(id, isFolded) {
    if (isFolded) {
      this.closed.delete(id);
      this.opened.add(id);
    } else {
      this.opened.delete(id);
      this.closed.add(id);
    }
  }

  /** Opens or closes the groups below the node `id`. */
  toggleGroup(id) {
    if (!this.opened.delete(id)) this.opened.add(id);
  }

  groups(log) {
    return this.grouped ?? log.nodes.length > GROUP_ABOVE;
  }

  /** Opens whatever hides node `index`. */
  reveal(log, index) {
    const path = log.path(index);
    const top = log.indexOf.get(this.root) ?? 0;
    if (!path.includes(top)) this.root = 0;
    for (const above of path.slice(1)) this.closed.delete(log.nodes[above].id);
  }
}

/** What is drawn of `log`, whose children stand in `order`; `wanted` are indices that are shown whatever is folded.
 *
 * `children` lists the drawn children of a node, or of a group, whose indices follow those of the nodes; `list` has all
 * that is drawn, parents first; `hidden` maps a node to the number of steps folded below it. */
export function shapeOf(log, fold, order, wanted = []) {
  const n = log.nodes.length,
    root = log.indexOf.get(fold.root) ?? 0;
  const sizes = subtreeSizes(log),
    live = liveNodes(log);
  const must = new Uint8Array(n);
  for (const index of wanted) for (let i = index; i >= 0 && !must[i]; i = log.nodes[i].parent) must[i] = 1;
  const children = Array.from({ length: n }, () => NONE);
  const groups = [],
    hidden = new Map(),
    list = [root];
  const grouping = fold.groups(log);
  let drawn = 1;
  for (let at = 0; at < list.length; at++) {
    const parent = list[at],
      id = log.nodes[parent].id,
      open = fold.opened.has(id);
    let kids = order[parent];
    const all = kids.length;
    let set = NONE;
    if (fold.closed.has(id)) kids = kids.filter((kid) => must[kid]);
    else {
      if (grouping && !open) {
        set = kids.filter((kid) => !must[kid] && !live[kid] && isAside(log, log.nodes[kid]));
        const aside = new Set(set);
        if (set.length >= GROUP_LEAST) kids = kids.filter((kid) => !aside.has(kid));
        else set = NONE;
      }
      if (!open && drawn + kids.length > MOST_DRAWN) {
        kids = kids.filter((kid) => must[kid] || live[kid] > 1);
        set = NONE;
      }
    }
    if (kids.length + set.length < all)
      hidden.set(
        parent,
        order[parent].reduce((sum, kid) => sum + sizes[kid], 0) -
          [...kids, ...set].reduce((sum, kid) => sum + sizes[kid], 0),
      );
    children[parent] = kids;
    drawn += kids.length + (set.length ? 1 : 0);
    for (const kid of kids) list.push(kid);
    if (set.length) groups.push(groupOf(log, parent, set));
  }
  for (const [place, group] of groups.entries()) {
    group.index = n + place;
    children[group.parent] = [...children[group.parent], group.index];
    children.push(NONE);
    list.push(group.index);
  }
  return { root, children, list, groups, hidden, nodes: n, isGroup: (index) => index >= n };
}

const NONE = Object.freeze([]);

function groupOf(log, parent, members) {
  const known = members.map((index) => log.nodes[index].score).filter((score) => score !== null);
  const unexplored = members.every((index) => isUnexplored(log, log.nodes[index]));
  return {
    parent,
    members,
    depth: log.nodes[members[0]].depth,
    best: known.length ? Math.max(...known) : null,
    status: unexplored ? "unexplored" : "pruned",
  };
}

function isAside(log, node) {
  return node.status === "pruned" || isUnexplored(log, node);
}

/* 1: a step in the subtree is kept or finished; 2: it is on the chosen path. */
function liveNodes(log) {
  const live = new Uint8Array(log.nodes.length);
  for (let i = log.nodes.length - 1; i >= 0; i--) {
    const node = log.nodes[i];
    if (log.onChosenPath.has(i)) live[i] = 2;
    else if (!live[i] && (node.status === "finished" || node.status === "kept")) live[i] = 1;
    if (live[i] && node.parent >= 0) live[node.parent] = Math.max(live[node.parent], live[i]);
  }
  return live;
}

function subtreeSizes(log) {
  const sizes = new Float64Array(log.nodes.length).fill(1);
  for (let i = log.nodes.length - 1; i > 0; i--) sizes[log.nodes[i].parent] += sizes[i];
  return sizes;
}

/** The drawn nodes' positions in breadth, by index; NaN where nothing is drawn. `layout` is tidyLayout. */
export function breadthOf(shape, layout) {
  const place = new Map(),
    order = [...shape.list].sort((a, b) => a - b); // parents have the lower index
  order.forEach((index, at) => place.set(index, at));
  const laid = layout(order.map((index) => shape.children[index].map((child) => place.get(child))));
  const breadth = new Float64Array(shape.children.length).fill(NaN);
  order.forEach((index, at) => {
    breadth[index] = laid[at];
  });
  return breadth;
}
