// The Score tab: a problem and its steps, the judges that shall read them, what that costs, and what they say.
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask, button, element, say, score }, { asText, inSteps, solutionIn }, { StepList, largest, step }] =
  await Promise.all(["score_dom.js", "score_text.js", "score_steps.js"].map(part));

const PAUSE_MS = 300;       // without a change, before it is asked what scoring would cost
const UNDO = 50;            // changes that can be taken back

/** `maths` is the module that writes formulas, `katexUrl` what it needs. */
export async function mountScore(root, { maths, katexUrl }) {
  const tab = new ScoreTab(root, maths);
  maths.loadMaths(katexUrl).then(() => tab.draw());
  await tab.begin();
  root.scoreTab = tab;
}

class ScoreTab {
  constructor(root, maths) {
    Object.assign(this, { root, steps: [], past: [], scored: "", from: null, working: null });
    for (const name of ["problem", "whole", "judges", "list", "cost", "says", "error", "cuts", "undo", "score", "stop",
      "cut", "keep", "open", "pick", "bill"]) this[name] = root.querySelector(`.score-${name}`);
    this.list = new StepList(this.list, {
      write: (box, text) => maths.writeMaths(box, text), change: (...what) => this.change(...what),
    });
    this.problem.oninput = () => this.touched();
    this.whole.oninput = () => this.typed();
    this.score.onclick = () => this.work("score", (said) => this.told(said));
    this.cut.onclick = () => this.work("cuts", (said) => this.tellCuts(said));
    this.keep.onclick = () => this.work("keep", ({ run }) => this.kept(run));
    this.stop.onclick = () => this.working?.abort();
    this.undo.onclick = () => this.takeBack();
    this.open.onclick = () => this.pick.click();
    this.pick.onchange = () => this.read(this.pick.files[0]);
    this.judges.onchange = () => this.touched();
  }

  get chosen() { return [...this.judges.querySelectorAll("input:checked")].map((box) => box.value); }
  get asked() { return { problem: this.problem.value, steps: this.steps.map((each) => each.text), judges: this.chosen }; }
  get stale() { return this.scored !== JSON.stringify(this.asked); }

  async begin() {
    const asked = new URL(window.location.href).searchParams;
    const about = new URLSearchParams([["run", asked.get("run") ?? ""], ["node", asked.get("node") ?? ""]]);
    let said = null;
    try { said = await ask(`solution?${about}`); }
    catch (error) { this.refuse(error); said = await ask("solution"); }
    this.offer(said.judges);
    if (said.steps) {
      this.problem.value = said.problem;
      const names = [...new Set(said.steps.flatMap(({ scores }) => Object.keys(scores)))];
      for (const box of this.judges.querySelectorAll("input")) if (names.includes(box.value)) box.checked = true;
      this.steps = said.steps.map(({ text, scores }) => step(text, scores));
      this.says.textContent = said.node ? say("recorded_to", { step: this.steps.length }) : say("recorded");
      this.scored = JSON.stringify(this.asked);
    } else this.steps = inSteps(this.whole.value).map((text) => step(text));
    this.touched();
    this.writeText();
  }

  offer(judges) {
    this.judges.querySelector("div").replaceChildren(...judges.map(({ name, title, note }, at) => element("label",
      { title: [title, note].filter(Boolean).join(": ") },
      element("input", { type: "checkbox", value: name, checked: at === 0 }), name)));
  }

  /* Another list of steps; `key` and `tool` say where the focus goes on. */
  change(steps, key, tool = "edit") {
    if (steps !== this.steps) {
      this.past = [...this.past, this.steps].slice(-UNDO);
      this.steps = steps;
      this.writeText();
    }
    this.touched();
    if (key && this.list.editing === null) this.list.focus(key, tool);
  }

  takeBack() {
    if (!this.past.length) return;
    this.steps = this.past.pop();
    this.writeText();
    this.touched();
  }

  typed() {
    const known = new Map(this.steps.map((each) => [each.text, each]));
    this.past = [...this.past, this.steps].slice(-UNDO);
    this.steps = inSteps(this.whole.value).map((text) => {
      const each = known.get(text);
      known.delete(text);
      return each ?? step(text);
    });
    this.touched();
  }

  writeText() { this.whole.value = asText(this.steps.map((each) => each.text)); }

  async read(file) {
    this.pick.value = "";
    if (!file) return;
    try {
      const { problem, steps } = solutionIn(await file.text());
      this.problem.value = problem;
      this.change(steps.map((text) => step(text)));
      this.says.textContent = say("file_read", { n: steps.length, file: file.name });
      this.error.replaceChildren();
    } catch (error) { this.refuse(error); }
  }

