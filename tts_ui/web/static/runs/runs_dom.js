// What the modules of the Runs page have in common.

const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask: askServer, button, element }, { pieces, say }] =
  await Promise.all(["dom.js", "words_runs.js"].map(part));
export { button, element, pieces, say };

export const link = (text, address, properties = {}) => element("a", { href: address, ...properties }, text);

/** Asks the server's desk (see `dom.js`). */
export const ask = (path, options) => askServer(`runs${path}`, options);
