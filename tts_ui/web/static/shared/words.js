/* What a page says, by name: in place of the next line `page_words.py` puts the page's TEXTS, their LANGUAGE, and which
 * form of a text it takes for a number (formOf). */
/* the texts */

/** A number as people write it. */
export const number = (value) => value.toLocaleString(LANGUAGE);

/** The text called `name` in parts: `values`, which may be elements, stand at its {places}; where it has several forms,
 * the number `n` among them says which. Throws an Error for a text or a value that is not there. */
export function pieces(name, values = {}) {
  const said = TEXTS[name], { n } = values;
  const text = Array.isArray(said) ? said[formOf(n)] : said?.english?.[Number(n !== 1)] ?? said;
  if (typeof text !== "string") throw new Error(`no text: ${name}`);
  return text.split(/(?<!\{)\{(\w+)\}(?!\})/).map((part, at) => {
    if (at % 2 === 0) return part.replaceAll("{{", "{").replaceAll("}}", "}");
    const value = values[part];
    if (value === undefined || value === null) throw new Error(`no value: ${name}, ${part}`);
    return typeof value === "number" ? number(value) : value;
  });
}

/** The same as one text. */
export const say = (name, values) => pieces(name, values).join("");
