/* A step's text with its formulas, as DOM nodes. KaTeX sets them as MathML, which a screen reader reads and which needs
 * no fonts or styles; it trusts nothing that a formula says (no links, no classes, no images). Without KaTeX a formula
 * is plain text with Unicode for the commonest commands. Everything else is text, letter by letter. */

const DELIMITERS = [
  ["$$", "$$"],
  ["\\[", "\\]"],
  ["\\(", "\\)"],
  ["$", "$"],
];
const OPTIONS = {
  output: "mathml",
  throwOnError: true,
  trust: false,
  strict: "ignore",
  maxExpand: 200,
  maxSize: 12,
};
const LONGEST = 2000; // characters of a formula that is set

let katex = null,
  loading = null;

/** Loads KaTeX from this address once; true when formulas can be set. */
export function loadMaths(url) {
  if (!url) return Promise.resolve(false);
  loading ??= import(url)
    .then((module) => {
      katex = module.default ?? null;
    })
    .catch((error) => console.warn("no KaTeX:", error));
  return loading.then(() => katex !== null);
}

/** Pieces of a text: [{text}] and [{maths}]. A lone dollar is money: an opening one has no space behind it, a closing
 * one none before it and no digit behind it. */
export function pieces(text) {
  const found = [];
  let from = 0,
    at = 0;
  while (at < text.length) {
    const boxed = text.startsWith("\\boxed{", at) ? closingBrace(text, at + 7) : -1; // where models forget the dollars
    if (boxed > 0) {
      if (at > from) found.push({ text: text.slice(from, at) });
      found.push({ maths: text.slice(at, boxed) });
      from = at = boxed;
      continue;
    }
    const [open, close] = DELIMITERS.find(([mark]) => text.startsWith(mark, at)) ?? [];
    const end = open ? closing(text, at + open.length, open, close) : -1;
    if (end < 0) {
      at += open === "$$" ? 2 : 1;
      continue;
    }
    if (at > from) found.push({ text: text.slice(from, at) });
    found.push({ maths: text.slice(at + open.length, end) });
    from = at = end + close.length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}

function closing(text, from, open, close) {
  if (open === "$" && /[\s$]/.test(text[from] ?? " ")) return -1;
  for (let at = text.indexOf(close, from); at >= 0; at = text.indexOf(close, at + 1)) {
    if (text[at - 1] === "\\" && close.startsWith("$")) continue;
    if (open === "$" && (/\s/.test(text[at - 1]) || /\d/.test(text[at + 1] ?? ""))) return -1; // "$5 and $6"
    return at > from ? at : -1;
  }
  return -1;
}

function closingBrace(text, from) {
  for (let at = from + 1, depth = 1; at < text.length; at++) {
    depth += text[at] === "{" ? 1 : text[at] === "}" ? -1 : 0;
    if (!depth) return at + 1;
  }
  return -1;
}

/** Fills `box` with a text and its formulas. */
export function writeMaths(box, text) {
  box.replaceChildren(
    ...pieces(text).map((piece) => {
      if (piece.text !== undefined) return document.createTextNode(piece.text);
      return formula(piece.maths) ?? document.createTextNode(plainMaths(piece.maths));
    }),
  );
}

function formula(source) {
  if (!katex || source.length > LONGEST) return null;
  const span = document.createElement("span");
  try {
    katex.render(source, span, OPTIONS);
  } catch {
    return null; // not LaTeX: shown as it was written
  }
  return span;
}

const SIGNS = {
  times: "×",
  cdot: "·",
  div: "÷",
  pm: "±",
  le: "≤",
  leq: "≤",
  ge: "≥",
  geq: "≥",
  ne: "≠",
  neq: "≠",
  approx: "≈",
  equiv: "≡",
  to: "→",
  rightarrow: "→",
  Rightarrow: "⇒",
  implies: "⇒",
  infty: "∞",
  pi: "π",
  alpha: "α",
  beta: "β",
  gamma: "γ",
  theta: "θ",
  lambda: "λ",
  mu: "μ",
  sigma: "σ",
  phi: "φ",
  Delta: "Δ",
  sum: "∑",
  prod: "∏",
  int: "∫",
  in: "∈",
  cup: "∪",
  cap: "∩",
  circ: "°",
  degree: "°",
  angle: "∠",
  ldots: "…",
  dots: "…",
  cdots: "⋯",
  quad: " ",
  qquad: " ",
  ",": " ",
  ";": " ",
  "!": "",
  left: "",
  right: "",
  displaystyle: "",
  "%": "%",
  $: "$",
  "{": "{",
  "}": "}",
  " ": " ",
  "\\": " ",
};
const HIGH = Object.fromEntries([..."0123456789n-"].map((sign, i) => [sign, [..."⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ⁻"][i]]));

/** A formula as plain text: a/b for fractions, √, ², signs; what is not known keeps its name. */
export function plainMaths(source) {
  let text = source,
    before = null;
  const inner = String.raw`\{([^{}]*)\}`;
  while (text !== before) {
    before = text;
    text = text
      .replace(
        new RegExp(String.raw`\\[dt]?frac\s*${inner}\s*${inner}`, "g"),
        (_, a, b) => `${grouped(a)}/${grouped(b)}`,
      )
      .replace(new RegExp(String.raw`\\sqrt\s*${inner}`, "g"), (_, a) => `√${grouped(a)}`)
      .replace(new RegExp(String.raw`\\(?:text|mathrm|mathbf|boxed|operatorname|mbox)\s*${inner}`, "g"), "$1")
      .replace(new RegExp(String.raw`\^${inner}`, "g"), (_, a) =>
        [...a].every((c) => HIGH[c]) ? [...a].map((c) => HIGH[c]).join("") : `^(${a})`,
      )
      .replace(new RegExp(String.raw`_${inner}`, "g"), "_$1");
  }
  return text
    .replace(/\^([0-9n])/g, (_, c) => HIGH[c])
    .replace(/\\([a-zA-Z]+|.)/g, (_, name) => SIGNS[name] ?? name)
    .replace(/\s+/g, " ")
    .trim();
}

function grouped(text) {
  return /^[\w.]+$/.test(text.trim()) ? text.trim() : `(${text.trim()})`;
}
