/* Where the nodes of a view lie. While a moment of a search is shown, they lie as they will when it is over: nothing
 * moves while it is replayed, and one layout serves all its moments. */

const own = new URL(import.meta.url).search;
const [{ tidyLayout }, { place }, { breadthOf, shapeOf }] = await Promise.all(
  ["tidy_layout.js", "tree_geometry.js", "tree_fold.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

/** Children in drawing order. */
export function orderOf(view) {
  const { log, shown } = view;
  if (shown === log) return log.ordered(view.bestFirst);
  const count = shown.nodes.length, { order } = wholeOf(view);
  return shown.nodes.map((node) => order[node.index].filter((index) => index < count));
}

/** Places (`at`) of what `view` draws, its `shape`; `whole`: of all that the picture must have room for. */
export function placesOf(view) {
  const { log, shown, shape, direction } = view;
  if (shown !== log) {
    const whole = wholeOf(view), { breadth } = whole;
    if (!shape.groups.length && shape.list.every((index) => !Number.isNaN(breadth[index]))) {
      const at = place(shown, shape, breadth.slice(0, shape.children.length), direction);
      return { at: { ...at, gap: whole.at.gap }, whole: whole.at };
    }
  }
  const at = place(shown, shape, breadthOf(shape, tidyLayout), direction);      // groups form as steps are pruned
  return { at, whole: { ...at, count: shape.list.length } };
}

function wholeOf(view) {
  const { log, bestFirst, direction, fold } = view;
  const folded = [fold.root, fold.grouped, ...fold.closed, "-", ...fold.opened];
  const key = [log.run, log.lines.length, bestFirst, direction, view.selected, ...folded].join();
  if (view.placed?.key === key) return view.placed;
  const order = log.ordered(bestFirst), shape = shapeOf(log, fold, order, view.shownAnyway());
  const breadth = breadthOf(shape, tidyLayout);
  const at = { ...place(log, shape, breadth, direction), count: shape.list.length };
  return (view.placed = { key, order, breadth, at });
}
