/* What is written next to the nodes: scores, "×3", "+7 (best 0.41)", ticks, texts of steps. Each has a few places
 * where it may stand and takes the first that is free: nothing is written over a node, its ring, an edge, the tools or
 * another label, nor over the frame's edge. What finds no place is left out; the tip has it.
 *
 * Text of a model reaches Plotly here, whose labels know a few tags: it is written with entities, as letters. */

const own = new URL(import.meta.url).search;
const [Geometry, { groupWords, stepText, laneWords }, Lanes] = await Promise.all(
  ["tree_geometry.js", "tree_words.js", "tree_lanes.js"].map(
    (name) => import(new URL(name + own, import.meta.url)),
  ),
);

const LABEL_LIMIT = 160; // nodes in view
const BADGE_LIMIT = 400;
const EDGES_LIMIT = 400; // edges in view that labels keep clear of
const TEXT_WIDTH = [230, 170, 120, 84]; // px that a step's text may take, the widest that is free
const TEXT_LIMIT = 70; // nodes in view

/** The traces of everything that is written. */
export function labelTraces(scene, diameter) {
  const { log, shape, theme, scale } = scene;
  const inView = nodesInView(scene);
  const few = inView.length <= BADGE_LIMIT ? inView : [];
  const room = new Room(scene, few, diameter);
  const around = (index) => Geometry.reachOf(log, index, diameter) + Geometry.RING_REACH;
  const writing = new Writing(scene, room);
  const real = few.filter((index) => index < shape.nodes && index > 0);
  const first = [...real].sort((a, b) => log.onChosenPath.has(b) - log.onChosenPath.has(a));

  const marks = real
    .filter((index) => log.nodes[index].correct !== null)
    .map((index) => writing.mark(index, around(index)));
  for (const index of few.filter((each) => each >= shape.nodes)) {
    writing.write(index, groupWords(shape.groups[index - shape.nodes]), theme.muted, around(index), "below");
  }
  for (const { index, lanes } of Lanes.heads(scene))
    if (few.includes(index)) writing.write(index, laneWords(lanes), theme.muted, around(index), "before");
  for (const index of few) {
    if (shape.hidden.get(index))
      writing.write(index, `+${shape.hidden.get(index).toLocaleString("en")}`, theme.ink, around(index), "below");
  }
  if (inView.length <= LABEL_LIMIT) {
    for (const index of first)
      if (scale.says(index) && !scene.dimmed(index))
        writing.write(index, scale.says(index), theme.muted, around(index), "beside");
  }
  for (const index of first)
    if (log.nodes[index].copies > 1)
      writing.write(index, `×${log.nodes[index].copies}`, theme.ink, around(index), "corner");
  if (scene.texts && inView.length <= TEXT_LIMIT) {
    for (const index of first) {
      const node = log.nodes[index];
      if (!scene.dimmed(index)) writing.text(index, stepText(node.text, node.depth), theme.ink, around(index));
    }
  }
  return [...writing.traces(), ...markTraces(scene, marks.filter(Boolean))];
}

export function nodesInView({ at, view, shape }) {
  const within = (v, [a, b]) => v >= Math.min(a, b) && v <= Math.max(a, b);
  return shape.list.filter((index) => within(at.x[index], view.x) && within(at.y[index], view.y));
}

/* Where something is written already: rectangles in px, found by the squares of a grid that they touch. */
class Room {
  constructor(scene, nodes, diameter) {
    Object.assign(this, { scene, cells: new Map() });
    const { width, height } = scene.size;
    this.frame = { x0: 3, y0: 3, x1: width - 3, y1: height - 3 };
    for (const index of nodes) {
      const { x, y } = this.pixel(scene.at.x[index], scene.at.y[index]);
      const reach = Geometry.reachOf(scene.log, index, diameter) + 2;
      this.take({ x0: x - reach, y0: y - reach, x1: x + reach, y1: y + reach });
    }
    this.take({ x0: width - scene.tools.width - 14, y0: 0, x1: width, y1: scene.tools.height + 12 });
    if (nodes.length <= EDGES_LIMIT) this.takeEdges(new Set(nodes));
  }

