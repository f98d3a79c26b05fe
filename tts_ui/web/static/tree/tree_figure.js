/* From a tree and its positions to what Plotly draws: pure functions. The only text that reaches Plotly is ours
 * (scores, "×3", ticks), never the model's, so its pseudo-HTML has nothing to interpret. */

export const SVG_LIMIT = 1500;      // nodes; above it WebGL traces, which redraw faster but look coarser
const CURVE_LIMIT = 400;            // edges bend below it; above, a straight line says as much
const LABEL_LIMIT = 90;             // nodes in view
const BADGE_LIMIT = 400;
const RING_LIMIT = 300;             // marked nodes; more than that is no longer pointing at something
// px between the frame and the outermost nodes; the tools lie on top, with larger buttons for fingers
const INSET = { x: [30, 34], xNarrow: [22, 34], y: [48, 32], yTouch: [60, 32] };
const NARROW = 480;
const COLUMN_MAX = 84;              // px; a small tree is not blown up to the frame
const LEVEL_MAX = 104;

const VIRIDIS = [
  [68, 1, 84], [72, 36, 117], [65, 68, 135], [53, 95, 141], [42, 120, 142], [33, 145, 140], [34, 168, 132],
  [68, 191, 112], [122, 209, 81], [189, 223, 38], [253, 231, 37],
];

/** Colour of a score, the same on every tree; null (not scored) is grey. */
export function scoreColour(score, theme) {
  if (score === null) return theme.unscored;
  const at = Math.min(1, Math.max(0, score)) * (VIRIDIS.length - 1);
  const low = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const mix = VIRIDIS[low].map((channel, i) => Math.round(channel + (VIRIDIS[low + 1][i] - channel) * (at - low)));
  return `rgb(${mix.join(",")})`;
}

/** Screen coordinates in tree units (across and down, or along and across when the tree is drawn rightwards), and
 * `gap`, the least distance between neighbours of one level. */
export function place(log, breadth, direction) {
  const depth = log.nodes.map((node) => node.depth);
  const across = Array.from(breadth);
  const gap = leastGap(depth, across);
  return direction === "right" ? { x: depth, y: across, gap } : { x: across, y: depth, gap };
}

function leastGap(depth, across) {
  const levels = [];
  depth.forEach((d, i) => (levels[d] ??= []).push(across[i]));
  let least = 2;      // a chain has no neighbours: two columns of room
  for (const level of levels) {
    level.sort((a, b) => a - b);
    for (let i = 1; i < level.length; i++) least = Math.min(least, level[i] - level[i - 1]);
  }
  return least;
}

