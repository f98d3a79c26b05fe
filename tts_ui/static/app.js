// What the page does besides Gradio: keys, the header's toggles, and links that select a node of the tree.
(() => {
  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private mode */ } };
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
    if (pick) window.dispatchEvent(new CustomEvent("st-pick", { detail: { id: Number(pick.dataset.pick) } }));
  });

  /* Gradio sets the mode of the system when it mounts, and may do so later than this script: the wish wins. */
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