  /* Something is not as it was when it was scored. */
  touched() {
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.estimate(), PAUSE_MS);
  }

  draw() {
    this.list.draw(this.steps, this.shownJudges(), this.stale);
    this.undo.disabled = !this.past.length;
    const nothing = !this.steps.length || !this.chosen.length || !this.problem.value.trim();
    for (const each of [this.score, this.cut, this.keep]) each.disabled = nothing || Boolean(this.working);
    this.stop.hidden = !this.working;
    this.root.classList.toggle("score-empty", !this.steps.length);
    this.score.textContent = say(this.scored ? "score_again" : "score");
  }

  shownJudges() {
    const seen = new Set(this.steps.flatMap((each) => Object.keys(each.now)));
    return [...new Set([...this.chosen, ...seen])];
  }

  async estimate() {
    this.costing?.abort();
    const asked = this.asked;
    if (!asked.problem.trim() || !asked.steps.length || !asked.judges.length) {
      this.cost.textContent = say(asked.steps.length ? "tick_a_judge" : "nothing_yet");
      return;
    }
    this.costing = new AbortController();
    try {
      const about = await ask("about", asked, { signal: this.costing.signal });
      const [alone, withCuts] = about.score ? ["cost", "cost_with_cuts"] : ["all_scored", "all_scored_with_cuts"];
      this.cost.textContent = say(about.cuts ? withCuts : alone, { tokens: about.score, cuts: about.cuts });
    } catch (error) {
      if (error.name !== "AbortError") this.cost.textContent = error.message;
    }
  }

  async work(what, tell) {
    if (this.working) return;
    const asked = this.asked;
    this.working = new AbortController();
    this.error.replaceChildren();
    this.says.textContent = say({ score: "scoring", cuts: "scoring_cuts", keep: "keeping" }[what]);
    this.draw();
    try {
      const said = await ask(what, asked, { signal: this.working.signal });
      this.says.textContent = "";
      this.working = null;
      tell(said, asked);
      this.lastBill(said.judges ?? []);
    } catch (error) {
      this.says.textContent = error.name === "AbortError" ? say("stopped") : "";
      if (error.name !== "AbortError") this.refuse(error);
    }
    this.working = null;
    this.touched();
  }

  told({ judges }) {
    const texts = this.steps.map((each) => each.text);
    for (const { name, scores } of judges) {
      if (!scores) continue;
      this.steps.forEach((each, at) => {
        if (name in each.now) each.before = { ...each.before, [name]: each.now[name] };
        each.now = { ...each.now, [name]: scores[at] };
      });
    }
    this.scored = JSON.stringify({ ...this.asked, steps: texts });
    const names = judges.map(({ name }) => name), most = largest(this.steps, names);
    if (most) {
      const { step: { before, now }, judge } = most, at = this.steps.indexOf(most.step) + 1;
      this.says.textContent =
        say("largest_of", { step: at, judge, before: score(before[judge]), now: score(now[judge]) });
    } else this.says.textContent = say("scored");
  }

  lastBill(judges) {
    const bill = ({ name, tokens, flops, seconds, read, reused }) =>
      say(read ? "bill" : "bill_known", { n: read, judge: name, tokens, flops, seconds, reused });
    this.bill.replaceChildren(...judges.map((each) =>
      element("li", {}, each.error ? `${each.name}: ${each.error}` : bill(each))));
  }

  tellCuts({ rules, cuts, judges }) {
    const known = judges.filter((judge) => judge.cuts);
    const names = element("tr", {}, element("td", { colSpan: 2 }),
      ...known.map(({ name }) => element("th", { scope: "colgroup", colSpan: rules.length }, name)));
    const head = element("tr", {}, element("th", { scope: "col" }, say("column_cut")),
      element("th", { scope: "col" }, say("column_steps")),
      ...known.flatMap(() => rules.map((rule) => element("th", { scope: "col" }, rule))));
    const rows = cuts.map((cut, at) => element("tr", {}, element("th", { scope: "row" }, cut.name),
      element("td", {}, String(cut.steps)),
      ...known.flatMap((judge) => rules.map((rule) => element("td", {}, score(judge.cuts[at][rule]))))));
    const spread = known.flatMap((judge) => rules.map((rule) => {
      const values = judge.cuts.map((each) => each[rule]).filter((value) => value !== null);
      return values.length ? Math.max(...values) - Math.min(...values) : null;
    }));
    rows.push(element("tr", { className: "spread" }, element("th", { scope: "row" }, say("spread")), element("td"),
      ...spread.map((value) => element("td", {}, value === null ? say("unknown") : value.toFixed(2)))));
    this.cuts.replaceChildren(element("table", { className: "judged" },
      element("caption", {}, say("cuts_say")),
      element("thead", {}, names, head), element("tbody", {}, ...rows)));
  }

  kept(run) {
    const link = element("a", { href: `./?run=${encodeURIComponent(run)}` }, say("open_run"));
    this.says.replaceChildren(say("kept"), " ", link);
  }

  refuse(error) { this.error.replaceChildren(element("div", { className: "notice error" }, error.message)); }
}
