// What the modules of the Score tab have in common.

const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask: askServer, button, element }, { say }] = await Promise.all(["dom.js", "words_lab.js"].map(part));
export { button, element, say };

/** A score with as many digits as tell it from 0 and 1. */
export function score(value) {
  if (value === null || value === undefined) return say("unknown");
  const usual = value.toFixed(2);
  if (usual === "0.00" && value >= 1e-6) return String(Number(value.toPrecision(1)));
  if (usual === "1.00" && 1 - value >= 1e-6) {
    const off = Number((1 - value).toPrecision(1));
    return (1 - off).toFixed(Math.max(2, -Math.floor(Math.log10(off))));
  }
  return usual;
}

export const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;

/** Asks the server's desk (see `dom.js`); `work` is what it is to work on. */
export const ask = (path, work = null, options = {}) => {
  const sent = work && {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(work),
  };
  return askServer(`lab/${path}`, { ...sent, ...options });
};
