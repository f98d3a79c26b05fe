// The page in front of people: presenting, the step's text as a sheet, and where the eye is led on a phone.
(() => {
  const html = document.documentElement;
  const phone = window.matchMedia("(max-width: 640px)");
  const broad = window.matchMedia("(min-width: 1900px)");
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const behavior = () => (still.matches ? "auto" : "smooth");
  const leadTo = (element) => element?.scrollIntoView({ block: "start", behavior: behavior() });

  /* Gradio scopes the rules of a media query, so that none can begin with html: the page says it in classes. */
  for (const [name, query] of Object.entries({ phone, broad })) {
    const note = () => html.classList.toggle(name, query.matches);
    query.addEventListener("change", note);
    note();
  }

  /* The click that ends a tap falls on what lies there by then: on the sheet's own button, where the sheet came up.
     The next tap begins with a pointerdown of its own. */
  const SAME_TAP = 400;     // ms
  let tapped = -Infinity;
  document.addEventListener("pointerdown", () => { tapped = -Infinity; }, { capture: true });

  const present = (on = !html.classList.contains("present")) => {
    html.classList.toggle("present", on);
    html.classList.remove("sheet");
    document.querySelector("[data-do=present]")?.setAttribute("aria-pressed", String(on));
    window.scrollTo({ top: 0 });
  };

  const actions = {
    present: () => present(),
    close: (click) => {
      if (click && performance.now() - tapped < SAME_TAP) return;
      html.classList.remove("sheet");
      document.querySelector(".st-plot")?.focus({ preventScroll: true });
    },
    skip: (event) => {
      event.preventDefault();
      const target = document.querySelector("#tree .st-plot, #tree-a .st-plot") ?? document.querySelector("main");
      if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
      target.focus();
    },
  };

  document.addEventListener("click", (event) => {
    const todo = event.target.closest?.("[data-do]");
    actions[todo?.dataset.do]?.(event);
    if (event.target.closest?.("#answers [data-pick], #rules [data-pick]")) showStep();
    if (event.target.closest?.("#run")) awaited = true;
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable=true]")) return;
    if (event.key === "p") present();
    else if (event.key === "Escape" && html.classList.contains("sheet")) actions.close();
    else if (event.key === "Escape" && html.classList.contains("present")) present(false);
    else return;
    event.preventDefault();
  });

  /* A formula or a table that is wider than its place can be scrolled by the keyboard, too. */
  const reachable = () => {
    for (const box of document.querySelectorAll("#detail-text .prose, .lab-table")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  new MutationObserver(() => requestAnimationFrame(reachable)).observe(html, { childList: true, subtree: true });

  /* A step that was pointed at is told in the sheet: on a phone, and where the tree has the screen. */
  const showStep = () => {
    html.classList.add("sheet");
    if (phone.matches && !html.classList.contains("present")) leadTo(document.querySelector(".st-frame"));
  };
  document.addEventListener("st-tapped", (event) => {
    tapped = performance.now();
    html.classList.add("sheet");
    if (phone.matches) leadTo(event.target.closest(".st-frame"));
  });

  /* After Run a phone shows the form still: the strip comes to the top, and the tree below it. */
  let awaited = false;
  document.addEventListener("st-run", () => {
    html.classList.remove("sheet");
    if (awaited && phone.matches) leadTo(document.querySelector("#strip:has(.strip), .trees"));
    awaited = false;
  });

  /* The first turn of the wheel over a tree says how to zoom; the page scrolls meanwhile. */
  document.addEventListener("st-wheel", (event) => {
    const frame = event.target.closest(".st-frame");
    if (!frame || html.dataset.wheelHint) return;
    html.dataset.wheelHint = "shown";
    const hint = document.createElement("p");
    hint.className = "wheel-hint";
    hint.textContent = event.detail.says;
    frame.append(hint);
    setTimeout(() => hint.remove(), 2500);
  });
})();
