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

  /* Where a page has no clipboard (no TLS), the old way. */
  const copy = async (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const box = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  };

  const copyLink = async (button) => {
    const word = button.querySelector("b"), { copied } = button.dataset;
    const before = (button.dataset.before ??= word.textContent);
    await copy(window.location.href);
    word.textContent = copied;
    setTimeout(() => { word.textContent = before; }, 2000);
  };

  const actions = {
    link: copyLink,
    help: () => document.getElementById("help")?.showModal(),
    dark: () => flip("dark"),
    large: () => flip("large"),
  };

  const keys = {
    r: () => click("run"),
    s: () => click("stop"),
    "/": () => document.querySelector("#problem textarea, .runs [name=q]")?.focus(),
    "?": actions.help,
  };

  const typing = (target) => target.closest?.("input, textarea, select, [contenteditable=true]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    const menu = event.key === "Escape" && document.querySelector("details.share[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keys[event.key]) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    keys[event.key]();
  });

  /* The rows of a table by one of its columns: the largest first, or the smallest where they lie so already. */
  const sortBy = (button) => {
    const head = button.closest("th"), body = button.closest("table").tBodies[0];
    const column = [...head.parentElement.children].indexOf(head);
    const falling = head.getAttribute("aria-sort") !== "descending";
    const value = (row) => Number(row.cells[column].dataset.value);
    const rows = [...body.rows].sort((a, b) => (falling ? value(b) - value(a) : value(a) - value(b)));
    for (const other of head.parentElement.children) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", falling ? "descending" : "ascending");
    body.append(...rows);
  };

  /* Enter in the problem runs it; a new line is Shift and Enter, which Gradio would take for the end of the text. */
  const inProblem = (event) => event.target.closest?.("#problem textarea");
  document.addEventListener("keypress", (event) => {
    if (event.key === "Enter" && inProblem(event)) event.stopPropagation();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !inProblem(event)) return;
    event.preventDefault();
    event.target.blur();          // Gradio reads the field when it is left
    click("run");
  }, true);

  document.addEventListener("click", (event) => {
    const sorted = event.target.closest?.("[data-sort]");
    if (sorted) sortBy(sorted);
    const todo = event.target.closest?.("[data-do]");
    if (todo) actions[todo.dataset.do]?.(todo);
    for (const open of document.querySelectorAll("details.share[open]")) if (!open.contains(event.target)) open.open = false;
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
