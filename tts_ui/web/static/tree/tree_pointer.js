/* Mouse and finger on the plot. Plotly pans and zooms; which node is meant is decided here, by distance, so that a
 * node of five pixels can still be hit and a tap works as a click. */

const own = new URL(import.meta.url).search;
const { say } = await import(new URL(`words_tree.js${own}`, import.meta.url));

const STILL = 6;          // px a pointer may wander and still mean "this one"
const DOUBLE = 320;       // ms between the two halves of a double click
const REACH = { mouse: 14, pen: 16, touch: 24 };

export function listenToPointer(view) {
  const { plot } = view;
  let down = null, lastTap = null;

  const inPlot = (event) => {
    const box = plot.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const nodeUnder = (event) => view.under(event, inPlot(event), REACH[event.pointerType] ?? 16);

  /* Captured, since Plotly stops some of these; the release is awaited on the window, where Plotly's cover lies. */
  plot.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    down = { x: event.clientX, y: event.clientY };
    view.held = true;
    view.tip.hide();
    view.byKeys(false);
    plot.focus({ preventScroll: true });
    const end = (release) => {
      view.held = false;
      if (release.type === "pointerup" && down && near(down, release)) tap(release);
      down = null;
      window.removeEventListener("pointerup", end, true);
      window.removeEventListener("pointercancel", end, true);
    };
    window.addEventListener("pointerup", end, true);
    window.addEventListener("pointercancel", end, true);
  }, true);

  /* While the whole tree is in view there is nothing to pan: one finger scrolls the page, as beside the plot. */
  plot.addEventListener("touchstart", (event) => {
    if (!view.view) event.stopPropagation();
  }, { capture: true, passive: true });

  /* The wheel scrolls the page; with Ctrl held (which is also how a pinch arrives) Plotly zooms. */
  plot.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.stopPropagation();
    plot.dispatchEvent(new CustomEvent("st-wheel", { bubbles: true, detail: { says: say("wheel") } }));
  }, { capture: true, passive: true });

  function tap(event) {
    const double = lastTap && event.timeStamp - lastTap.time < DOUBLE && near(lastTap, event);
    lastTap = double ? null : { x: event.clientX, y: event.clientY, time: event.timeStamp };
    if (double) { view.fit(); return; }
    if (view.mode !== "tree") return;       // a sector says itself that it was clicked
    const index = nodeUnder(event);
    if (index < 0) return;
    view.pick(index);
    plot.dispatchEvent(new CustomEvent("st-tapped", { bubbles: true }));
  }

  plot.addEventListener("pointermove", (event) => {
    if (view.held || event.pointerType === "touch") return;
    const index = nodeUnder(event);
    plot.classList.toggle("st-over-node", index >= 0);
    if (index >= 0) view.showTip(index);
    else view.tip.hide();
  });
  plot.addEventListener("pointerleave", () => view.tip.hide());
}

function near(a, event) { return Math.hypot(a.x - event.clientX, a.y - event.clientY) <= STILL; }