  takeEdges(nodes) {
    const { scene } = this,
      curved = scene.shape.list.length <= 400;
    for (const parent of scene.shape.list) {
      for (const child of scene.shape.children[parent]) {
        if (!nodes.has(parent) && !nodes.has(child)) continue;
        const points = Geometry.edgePoints(scene, parent, child, curved).map(([x, y]) => this.pixel(x, y));
        const half = scene.log.onChosenPath.has(child) ? 3 : 1.5;
        for (let i = 1; i < points.length; i++) this.takeLine(points[i - 1], points[i], half);
      }
    }
  }

  takeLine(a, b, half) {
    const steps = Math.min(60, Math.ceil(Math.hypot(b.x - a.x, b.y - a.y) / 6));
    for (let i = 0; i <= steps; i++) {
      const x = a.x + ((b.x - a.x) * i) / (steps || 1),
        y = a.y + ((b.y - a.y) * i) / (steps || 1);
      this.take({ x0: x - half, y0: y - half, x1: x + half, y1: y + half });
    }
  }

  pixel(x, y) {
    const { view, size } = this.scene;
    return {
      x: (x - view.x[0]) * Geometry.pixelsPerUnit(view, size, "x"),
      y: (y - view.y[0]) * Geometry.pixelsPerUnit(view, size, "y"),
    };
  }

  *cellsOf(box) {
    for (let i = Math.floor(box.x0 / 24); i <= Math.floor(box.x1 / 24); i++) {
      for (let j = Math.floor(box.y0 / 24); j <= Math.floor(box.y1 / 24); j++) yield i * 4096 + j;
    }
  }

  take(box) {
    for (const cell of this.cellsOf(box)) {
      if (!this.cells.has(cell)) this.cells.set(cell, []);
      this.cells.get(cell).push(box);
    }
  }

  isFree(box) {
    const { x0, y0, x1, y1 } = this.frame;
    if (box.x0 < x0 || box.y0 < y0 || box.x1 > x1 || box.y1 > y1) return false;
    for (const cell of this.cellsOf(box)) {
      for (const other of this.cells.get(cell) ?? []) {
        if (box.x0 < other.x1 && box.x1 > other.x0 && box.y0 < other.y1 && box.y1 > other.y0) return false;
      }
    }
    return true;
  }
}

/* Directions from a node, in order of preference, for each kind of label; the tree grows downwards or rightwards. */
const PLACES = {
  down: {
    beside: ["E", "S", "SE", "SW"],
    corner: ["SE", "SW", "S", "NE", "E"],
    below: ["S", "SE", "SW", "E", "W"],
    before: ["NE", "NW", "E", "W"],
  },
  right: {
    beside: ["E", "N", "S"],
    corner: ["E", "S", "N", "SE"],
    below: ["E", "NE", "SE", "S", "N"],
    before: ["NW", "SW", "N", "S"],
  },
};

let pen = null;
function widthOf(text, font, size) {
  pen ??= document.createElement("canvas").getContext("2d");
  pen.font = `${size}px ${font}`;
  return pen.measureText(text).width;
}

class Writing {
  constructor(scene, room) {
    Object.assign(this, { scene, room, written: new Map(), ends: new Map() });     // x where what is to the right ends
  }

  spot(index) {
    return this.room.pixel(this.scene.at.x[index], this.scene.at.y[index]);
  }

  boxAt(index, where, reach, width, height) {
    const { x, y } = this.spot(index);
    const diagonal = reach * 0.85;
    const east = where.includes("E"),
      west = where.includes("W"),
      north = where.includes("N"),
      south = where.includes("S");
    const across = north || south ? diagonal : reach,
      down = east || west ? diagonal : reach;
    const beyond = where === "E" ? (this.ends.get(index) ?? 0) + 2 : 0;      // what stands there already
    const x0 = east ? Math.max(x + across, beyond) : west ? x - across - width : x - width / 2;
    const y0 = north ? y - down - height : south ? y + down : y - height / 2;
    return { x0, y0, x1: x0 + width, y1: y0 + height };
  }