/** The ranges that show the whole tree. y grows downwards, as on the screen. */
export function fitView(at, size, direction, touch = false) {
  const right = direction === "right";
  const inset = { x: size.width < NARROW ? INSET.xNarrow : INSET.x, y: touch ? INSET.yTouch : INSET.y };
  return {
    x: fitAxis(at.x, size.width, inset.x, right ? LEVEL_MAX * 1.6 : COLUMN_MAX, right),
    y: fitAxis(at.y, size.height, inset.y, right ? COLUMN_MAX * 0.6 : LEVEL_MAX, !right),
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
  const { view, size, direction } = scene;
  const column = roomBeside(scene);
  const level = pixelsPerUnit(view, size, direction === "right" ? "x" : "y");
  return Math.max(4.5, Math.min(15, column * (direction === "right" ? 0.45 : 0.62), level * 0.42));
}

export function pixelsPerUnit(view, size, axis) {
  return (axis === "x" ? size.width : size.height) / (view[axis][1] - view[axis][0]);
}

/** Traces and layout. `scene` is {log, at, view, size, direction, theme, selected}. */
export function figure(scene) {
  const type = scene.log.nodes.length > SVG_LIMIT ? "scattergl" : "scatter";
  const diameter = markerSize(scene);
  return {
    data: [...edgeTraces(scene, type), ...nodeTraces(scene, type, diameter), ...textTraces(scene, diameter)],
    layout: layout(scene, diameter),
  };
}

const EDGE_STYLES = [
  { name: "faded", dash: "solid" }, { name: "faded", dash: "4px,3px" },
  { name: "plain", dash: "solid" }, { name: "plain", dash: "4px,3px" },
  { name: "chosen", dash: "solid" }, { name: "chosen", dash: "6px,3px" },
];

function edgeTraces(scene, type) {
  const { log, theme } = scene;
  const lines = EDGE_STYLES.map(() => ({ x: [], y: [] }));
  const curved = log.nodes.length <= CURVE_LIMIT;
  for (const node of log.nodes) {
    if (node.parent < 0) continue;
    const weight = log.onChosenPath.has(node.index) ? 4 : node.status === "pruned" ? 0 : 2;
    const line = lines[weight + (node.origin === "human" ? 1 : 0)];
    addEdge(line, scene, node.parent, node.index, curved);
  }
  return EDGE_STYLES.map(({ name, dash }, i) => ({
    type, mode: "lines", ...lines[i], hoverinfo: "skip",
    line: { color: theme.edge[name], width: name === "chosen" ? 3.5 : name === "plain" ? 1.4 : 1, dash },
  }));
}

function addEdge(line, scene, from, to, curved) {
  const { x, y } = scene.at;
  if (!curved) {
    line.x.push(x[from], x[to], null);
    line.y.push(y[from], y[to], null);
    return;
  }
  const steps = x[from] === x[to] || y[from] === y[to] ? 1 : 12;
  for (let i = 0; i <= steps; i++) {
    const t = i / steps, eased = t * t * (3 - 2 * t);   // leaves the parent and meets the child along the depth
    const right = scene.direction === "right";
    line.x.push(x[from] + (x[to] - x[from]) * (right ? t : eased));
    line.y.push(y[from] + (y[to] - y[from]) * (right ? eased : t));
  }
  line.x.push(null);
  line.y.push(null);
}

function symbolOf(log, node) {
  if (node.index === 0) return "square";
  if (node.index === log.chosen) return "star";
  return node.status === "finished" ? "diamond" : "circle";
}

/* A star or diamond covers less of its box than a circle, so it is drawn larger to weigh the same. */
const SYMBOL_SCALE = { square: 0.95, star: 1.75, diamond: 1.3, circle: 1 };

const SYMBOL_LEAST = { square: 9, star: 13, diamond: 0, circle: 0 };

function nodeTraces(scene, type, diameter) {
  const { log, at, theme } = scene;
  const marker = { symbol: [], size: [], color: [], line: { color: [], width: [] } };
  const halo = { x: [], y: [], size: [] };
  const rim = Math.max(1.25, diameter / 6);
  for (const node of log.nodes) {
    const symbol = symbolOf(log, node);
    const colour = node.index === 0 ? theme.ink : scoreColour(node.score, theme);
    const hollow = node.status === "pruned" && node.index !== log.chosen;
    const size = hollow ? diameter * 0.95 - rim : Math.max(SYMBOL_LEAST[symbol], diameter * SYMBOL_SCALE[symbol]);
    marker.symbol.push(symbol);
    marker.size.push(size);
    marker.color.push(hollow ? theme.paper : colour);
    marker.line.color.push(hollow ? colour : theme.outline);
    marker.line.width.push(hollow ? rim : 1);
    if (hollow) {   // a hairline around the ring: the scale's dark end would vanish on a dark page
      halo.x.push(at.x[node.index]);
      halo.y.push(at.y[node.index]);
      halo.size.push(size + rim + 1.5);
    }
  }
  return [
    { type, mode: "markers", x: halo.x, y: halo.y, hoverinfo: "skip",
      marker: { symbol: "circle", size: halo.size, color: theme.outline, line: { width: 0 }, opacity: 1 } },
    { type, mode: "markers", x: at.x, y: at.y, hoverinfo: "skip", marker: { ...marker, opacity: 1 } },
  ];
}

/* What is written next to a node, placed in pixels because the node is drawn in pixels too. */
function textTraces(scene, diameter) {
  const { theme } = scene;
  const right = scene.direction === "right";
  const inView = nodesInView(scene);
  const room = roomBeside(scene);
  const labelled = inView.length <= LABEL_LIMIT && room >= diameter + (right ? 1.3 : 2.4) * theme.label;
  const pick = (wanted) => (inView.length <= BADGE_LIMIT ? inView.filter(wanted) : []);
  const radius = diameter / 2;
  const reachOf = (node) => radius * SYMBOL_SCALE[symbolOf(scene.log, node)];
  const beside = (node) => (right ? [0, -reachOf(node) - 7] : [reachOf(node) + 2 + theme.label, 1]);
  const corner = () => (right ? [-radius - 9, -7] : [radius + 6, -radius - 5]);
  const beyond = (node) => (right ? [reachOf(node) + 8, 0] : [0, reachOf(node) + 8]);   // where no edge goes
  const reach = Math.max(2.5, Math.min(4.5, room * 0.35));
  return [
    textTrace(scene, labelled ? pick((node) => node.index > 0 && node.score !== null) : [],
      (node) => shortScore(node.score), beside, theme.muted),
    textTrace(scene, room >= 16 ? pick((node) => node.copies > 1) : [],
      (node) => `×${node.copies}`, corner, theme.ink),
    markTrace(scene, pick((node) => node.correct === true), TICK, beyond, theme.correct, reach),
    markTrace(scene, pick((node) => node.correct === false), CROSS, beyond, theme.wrong, reach),
  ];
}

/* Strokes, in units of the mark's reach: drawn and not typed, so that they look the same with every font. */
const TICK = [[-1, 0.1], [-0.25, 0.85], [1, -0.85], null];
const CROSS = [[-0.8, -0.8], [0.8, 0.8], null, [-0.8, 0.8], [0.8, -0.8], null];

function markTrace(scene, nodes, strokes, beyond, color, reach) {
  const line = { x: [], y: [] };
  for (const node of nodes) {
    const [dx, dy] = beyond(node);
    for (const stroke of strokes) {
      const spot = stroke && offset(scene, node, dx + stroke[0] * reach, dy + stroke[1] * reach);
      line.x.push(spot ? spot.x : null);
      line.y.push(spot ? spot.y : null);
    }
  }
  return { type: "scatter", mode: "lines", ...line, hoverinfo: "skip", line: { color, width: reach > 3.5 ? 2 : 1.5 } };
}

function textTrace(scene, nodes, text, beside, color) {
  const spots = nodes.map((node) => offset(scene, node, ...beside(node)));
  return {
    type: "scatter", mode: "text", hoverinfo: "skip", x: spots.map((spot) => spot.x), y: spots.map((spot) => spot.y),
    text: nodes.map(text), textposition: "middle center", textfont: { size: scene.theme.label, color },
  };
}

function offset({ at, view, size }, node, dx, dy) {
  return {
    x: at.x[node.index] + dx / pixelsPerUnit(view, size, "x"),
    y: at.y[node.index] + dy / pixelsPerUnit(view, size, "y"),
  };
}

/** 0.93 as ".93": the leading zero says nothing and there is little room. */
export function shortScore(score) { return score.toFixed(2).replace(/^(-?)0\./, "$1."); }

export function nodesInView({ log, at, view }) {
  const within = (v, [a, b]) => v >= Math.min(a, b) && v <= Math.max(a, b);
  return log.nodes.filter((node) => within(at.x[node.index], view.x) && within(at.y[node.index], view.y));
}

function layout(scene, diameter) {
  const { size, view, theme } = scene;
  const axis = { visible: false, zeroline: false, showgrid: false, autorange: false };
  return {
    width: size.width, height: size.height, margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    xaxis: { ...axis, range: [...view.x] }, yaxis: { ...axis, range: [view.y[1], view.y[0]] },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: false,
    dragmode: "pan", font: { family: theme.font, size: 11, color: theme.ink },
    shapes: rings(scene, diameter),
  };
}

/** The rings around the selected node and the marked ones, in pixels: moving them is a cheap relayout and they survive
 * every redraw. */
export function rings({ at, theme, selected, marked = [] }, diameter) {
  const drawn = marked.filter((index) => index < at.x.length).slice(0, RING_LIMIT);
  const marks = drawn.map((index) => ring(at, index, diameter * 0.8 + 2.5, { color: theme.mark, width: 3 }));
  if (selected < 0) return marks;
  return [...marks, ring(at, selected, diameter * 0.8 + 5, { color: theme.accent, width: 2.5 })];
}

function ring(at, index, radius, line) {
  return {
    type: "circle", layer: "above", xsizemode: "pixel", ysizemode: "pixel", xanchor: at.x[index],
    yanchor: at.y[index], x0: -radius, x1: radius, y0: -radius, y1: radius, line, fillcolor: "rgba(0,0,0,0)",
  };
}
