// Solutions as text: where steps are cut, and what a file says. Pure functions.

const { say } = await import(new URL("words_lab.js" + new URL(import.meta.url).search, import.meta.url));

/** The steps of a text: what lies between blank lines. */
export const inSteps = (text) =>
  text.replaceAll("\r\n", "\n").split(/\n[ \t]*\n/).map((step) => step.trim()).filter(Boolean);

export const asText = (steps) => steps.join("\n\n");

/** Where a step may be cut in two: at the blank line, line break or end of a sentence that is nearest to its middle; -1
 * where there is none. */
export function middle(text) {
  for (const mark of [/\n\s*\n/g, /\n/g, /[.;:?!]\s+(?=\S)/g]) {
    const places = [...text.matchAll(mark)].map((found) => found.index + found[0].length)
      .filter((at) => text.slice(0, at).trim() && text.slice(at).trim());
    if (places.length) {
      return places.reduce((best, at) => (Math.abs(at - text.length / 2) < Math.abs(best - text.length / 2) ? at : best));
    }
  }
  return -1;
}

/** What a file holds: {problem, steps}. JSON (of many records the first) or text that begins with the problem. Throws an
 * Error that says what is wrong. */
export function solutionIn(text) {
  const plain = text.replace(/^\ufeff/, "").trim();
  if (!plain) throw new Error(say("file_empty"));
  return /^[{[]/.test(plain) ? recorded(plain) : written(plain);
}

function written(text) {
  const [problem, ...steps] = inSteps(text);
  if (!steps.length) throw new Error(say("file_without_steps"));
  return { problem, steps };
}

const FORM = '{"problem": ..., "steps": [...]}';

function recorded(text) {
  const record = first(text);
  const problem = record?.problem ?? record?.question ?? record?.prompt;
  const given = record?.steps ?? record?.solution ?? record?.completion ?? record?.response ?? record?.completions;
  const steps = typeof given === "string" ? inSteps(given) : Array.isArray(given) ? given : [];
  if (typeof problem !== "string" || !steps.length || steps.some((step) => typeof step !== "string")) {
    throw new Error(say("file_without_problem", { form: FORM }));
  }
  return { problem, steps: steps.map((step) => step.trim()).filter(Boolean) };
}

function first(text) {
  for (const part of [text, text.split("\n", 1)[0]]) {   // a document, or a record a line
    try {
      const value = JSON.parse(part);
      return Array.isArray(value) ? value[0] : value;
    } catch { /* the next */ }
  }
  return null;
}
