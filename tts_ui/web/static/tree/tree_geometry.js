/* Where things lie: tree units, pixels, and the room that a mark takes. Pure functions on a scene. */

// px between the frame and the outermost nodes; the tools lie on top, with larger buttons for fingers
const INSET = { x: [30, 34], xNarrow: [22, 34], y: [48, 32], yTouch: [60, 32], xTexts: [30, 190] };
const NARROW = 480;
const COLUMN_MAX = 84;              // px; a small tree is not blown up to the frame
const LEVEL_MAX = 104;
const TEXTS = 2.4;                  // times these where each step's text stands beside it

/** Screen coordinates in tree units (across and down, or along and across when the tree is drawn rightwards), and
 * `gap`, the least distance between neighbours of one level. What is not drawn lies at NaN. */
export function place(log, shape, breadth, direction) {
  const depth = new Float64Array(breadth.length).fill(NaN);
  for (const index of shape.list) depth[index] = (log.nodes[index] ?? shape.groups[index - shape.nodes]).depth;
  const gap = leastGap(shape.list, depth, breadth);
  return direction === "right" ? { x: depth, y: breadth, gap } : { x: breadth, y: depth, gap };
}

function leastGap(list, depth, across) {
  const levels = [];
  for (const index of list) (levels[depth[index]] ??= []).push(across[index]);
  let least = 2;      // a chain has no neighbours: two columns of room
  for (const level of levels) {
    level?.sort((a, b) => a - b);
    for (let i = 1; i < (level?.length ?? 0); i++) least = Math.min(least, level[i] - level[i - 1]);
  }
  return least;
}

/** The ranges that show the whole tree. y grows downwards, as on the screen. */
export function fitView(at, size, direction, touch = false, texts = false, scale = 1) {
  const right = direction === "right", stretch = texts ? TEXTS : 1;
  const wide = size.width < NARROW ? INSET.xNarrow : texts && right ? INSET.xTexts : INSET.x;
  const inset = { x: wide.map((px) => px * scale), y: (touch ? INSET.yTouch : INSET.y).map((px) => px * scale) };
  return {
    x: fitAxis(at.x, size.width, inset.x, scale * stretch * (right ? LEVEL_MAX * 1.6 : COLUMN_MAX), right),
    y: fitAxis(at.y, size.height, inset.y, scale * (right ? COLUMN_MAX * 0.6 : LEVEL_MAX), !right),
  };
}

function fitAxis(values, pixels, [before, after], unitMax, fromStart) {
  let low = Infinity, high = -Infinity;
  for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
  const room = Math.max(1, pixels - before - after);
  const perPixel = Math.max((high - low) / room, 1 / unitMax);
  const spare = fromStart ? 0 : (room * perPixel - (high - low)) / 2;
  const start = low - spare - before * perPixel;
  return [start, start + pixels * perPixel];
}

/* Pixels between neighbours of one level. */
function roomBeside({ at, view, size, direction }) {
  return at.gap * pixelsPerUnit(view, size, direction === "right" ? "y" : "x");
}

/** Node diameter in px: as large as the columns and levels allow. */
export function markerSize(scene) {
  const { view, size, direction, theme } = scene;
  const column = roomBeside(scene);
  const level = pixelsPerUnit(view, size, direction === "right" ? "x" : "y");
  return Math.max(4.5, Math.min(15 * theme.scale, column * (direction === "right" ? 0.45 : 0.62), level * 0.42));
}

export function pixelsPerUnit(view, size, axis) {
  return (axis === "x" ? size.width : size.height) / (view[axis][1] - view[axis][0]);
}

/** The points of an edge in tree units; it leaves the parent and meets the child along the depth. */
export function edgePoints({ at: { x, y }, direction }, from, to, curved = true) {
  const steps = !curved || x[from] === x[to] || y[from] === y[to] ? 1 : 12;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const t = i / steps, eased = t * t * (3 - 2 * t), right = direction === "right";
    return [x[from] + (x[to] - x[from]) * (right ? t : eased), y[from] + (y[to] - y[from]) * (right ? eased : t)];
  });
}

export function symbolOf(log, index) {
  const node = log.nodes[index];
  if (!node) return "square";     // a group
  if (index === 0) return "square";
  if (index === log.chosen) return "star";
  return node.status === "finished" ? "diamond" : "circle";
}

/* A star or diamond covers less of its box than a circle, so it is drawn larger to weigh the same. */
const SYMBOL_SCALE = { square: 0.95, star: 1.4, diamond: 1.25, circle: 1 };
/* How far Plotly draws a symbol beyond half of its size. */
const SYMBOL_REACH = { square: 1, star: 1.4, diamond: 1.3, circle: 1 };
const SYMBOL_LEAST = { square: 9, star: 13, diamond: 0, circle: 0 };

/** The size of a node's mark, as Plotly takes it, in px. */
export function sizeOf(log, index, diameter) {
  const symbol = symbolOf(log, index);
  return Math.max(SYMBOL_LEAST[symbol], diameter * SYMBOL_SCALE[symbol]);
}

/** Half of the box that a node's mark fills, in px. */
export function reachOf(log, index, diameter) {
  return sizeOf(log, index, diameter) / 2 * SYMBOL_REACH[symbolOf(log, index)];
}

/** How far the ring of a selected node reaches beyond its mark, in px: nothing else is written there. */
export const RING_REACH = 6;
