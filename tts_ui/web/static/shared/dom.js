// Elements of a page. Texts are written as text: nothing that a model or a person wrote becomes HTML.
const { say } = await import(new URL("words_shared.js" + new URL(import.meta.url).search, import.meta.url));

/** An element with these properties (`data` and `aria` by name), and children that are elements or texts. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "data") Object.assign(made.dataset, value);
    else if (name === "aria") for (const [what, said] of Object.entries(value)) made.setAttribute(`aria-${what}`, said);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

export const button = (text, act, properties = {}) =>
  element("button", { type: "button", onclick: act, ...properties }, text);

/** Asks the server: the document it answers, or an Error whose `argument` names the field at fault. */
export async function ask(path, options = {}) {
  const answer = await fetch(new URL(`rte/${path}`, document.baseURI), options);
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw Object.assign(new Error(said.error ?? said.detail ?? say("no_answer")), said);
}
