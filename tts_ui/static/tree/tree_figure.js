/* From a tree and its positions to what Plotly draws: pure functions. The only text that reaches Plotly is ours
 * (scores, "×3", ticks), never the model's, so its pseudo-HTML has nothing to interpret. */

export const SVG_LIMIT = 1500;      // nodes; above it WebGL traces, which redraw faster but look coarser
const CURVE_LIMIT = 400;            // edges bend below it; above, a straight line says as much
const LABEL_LIMIT = 60;             // nodes in view
const BADGE_LIMIT = 400;
const PADDING = 30;                 // px between the outermost nodes and the frame
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

/** Screen coordinates in tree units: across and down, or along and across when the tree is drawn rightwards. */
export function place(log, breadth, direction) {
  const depth = log.nodes.map((node) => node.depth);
  const across = Array.from(breadth);
  return direction === "right" ? { x: depth, y: across } : { x: across, y: depth };
}

/** The ranges that show the whole tree. y grows downwards, as on the screen. */
export function fitView(at, size, direction) {
  const right = direction === "right";
  return {
    x: fitAxis(at.x, size.width, right ? LEVEL_MAX * 1.6 : COLUMN_MAX, right),
    y: fitAxis(at.y, size.height, right ? COLUMN_MAX * 0.6 : LEVEL_MAX, !right),
  };
}

function fitAxis(values, pixels, unitMax, fromStart) {
  let low = Infinity, high = -Infinity;
  for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
  const room = Math.max(1, pixels - 2 * PADDING);
  const perPixel = Math.max((high - low) / room, 1 / unitMax);
  if (fromStart) return [low - PADDING * perPixel, low + (pixels - PADDING) * perPixel];
  const middle = (low + high) / 2;
  return [middle - perPixel * pixels / 2, middle + perPixel * pixels / 2];
}

/** Node diameter in px: as large as the columns and levels allow. */
export function markerSize(view, size, direction) {
  const column = pixelsPerUnit(view, size, direction === "right" ? "y" : "x");
  const level = pixelsPerUnit(view, size, direction === "right" ? "x" : "y");
  return Math.max(5, Math.min(15, column * 0.62, level * 0.42));
}

export function pixelsPerUnit(view, size, axis) {
  return (axis === "x" ? size.width : size.height) / (view[axis][1] - view[axis][0]);
}

/** Traces and layout. `scene` is {log, at, view, size, direction, theme, selected}. */
export function figure(scene) {
  const type = scene.log.nodes.length > SVG_LIMIT ? "scattergl" : "scatter";
  const diameter = markerSize(scene.view, scene.size, scene.direction);
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

function nodeTraces(scene, type, diameter) {
  const { log, at, theme } = scene;
  const marker = { symbol: [], size: [], color: [], line: { color: [], width: [] } };
  const halo = { x: [], y: [], size: [] };
  for (const node of log.nodes) {
    const symbol = symbolOf(log, node);
    const colour = node.index === 0 ? theme.ink : scoreColour(node.score, theme);
    const hollow = node.status === "pruned" && node.index !== log.chosen;
    const size = diameter * SYMBOL_SCALE[symbol] * (hollow ? 0.85 : 1);
    marker.symbol.push(symbol);
    marker.size.push(size);
    marker.color.push(hollow ? theme.paper : colour);
    marker.line.color.push(hollow ? colour : theme.outline);
    marker.line.width.push(hollow ? Math.max(1.5, diameter / 6) : 1);
    if (hollow) {   // a hairline around the ring: the scale's dark end would vanish on a dark page
      halo.x.push(at.x[node.index]);
      halo.y.push(at.y[node.index]);
      halo.size.push(size + Math.max(1.5, diameter / 6) + 2);
    }
  }
  return [
    { type, mode: "markers", x: halo.x, y: halo.y, hoverinfo: "skip",
      marker: { symbol: "circle", size: halo.size, color: theme.outline, line: { width: 0 }, opacity: 1 } },
    { type, mode: "markers", x: at.x, y: at.y, hoverinfo: "skip", marker: { ...marker, opacity: 1 } },
  ];
}

function textTraces(scene, diameter) {
  const { log, theme, direction } = scene;
  const inView = nodesInView(scene);
  const room = pixelsPerUnit(scene.view, scene.size, direction === "right" ? "y" : "x");
  const labelled = inView.length <= LABEL_LIMIT && room >= (direction === "right" ? 24 : 18 + diameter);
  const few = inView.length <= BADGE_LIMIT;
  const scored = inView.filter((node) => labelled && node.index > 0 && node.score !== null);
  const copied = inView.filter((node) => few && room >= 16 && node.copies > 1);
  const right = inView.filter((node) => few && node.correct === true);
  const wrong = inView.filter((node) => few && node.correct === false);
  const beyond = direction === "right" ? "middle right" : "bottom center";
  return [
    textTrace(scene, scored, (node) => shortScore(node.score), direction === "right" ? "top center" : "middle right",
      theme.muted, 10),
    textTrace(scene, copied, (node) => `×${node.copies}`, direction === "right" ? "bottom center" : "top right",
      theme.ink, 10),
    textTrace(scene, right, () => "✓", beyond, theme.correct, 14),
    textTrace(scene, wrong, () => "✗", beyond, theme.wrong, 14),
  ];
}

function textTrace({ at }, nodes, text, position, color, size) {
  return {
    type: "scatter", mode: "text", hoverinfo: "skip", cliponaxis: true,
    x: nodes.map((node) => at.x[node.index]), y: nodes.map((node) => at.y[node.index]), text: nodes.map(text),
    textposition: position, textfont: { size, color },
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
    dragmode: scene.dragmode, font: { family: theme.font, size: 11, color: theme.ink },
    shapes: selectionRing(scene, diameter),
  };
}

/** The ring around the selected node, in pixels: moving it is a cheap relayout and it survives every redraw. */
export function selectionRing({ at, theme, selected }, diameter) {
  if (selected < 0) return [];
  const radius = diameter * 0.8 + 5;
  return [{
    type: "circle", layer: "above", xsizemode: "pixel", ysizemode: "pixel", xanchor: at.x[selected],
    yanchor: at.y[selected], x0: -radius, x1: radius, y0: -radius, y1: radius,
    line: { color: theme.accent, width: 2.5 }, fillcolor: "rgba(0,0,0,0)",
  }];
}
