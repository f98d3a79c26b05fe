/* Walking the tree with the keys, and finding the node under the pointer: pure functions on a scene. */

/** What a key does in each direction of drawing: towards the parent, a child, or the neighbours of the same level. */
const KEYS = {
  down: { ArrowUp: "parent", ArrowDown: "child", ArrowLeft: "before", ArrowRight: "after" },
  right: { ArrowLeft: "parent", ArrowRight: "child", ArrowUp: "before", ArrowDown: "after" },
};

/** The move a key asks for, or null when the key is not ours. */
export function moveOf(key, direction) {
  if (key === "Home") return "root";
  if (key === "End") return "chosen";
  if (key === "Enter") return "again";
  return KEYS[direction][key] ?? null;
}

/** Index of the node a move leads to, from index `from` (-1: nothing selected yet). `order` as drawn, below `root`. */
export function walk(log, order, from, move, root = 0) {
  if (!log.nodes.length) return -1;
  if (move === "root") return root;
  if (move === "chosen") return log.chosen >= 0 ? log.chosen : from;
  if (from < 0) return root;
  if (move === "parent") return from === root ? root : Math.max(0, log.nodes[from].parent);
  if (move === "child") return firstChild(log, order, from);
  if (move === "before" || move === "after") return neighbour(log, order, from, move === "before" ? -1 : 1, root);
  return from;
}

/* On the chosen path the walk down follows it; elsewhere it takes the first child. */
function firstChild(log, order, from) {
  return order[from].length ? order[from][0] : from;
}

/* The next sibling, or past the family's edge the next cousin of the same level: no row is a dead end. */
function neighbour(log, order, from, step, root) {
  const row = level(order, log.nodes[from].depth - log.nodes[root].depth, root);
  return row[row.indexOf(from) + step] ?? from;
}

function level(order, depth, root) {
  let row = [root];
  for (let d = 0; d < depth; d++) row = row.flatMap((index) => order[index]);
  return row;
}

/** Pixel position inside the frame of node `index`. */
export function pixelOf({ at, view, size }, index) {
  return {
    x: (at.x[index] - view.x[0]) / (view.x[1] - view.x[0]) * size.width,
    y: (at.y[index] - view.y[0]) / (view.y[1] - view.y[0]) * size.height,
  };
}

/** Index of the node nearest to a point inside the frame, within `reach` px; -1 where there is none. */
export function nodeAt(scene, point, reach) {
  let best = -1, nearest = reach * reach;
  for (let i = 0; i < scene.at.x.length; i++) {
    const { x, y } = pixelOf(scene, i);
    const distance = (x - point.x) ** 2 + (y - point.y) ** 2;
    if (distance <= nearest) { best = i; nearest = distance; }
  }
  return best;
}

/** The view moved just enough that node `index` lies in it, `margin` px from the frame. */
export function bringIntoView(scene, index, margin = 36) {
  const pixel = pixelOf(scene, index);
  const moved = (axis, at, pixels) => {
    const [low, high] = scene.view[axis];
    const over = at < margin ? at - margin : at > pixels - margin ? at - (pixels - margin) : 0;
    const by = over / pixels * (high - low);
    return [low + by, high + by];
  };
  return { x: moved("x", pixel.x, scene.size.width), y: moved("y", pixel.y, scene.size.height) };
}

/** The view scaled about a point of the frame given as fractions; factor < 1 zooms in. */
export function zoomed(view, factor, centre = { x: 0.5, y: 0.5 }) {
  const scaled = ([low, high], part) => {
    const fixed = low + (high - low) * part;
    return [fixed + (low - fixed) * factor, fixed + (high - fixed) * factor];
  };
  return { x: scaled(view.x, centre.x), y: scaled(view.y, centre.y) };
}
