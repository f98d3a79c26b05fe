/* From a tree and its positions (tree_geometry.js) to what Plotly draws: pure functions. What is written beside the
 * nodes is tree_labels.js's. */

const own = new URL(import.meta.url).search;
const [{ edgePoints, markerSize, reachOf, sizeOf, symbolOf }, { labelTraces }, { laneShapes }] = await Promise.all(
  ["tree_geometry.js", "tree_labels.js", "tree_lanes.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

export const SVG_LIMIT = 1500;      // nodes; above it WebGL traces, which redraw faster but look coarser
const CURVE_LIMIT = 400;            // edges bend below it; above, a straight line says as much
const RING_LIMIT = 300;             // marked nodes; more than that is no longer pointing at something
/* Without WebGL (switched off, no driver) Plotly would draw nothing: SVG is slower, and is there. */
let webGL = null;
function hasWebGL() { return (webGL ??= Boolean(document.createElement("canvas").getContext("webgl"))); }

/** Traces and layout. `scene` is {log, shape, at, view, size, direction, theme, scale, selected, marked, dimmed, texts,
 * tools}: `scale` is that of tree_colours.js, `dimmed` whether a step is left out by the filter. */
export function figure(scene) {
  const type = scene.shape.list.length > SVG_LIMIT && hasWebGL() ? "scattergl" : "scatter";
  const diameter = markerSize(scene);
  return {
    data: [...edgeTraces(scene, type), ...nodeTraces(scene, type, diameter), ...labelTraces(scene, diameter)],
    layout: layout(scene, diameter),
  };
}

const EDGE_STYLES = [
  { name: "faded", dash: "solid" }, { name: "faded", dash: "4px,3px" },
  { name: "plain", dash: "solid" }, { name: "plain", dash: "4px,3px" },
  { name: "chosen", dash: "solid" }, { name: "chosen", dash: "6px,3px" },
];

function edgeTraces(scene, type) {
  const { log, shape, theme } = scene;
  const lines = EDGE_STYLES.map(() => ({ x: [], y: [] }));
  const curved = shape.list.length <= CURVE_LIMIT;
  for (const parent of shape.list) {
    for (const child of shape.children[parent]) {
      const node = log.nodes[child];
      const faded = !node || node.status === "pruned" || scene.dimmed(child);
      const weight = log.onChosenPath.has(child) ? 4 : faded ? 0 : 2;
      addEdge(lines[weight + (node?.origin === "human" ? 1 : 0)], scene, parent, child, curved);
    }
  }
  const width = { chosen: 3.5, plain: 1.5, faded: 1 };
  return EDGE_STYLES.map(({ name, dash }, i) => ({
    type, mode: "lines", ...lines[i], hoverinfo: "skip",
    line: { color: theme.edge[name], width: width[name] * theme.scale, dash },
  }));
}

function addEdge(line, scene, from, to, curved) {
  for (const [x, y] of edgePoints(scene, from, to, curved)) { line.x.push(x); line.y.push(y); }
  line.x.push(null);
  line.y.push(null);
}

/* Hollow: set aside. A rim in the outline's colour lies around each mark, since the ends of the scale would vanish. */
function nodeTraces(scene, type, diameter) {
  const { log, shape, at, theme, scale, dimmed } = scene;
  const marker = { symbol: [], size: [], color: [], line: { color: [], width: [] } };
  const halo = { x: [], y: [], size: [], symbol: [] };
  const spots = { x: [], y: [] };
  const rim = Math.max(1.25, diameter / 6);
  for (const index of shape.list) {
    const node = log.nodes[index], symbol = symbolOf(log, index), dim = dimmed(index);
    const colour = dim || !node ? theme.unscored : index === 0 ? theme.ink : scale.colour(index);
    const hollow = dim || !node || (node.status === "pruned" && index !== log.chosen);
    const size = hollow ? (dim ? 0.6 : 0.95) * diameter - rim : sizeOf(log, index, diameter);
    spots.x.push(at.x[index]);
    spots.y.push(at.y[index]);
    marker.symbol.push(symbol);
    marker.size.push(size);
    marker.color.push(hollow ? theme.paper : colour);
    marker.line.color.push(hollow ? colour : theme.outline);
    marker.line.width.push(hollow ? rim : 1);
    if (hollow) {
      halo.x.push(at.x[index]);
      halo.y.push(at.y[index]);
      halo.size.push(size + rim + 2);
      halo.symbol.push(symbol);
    }
  }
  return [
    { type, mode: "markers", x: halo.x, y: halo.y, hoverinfo: "skip",
      marker: { symbol: halo.symbol, size: halo.size, color: theme.outline, line: { width: 0 }, opacity: 1 } },
    { type, mode: "markers", ...spots, hoverinfo: "skip", marker: { ...marker, opacity: 1 } },
  ];
}

function layout(scene, diameter) {
  const { size, view, theme } = scene;
  const axis = { visible: false, zeroline: false, showgrid: false, autorange: false };
  return {
    width: size.width, height: size.height, margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    xaxis: { ...axis, range: [...view.x] }, yaxis: { ...axis, range: [view.y[1], view.y[0]] },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: false,
    dragmode: "pan", font: { family: theme.font, size: 11, color: theme.ink },
    shapes: shapes(scene, diameter),
  };
}

/** What lies under and over the marks: the lanes of a search in subtrees, and the rings. */
export function shapes(scene, diameter) { return [...laneShapes(scene), ...rings(scene, diameter)]; }

/** The rings around the selected node and the marked ones, in pixels: moving them is a cheap relayout and they survive
 * every redraw. */
function rings({ log, at, theme, selected, marked = [] }, diameter) {
  const drawn = marked.filter((index) => at.x[index] >= -Infinity).slice(0, RING_LIMIT);
  const around = (index, gap, colour, width) =>
    ring(at, index, reachOf(log, index, diameter) + gap, { color: colour, width: width * theme.scale });
  const marks = drawn.map((index) => around(index, 3, theme.mark, 3));
  if (!(at.x[selected] >= -Infinity)) return marks;
  return [...marks, around(selected, 4.5, theme.accent, 2.5)];
}

function ring(at, index, radius, line) {
  return {
    type: "circle", layer: "above", xsizemode: "pixel", ysizemode: "pixel", xanchor: at.x[index],
    yanchor: at.y[index], x0: -radius, x1: radius, y0: -radius, y1: radius, line, fillcolor: "rgba(0,0,0,0)",
  };
}
