/* The overview: one sector a step, as wide as the leaves below it. From a scene to what Plotly draws: a pure function.
 * Model text reaches Plotly's labels with entities, as letters. */

const own = new URL(import.meta.url).search;
const [{ inkOn }, { asLetters }, { groupWords, stepText }] = await Promise.all(
  ["tree_colours.js", "tree_labels.js", "tree_words.js"].map(
    (name) => import(new URL(name + own, import.meta.url)),
  ),
);

export const MOST_SECTORS = 1200; // Plotly draws them as SVG
const LABEL = 60; // characters; Plotly leaves out what does not fit

/** The sectors that are drawn: those nearest to the root, and the groups below them. */
export function sectors(shape) {
  const kept = new Set(shape.list.filter((index) => !shape.isGroup(index)).slice(0, MOST_SECTORS));
  const groups = shape.groups.filter((group) => kept.has(group.parent)).slice(0, MOST_SECTORS / 2);
  return [...kept, ...groups.map((group) => group.index)];
}

/** Trace and layout. Pruned and dimmed steps are hatched. */
export function icicle(scene) {
  const { log, shape, theme, scale, size, direction, selected, dimmed } = scene;
  const list = sectors(shape),
    parentOf = new Map();
  for (const parent of list) for (const child of shape.children[parent]) parentOf.set(child, parent);
  const colour = (index) =>
    index === 0 || index >= shape.nodes || dimmed(index) ? theme.unscored : scale.colour(index);
  const hatched = (index) => !log.nodes[index] || log.nodes[index].status === "pruned" || dimmed(index);
  const words = (index) => {
    const node = log.nodes[index];
    if (!node) return groupWords(shape.groups[index - shape.nodes]);
    const text = index === 0 ? node.text : stepText(node.text, node.depth);
    const said = `${scale.says(index)} ${text}`.trim();
    return asLetters(said.length > LABEL ? `${said.slice(0, LABEL - 1)}…` : said);
  };
  return {
    data: [
      {
        type: "icicle",
        ids: list.map(String),
        labels: list.map(String),
        parents: list.map((index) => String(parentOf.get(index) ?? "")),
        text: list.map(words),
        textinfo: "text",
        hoverinfo: "none",
        count: "leaves",
        sort: false,
        tiling: { orientation: direction === "right" ? "h" : "v", pad: 1 },
        pathbar: { visible: false },
        marker: {
          colors: list.map(colour),
          line: {
            color: list.map((index) =>
              index === selected ? theme.accent : log.onChosenPath.has(index) ? theme.ink : theme.outline,
            ),
            width: list.map((index) => (index === selected ? 4 : log.onChosenPath.has(index) ? 2 : 0.75)),
          },
          pattern: {
            shape: list.map((index) => (hatched(index) ? "/" : "")),
            fillmode: "overlay",
            fgcolor: theme.paper,
            fgopacity: 0.45,
            size: 7,
            solidity: 0.25,
          },
        },
        leaf: { opacity: 1 },
        insidetextfont: { size: theme.label + 1, color: list.map((index) => inkOn(colour(index))) },
      },
    ],
    layout: {
      width: size.width,
      height: size.height,
      margin: { l: 6, r: 6, t: 42, b: 6 },
      showlegend: false,
      hovermode: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.font, color: theme.ink },
      uniformtext: { mode: "hide", minsize: Math.round(theme.label) },
    },
  };
}

/** The index of the sector that an element of the page belongs to, or -1. */
export function sectorAt(element) {
  const id = element?.closest?.(".slice")?.__data__?.data?.id;
  return id === undefined ? -1 : Number(id);
}

/** The element of the sector `index`, or null. */
export function sectorOf(plot, index) {
  return [...plot.querySelectorAll(".iciclelayer .slice")].find((slice) => sectorAt(slice) === index) ?? null;
}
