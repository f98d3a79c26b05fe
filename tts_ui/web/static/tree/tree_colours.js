/* What a node's colour can mean: scales that read a log and place each node between 0 and 1. Pure functions.
 *
 * Every ramp is told apart with each common kind of colour blindness, and no meaning rests on it alone: shape carries
 * the status, digits the value, and every mark has an outline that stands out on both papers. */

const own = new URL(import.meta.url).search;
const [{ digits, shortScore, sourceName }, { say: words }] = await Promise.all(
  ["tree_words.js", "words_tree.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

const RAMPS = {
  viridis: [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
  ],
  apart: [
    [179, 88, 6],
    [241, 163, 64],
    [247, 247, 247],
    [153, 142, 195],
    [84, 39, 136],
  ], // PuOr
  truth: [
    [213, 94, 0],
    [0, 114, 178],
  ], // Okabe and Ito
};

const LOG_ODDS_END = Math.log(999); // 0.001 and 0.999 are the ends of the scale

const scored = (log) => log.nodes.some((node) => node.score !== null);
const scores = (log) => log.nodes.map((node) => node.score);

/* Named in the menu by the text `colour_ID`, and where its scores are a judge's by `colour_ID_by`. ends: beside the ramp,
 * or own: those that only this tree has; read: each node's value or null; place: from value to 0..1; say: digits */
const SCALES = {
  score: { judged: true, ends: ["0", "1"], has: () => true, read: scores },
  rank: {
    judged: true,
    ends: [words("end_lowest"), words("end_highest")],
    has: scored,
    read: scores,
    place: (value, values) => rankOf(values, value),
    say: shortScore,
  },
  logodds: {
    judged: true,
    ends: ["0.001", "0.999"],
    has: scored,
    read: scores,
    place: (value) => 0.5 + Math.max(-1, Math.min(1, Math.log(value / (1 - value)) / LOG_ODDS_END)) / 2,
  },
  path: { ends: ["0", "1"], has: scored, read: pathProducts },
  logprob: {
    ends: ["0", "1"],
    has: (log) => log.knows.has("logprob"),
    read: (log) =>
      log.nodes.map((node) =>
        node.logprob === null ? null : Math.exp(node.logprob / Math.max(1, node.tokens ?? 1)),
      ),
  },
  confidence: sureness("confidence"),
  certainty: sureness("certainty"),
  value: {
    ends: ["0", "1"],
    has: (log) => log.knows.has("visits"),
    read: (log) => log.nodes.map((node) => node.value),
  },
  visits: {
    own: (values, most) => ["1", String(most)],
    has: (log) => log.knows.has("visits"),
    read: (log) => log.nodes.map((node) => node.visits),
    place: (value, values, most) => Math.log1p(value - 1) / Math.max(Math.log1p(most - 1), 1e-9),
    say: String,
  },
  truth: {
    by: (log) => sourceName(log.best),
    ends: [words("end_wrong"), words("end_right")],
    ramp: "truth",
    has: (log) => log.knows.has("truth"),
    read: (log) => log.nodes.map((node) => (node.truth === null ? null : Number(node.truth))),
    say: (value) => words(value ? "end_right" : "end_wrong"),
  },
  gap: {
    ends: ["", ""], // the judges' names: tree_bar.js
    ramp: "apart",
    has: (log) => judgesOf(log).length > 1,
    read: judgesApart,
    place: (value) => 0.5 + value / 2,
    say: (value) => `${value < 0 ? "−" : "+"}${shortScore(Math.abs(value))}`,
  },
  rankgap: {
    ends: ["", ""],
    ramp: "apart",
    has: (log) => judgesOf(log).length > 1,
    read: ranksApart,
    place: (value) => 0.5 + value / 2,
    say: (value) => `${value < 0 ? "−" : "+"}${shortScore(Math.abs(value))}`,
  },
  leaves: { ends: [words("end_none"), words("end_all")], has: (log) => log.graded, read: rightBelow },
};

/* How sure the policy was of each step. There is no largest value: the scale goes from the least to the most of this
 * tree, and says both. */
function sureness(of) {
  return {
    own: (values, most, least) => [least.toFixed(1), most.toFixed(1)],
    has: (log) => log.knows.has(of),
    read: (log) => log.nodes.map((node) => node[of]),
    place: (value, values, most, least) => (most > least ? (value - least) / (most - least) : 0.5),
    say: (value) => value.toFixed(1),
  };
}

/** The scales that this log has something to show on: [{id, name}]. */
export function scalesFor(log) {
  return Object.entries(SCALES)
    .filter(([, scale]) => scale.has(log))
    .map(([id]) => ({ id, name: nameOn(log, id) }));
}

/* What a scale is called; where several judges have scored, scores say whose they are. */
function nameOn(log, id) {
  const { judged, by } = SCALES[id];
  if (judged && log.named.length > 1 && log.judge !== undefined) return words(`colour_${id}_by`, { judge: log.judge });
  return words(`colour_${id}`, by && { by: by(log) });
}

/** The scale `id` applied to a log: where each node lies on it, in which colour, and what its digits are. One that the
 * log has nothing for is that of scores. */
export function scaleOn(log, id, theme) {
  const known = SCALES[id]?.has(log) ? id : "score";
  const { ends, own, ramp = "viridis", read, place = (value) => value, say = shortScore } = SCALES[known];
  const values = read(log);
  const sorted = known === "rank" ? Float64Array.from(values.filter((value) => value !== null)).sort() : values;
  const most = values.reduce((top, value) => Math.max(top, value ?? 0), 0);
  const least = values.reduce((low, value) => Math.min(low, value ?? most), most);
  const shares = values.map((value) => (value === null ? null : place(value, sorted, most, least)));
  return {
    id: known,
    name: nameOn(log, known),
    ends: own ? own(values, most, least) : ends,
    own: own !== undefined,
    ramp,
    values,
    shares,
    colour: (index) => colourAt(shares[index] ?? null, ramp, theme),
    says: (index) => (values[index] === null || values[index] === undefined ? "" : say(values[index])),
  };
}

/** Colour of a share of 0 to 1 on a ramp; null (unknown) is grey. */
export function colourAt(share, ramp, theme) {
  if (share === null) return theme.unscored;
  return `rgb(${mixed(RAMPS[ramp], share).join(",")})`;
}

/** Black or white, whichever is read better on a colour of `colourAt`. */
export function inkOn(colour) {
  const [r, g, b] = colour.match(/[\d.]+/g).map((channel) => {
    const c = Number(channel) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/** The ramp as a style's `background`. */
export function rampCss(ramp) {
  return `linear-gradient(to right, ${RAMPS[ramp].map((colour) => `rgb(${colour.join(",")})`).join(", ")})`;
}

function mixed(stops, share) {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  return stops[low].map((channel, i) => Math.round(channel + (stops[low + 1][i] - channel) * (at - low)));
}

/* Share of the sorted values below this one, ties in the middle of their places. */
function rankOf(sorted, value) {
  const bound = (after) => {
    let low = 0,
      high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < value || (after && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return sorted.length < 2 ? 0.5 : (bound(false) + bound(true) - 1) / 2 / (sorted.length - 1);
}

function pathProducts(log) {
  const product = [];
  for (const node of log.nodes) {
    const above = node.parent < 0 ? 1 : product[node.parent];
    product.push(node.parent < 0 ? 1 : above === null || node.score === null ? null : above * node.score);
  }
  if (product.length) product[0] = null;
  return product;
}

/** The names of the judges whose scores a log has: the one that is shown first, then the one it is compared with. */
export function judgesOf(log) {
  const shown = log.judge === undefined ? [] : [log.judge];
  const others = log.judges.filter((judge) => judge !== log.judge);
  const second = others.filter((judge) => judge === log.against);
  return [...shown, ...second, ...others.filter((judge) => judge !== log.against)];
}

function scoresOfTwo(log) {
  const [first, second] = judgesOf(log);
  return log.nodes.map((node) => [log.scoreBy(node, first), log.scoreBy(node, second)]);
}

function judgesApart(log) {
  return scoresOfTwo(log).map(([a, b]) => (a === null || b === null ? null : a - b));
}

/* How far the places of a step's two scores lie apart, among the steps that both judges have scored. */
function ranksApart(log) {
  const pairs = scoresOfTwo(log), both = pairs.filter(([a, b]) => a !== null && b !== null);
  const [first, second] = [0, 1].map((side) => Float64Array.from(both, (pair) => pair[side]).sort());
  return pairs.map(([a, b]) => (a === null || b === null ? null : rankOf(first, a) - rankOf(second, b)));
}

/* Of the graded leaves below a node, itself included, the share that is right. */
function rightBelow(log) {
  const right = new Float64Array(log.nodes.length),
    graded = new Float64Array(log.nodes.length);
  for (let i = log.nodes.length - 1; i >= 0; i--) {
    const { correct, copies, parent } = log.nodes[i];
    if (correct !== null) {
      graded[i] += copies;
      right[i] += correct ? copies : 0;
    }
    if (parent >= 0) {
      graded[parent] += graded[i];
      right[parent] += right[i];
    }
  }
  return log.nodes.map((_, i) => (graded[i] ? right[i] / graded[i] : null));
}

/** "0.41 (second: 0.93)": a step's score, and those of other judges where there are any. A judge that is not the
 * search's own is named. */
export function scoreWords(node, log) {
  const others = Object.entries(node.others ?? {}).filter(([, value]) => value !== null);
  const value = node.score === null ? words("not_scored") : digits(node.score);
  const said = log.judge === log.own ? value : `${log.judge}: ${value}`;
  return others.length
    ? `${said} (${others.map(([judge, value]) => `${judge}: ${digits(value)}`).join(", ")})`
    : said;
}