  /** Writes `text` at the first free place around the node. */
  write(index, text, colour, reach, kind) {
    const { theme, direction } = this.scene;
    const width = widthOf(text, theme.font, theme.label) + 3,
      height = theme.label * 1.25;
    for (const where of PLACES[direction][kind]) {
      const box = this.boxAt(index, where, reach, width, height);
      if (!this.room.isFree(box)) continue;
      this.put(index, where, box, text, colour);
      return;
    }
  }

  put(index, where, box, text, colour) {
    this.room.take(box);
    if (where === "E") this.ends.set(index, box.x1);
    if (!this.written.has(colour)) this.written.set(colour, []);
    this.written.get(colour).push({ x: (box.x0 + box.x1) / 2, y: (box.y0 + box.y1) / 2, text });
  }

  /** A step's text, cut to the widest free place beside its node. */
  text(index, words, colour, reach) {
    const { theme, direction } = this.scene;
    const height = theme.label * 1.3,
      places = direction === "right" ? ["E", "NE", "SE"] : ["E", "SE", "W", "SW", "S"];
    for (const width of TEXT_WIDTH.map((each) => each * theme.scale)) {
      for (const where of places) {
        const label = fitted(words, width, theme);
        const box = this.boxAt(index, where, reach, widthOf(label, theme.font, theme.label) + 4, height);
        if (!this.room.isFree(box)) continue;
        this.put(index, where, box, asLetters(label), colour);
        return;
      }
    }
  }

  /** Room for a tick or cross; where it lies, or null. */
  mark(index, reach) {
    const size = 10;
    for (const where of PLACES[this.scene.direction].below) {
      const box = this.boxAt(index, where, reach, size, size);
      if (!this.room.isFree(box)) continue;
      this.room.take(box);
      if (where === "E") this.ends.set(index, box.x1);
      return { index, x: (box.x0 + box.x1) / 2, y: (box.y0 + box.y1) / 2 };
    }
    return null;
  }

  traces() {
    const { theme } = this.scene;
    return [theme.muted, theme.ink].map((color) => {
      const spots = this.written.get(color) ?? [];
      return {
        type: "scatter",
        mode: "text",
        hoverinfo: "skip",
        ...inUnits(this.scene, spots),
        text: spots.map((spot) => spot.text),
        textposition: "middle center",
        textfont: { size: theme.label, color },
      };
    });
  }
}

function inUnits({ view, size }, spots) {
  return {
    x: spots.map((spot) => (spot ? view.x[0] + spot.x / Geometry.pixelsPerUnit(view, size, "x") : null)),
    y: spots.map((spot) => (spot ? view.y[0] + spot.y / Geometry.pixelsPerUnit(view, size, "y") : null)),
  };
}

function fitted(words, width, theme) {
  const letter = widthOf("nine letters", theme.font, theme.label) / 12;
  const most = Math.max(4, Math.floor(width / letter));
  return words.length <= most ? words : `${words.slice(0, most - 1).trimEnd()}…`;
}

/** Model text for Plotly, whose labels read a few tags: every letter stands for itself. */
export function asLetters(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/* Strokes, in units of the mark's reach: drawn and not typed, so that they look the same with every font. */
const TICK = [[-1, 0.1], [-0.25, 0.85], [1, -0.85], null];
const CROSS = [[-0.8, -0.8], [0.8, 0.8], null, [-0.8, 0.8], [0.8, -0.8], null];

function markTraces(scene, marks) {
  const { log, theme } = scene;
  return [
    [true, TICK, theme.correct],
    [false, CROSS, theme.wrong],
  ].map(([correct, strokes, color]) => {
    const spots = marks
      .filter(({ index }) => log.nodes[index].correct === correct)
      .flatMap(({ x, y }) => strokes.map((stroke) => stroke && { x: x + stroke[0] * 4, y: y + stroke[1] * 4 }));
    return {
      type: "scatter",
      mode: "lines",
      ...inUnits(scene, spots),
      hoverinfo: "skip",
      line: { color, width: 2 },
    };
  });
}
