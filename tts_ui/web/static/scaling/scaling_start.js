// Starting a sweep, how far it is, and stopping it. The server runs it: closing the page stops nothing.

const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask, button, element }, { say }] = await Promise.all(["dom.js", "words_scaling.js"].map(part));

const LOOK_MS = 1500;       // between two looks at a sweep that runs
const REDRAW = 7;           // looks between two new figures of it

const post = (path, body) => ask(`scaling/${path}`, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
});

export class Starting {
  constructor(page) {
    this.page = page;
    this.looks = 0;
  }

  /** The form, once; with `open` it is unfolded, as nothing else is there to see. */
  offer(form, open) {
    if (this.offered) return;
    this.offered = true;
    this.look();
    const field = (title, control) => element("label", {}, title, control);
    const select = (name, values) => element("select", { name }, ...values.map((value) => new Option(value, value)));
    const number = (name, value, max) => element("input", { type: "number", name, value, min: 1, max });
    const ticks = form.strategies.map(([value, title, checked]) => element("label", { className: "scaling-tick" },
      element("input", { type: "checkbox", name: "strategies", value, checked }), ` ${title}`));
    this.says = element("p", { role: "status" });
    const onsubmit = (event) => this.start(event);
    this.form = element("form", { className: "scaling-begin", aria: { label: say("new_sweep") }, onsubmit },
      field(say("problems"), select("problems", form.sets)), field(say("limit"), number("limit", form.limit, 10000)),
      field(say("models"), select("models", form.models)),
      field(say("n"), element("input", { name: "n", value: form.n, pattern: "[0-9, ]+", required: true })),
      field(say("seeds"), number("seeds", form.seeds, 100)),
      element("fieldset", {}, element("legend", {}, say("strategies")), ...ticks), this.says,
      element("button", { type: "submit", className: "primary" }, say("start")));
    this.form.addEventListener("change", () => this.plan());
    this.page.part("start").replaceChildren(this.form);
    if (open) this.page.part("new").click();
    this.plan();
  }

  get asked() {
    const given = new FormData(this.form);
    return {
      problems: given.get("problems"), limit: Number(given.get("limit")), models: [given.get("models")],
      strategies: given.getAll("strategies"), seeds: Number(given.get("seeds")),
      n: given.get("n").split(",").map((each) => Number(each.trim())).filter(Boolean),
    };
  }

  async plan() {
    const turn = (this.turn = (this.turn ?? 0) + 1);      // an answer to what was asked before comes too late
    const isLast = () => turn === this.turn;
    await this.tell(async () => {
      const { says } = await post("plan", this.asked);
      if (isLast()) this.says.textContent = says;
    }, isLast);
  }

  async start(event) {
    event.preventDefault();
    await this.tell(async () => {
      const { sweep } = await post("start", this.asked);
      if (!this.page.part("start").hidden) this.page.part("new").click();
      this.look();
      await this.page.openSweep(sweep);
    });
  }

  async tell(work, isHeard = () => true) {
    this.says.className = "";
    try { await work(); } catch (error) {
      if (!isHeard()) return;
      this.says.className = "bad";
      this.says.textContent = error.message;
    }
  }

  /* How far the sweep is; its figure is drawn again now and then, and when it is over. */
  async look() {
    clearTimeout(this.timer);
    const { running } = await ask("scaling/progress").catch(() => ({ running: null }));
    const place = this.page.part("running");
    if (running) {
      const bar = element("progress", { max: running.of, value: running.done, aria: { label: say("done") } });
      const stop = button(say("stop"), () => post("stop", { sweep: running.sweep }).catch(() => null));
      place.replaceChildren(bar, ` ${running.says} `, stop);
      this.timer = setTimeout(() => this.look(), LOOK_MS);
      if (++this.looks % REDRAW === 0) await this.page.load();
    } else if (place.childNodes.length) {
      place.replaceChildren();
      await this.page.load();
    }
  }
}
