// What the page does besides Gradio: keys, the header's toggles, and links that select a node of the tree.
(() => {
  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode */ } };
  const tellTrees = (event, detail) => window.dispatchEvent(new CustomEvent(event, { detail }));
  const click = (id) => document.querySelector(`#${id}:not([disabled])`)?.click();

  const toggles = {
    dark: (on) => document.body.classList.toggle("dark", on),
    large: (on) => document.documentElement.classList.toggle("large", on),
  };

  const isOn = {
    dark: () => document.body.classList.contains("dark"),
    large: () => document.documentElement.classList.contains("large"),
  };

  const showState = () => {
    for (const name of Object.keys(toggles)) {
      document.querySelector(`[data-do="${name}"]`)?.setAttribute("aria-pressed", String(isOn[name]()));
    }
  };

  const flip = (name) => {
    remember(`rte-${name}`, toggles[name](!isOn[name]()));
    showState();
  };

  const actions = {
    help: () => document.getElementById("help")?.showModal(),
    dark: () => flip("dark"),
    large: () => flip("large"),
  };

  const keys = {
    r: () => click("run"),
    s: () => click("stop"),
    "/": () => document.querySelector("#problem textarea")?.focus(),
    "?": actions.help,
  };

  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keys[event.key]) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    keys[event.key]();
  });

  document.addEventListener("click", (event) => {
    const todo = event.target.closest?.("[data-do]");
    if (todo) actions[todo.dataset.do]?.();
    const pick = event.target.closest?.("[data-pick]");
    if (pick) tellTrees("st-pick", { id: Number(pick.dataset.pick), tree: pick.dataset.tree });
    event.target.closest?.("[data-mark]")?.focus();     // a tap focuses, where the browser does not do so itself
  });

  /* A parameter of a strategy card that is pointed at, or else focused, is ringed on its tree. */
  for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) {
    document.addEventListener(kind, (event) => {
      const meant = event.target.closest?.("[data-mark]");
      if (!meant) return;
      const left = kind === "pointerout" || kind === "focusout";
      const focused = kind === "pointerout" ? document.activeElement?.closest("[data-mark]") : null;
      tellTrees("st-mark", { mark: null, tree: meant.dataset.tree });
      const shown = left ? focused : meant;
      if (shown) tellTrees("st-mark", { mark: shown.dataset.mark, tree: shown.dataset.tree });
    });
  }

  /* Gradio sets the mode of the system when it mounts, and may do so later than this script: the user's wish wins. */
  const restore = () => {
    for (const name of Object.keys(toggles)) {
      const wish = remembered(`rte-${name}`);
      if (wish !== null && isOn[name]() !== (wish === "true")) toggles[name](wish === "true");
    }
  };

  const begin = () => {
    restore();
    new MutationObserver(restore).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    const mounted = new MutationObserver(() => {
      if (!document.querySelector("[data-do]")) return;
      mounted.disconnect();
      showState();
    });
    mounted.observe(document.body, { childList: true, subtree: true });
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
