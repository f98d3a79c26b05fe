/* The page's address names what is selected, so that it can be sent to someone: `?run=ID&node=7` for one tree, and
 * `?runs=A,B,C&node=2.7` (node 7 of the second tree) for several side by side. The page's own parameters stay. */

const parameters = () => new URL(window.location.href).searchParams;

/* What was asked for when the page came: a tree that is drawn first must not hide it from the next. */
const asked = parameters();

function write(changes) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  url.search = url.search.replaceAll("%2C", ",");      // the commas of a list may stand as they are
  if (url.href === window.location.href) return;
  const before = parameters().get("run")?.trim();
  if (changes.run && before && before !== changes.run) window.history.pushState(null, "", url);   // Back shows that run
  else window.history.replaceState(changes.run && !before ? { unasked: true } : window.history.state, "", url);
}

/* The place of `run` among the runs that the address names, from 1; 0 where it is not among them. */
function placeOf(run, query) {
  const named = (query.get("runs") ?? "").split(",").map((id) => id.trim());
  return run ? named.indexOf(run) + 1 : 0;
}

/** Id of the node that the address asks for in the tree of `run`, or null. */
export function nodeAsked(run, grouped) {
  const alone = asked.get("run");
  const [, tree, node] = /^(?:(\d+)\.)?(\d+)$/.exec(asked.get("node") ?? "") ?? [];
  const meant = grouped ? placeOf(run, asked) === Number(tree ?? 1) : alone?.trim() === run;
  return meant && node !== undefined ? Number(node) : null;
}

/** Writes the run and the selected node (null: none). Of several trees only a selection is written: which runs they
 * are is up to the page. */
export function writeSelection(run, grouped, node) {
  if (!grouped) write({ run, node });
  else if (node !== null && placeOf(run, parameters())) write({ node: `${placeOf(run, parameters())}.${node}` });
}

/** The moment (a seq) that the address asks for in the tree of `run`, or null; of several trees it is the first's. */
export function momentAsked(run, grouped) {
  const seq = asked.get("seq") ?? "";
  const meant = grouped ? placeOf(run, asked) === 1 : asked.get("run")?.trim() === run;
  return meant && /^\d{1,9}$/.test(seq) ? Number(seq) : null;
}

/** Writes the moment that is shown; null: all there is. */
export function writeMoment(seq) { write({ seq }); }

/** How the address asks the trees to be read: which view, which colour, "" where it does not say; whose scores are
 * shown, and whose they are compared with. */
export function reading() {
  const judges = (asked.get("judges") ?? "").split(",").filter(Boolean);
  return { view: asked.get("view") ?? "", color: asked.get("color") ?? "", judges };
}

/** Writes which view, colour or judges the reader chose; null is the usual one. */
export function writeReading(changes) { write(changes); }
