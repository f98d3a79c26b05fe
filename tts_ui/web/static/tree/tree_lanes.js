/* DVTS in bands: each subtree that the search kept apart has a pale band behind it, with its number. Pure functions. */

const LEAST = 2; // subtrees; one alone is the whole tree

/** First kept steps that head a subtree of their own, as drawn: [{index, lanes}]. */
export function heads({ log, shape }) {
  if (!log.knows.has("lanes") || shape.root !== 0) return [];
  const found = shape.children[0]
    .filter((child) => log.nodes[child]?.lanes)
    .map((child) => ({ index: child, lanes: log.nodes[child].lanes }));
  return found.length >= LEAST ? found : [];
}

/** Where the drawn subtree below `index` begins and ends on each of its levels, in tree units: [depth, low, high]. */
export function outlineOf({ at, shape, direction }, index) {
  const [along, across] = direction === "right" ? [at.x, at.y] : [at.y, at.x];
  const levels = new Map(), below = [index];
  while (below.length) {
    const each = below.pop(), [low, high] = levels.get(along[each]) ?? [Infinity, -Infinity];
    levels.set(along[each], [Math.min(low, across[each]), Math.max(high, across[each])]);
    below.push(...shape.children[each]);
  }
  return [...levels].map(([depth, [low, high]]) => [depth, low, high]).sort((a, b) => a[0] - b[0]);
}

/** A frame around each subtree, every other one on a pale ground, for Plotly's layout. It follows the levels, since the
 * boxes of neighbours may overlap. */
export function laneShapes(scene) {
  const { theme, direction } = scene;
  const point = (depth, across) => (direction === "right" ? `${depth},${across}` : `${across},${depth}`);
  return heads(scene).map(({ index }, place) => {
    const sides = outlineOf(scene, index).flatMap(([depth, low, high]) => [-0.3, 0.3]
      .map((off) => ({ low: point(depth + off, low - 0.48), high: point(depth + off, high + 0.48) })));
    const around = [...sides.map((side) => side.low), ...sides.map((side) => side.high).reverse()];
    return {
      type: "path", layer: "below", path: `M${around.join("L")}Z`,
      fillcolor: place % 2 ? "rgba(0,0,0,0)" : theme.lane, line: { color: theme.laneEdge, width: 1, dash: "dot" },
    };
  });
}
