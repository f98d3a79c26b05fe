// The way back and across. A run or a comparison that is started is an entry of the history, and going back to another
// one opens it; the header leads to what a page showed last in this tab.
(() => {
  const asked = (name) => new URL(window.location.href).searchParams.get(name)?.replaceAll(" ", "") ?? "";
  const recall = (name) => { try { return sessionStorage.getItem(`rte-shown-${name}`); } catch { return null; } };
  const keep = (name, value) => { try { sessionStorage.setItem(`rte-shown-${name}`, value); } catch { /* private */ } };

  const shown = () => [...document.querySelectorAll(".search-tree")]
    .filter((tree) => tree.dataset.run && !tree.closest(".unused")).map((tree) => tree.dataset.run).join(",");

  window.addEventListener("popstate", () => {
    if ((asked("run") || asked("runs")) !== shown()) window.location.reload();
  });

  window.addEventListener("pagehide", () => {
    if (window.history.state?.unasked) return;             // the example of a first visit
    for (const name of ["run", "runs"]) if (asked(name)) keep(name, window.location.search);
  });

  const lead = (event) => {
    const link = event.target.closest?.("#header nav a");
    const [page] = link?.getAttribute("href").split("?") ?? [];
    const name = { "./": "run", "./compare": "runs" }[page];
    if (!name || link.hasAttribute("aria-current")) return;
    const [compared] = asked("runs").split(",");
    link.setAttribute("href", page + (recall(name) || (name === "run" && compared && `?run=${compared}`) || ""));
  };
  for (const kind of ["pointerover", "focusin", "click"]) document.addEventListener(kind, lead, true);
})();
