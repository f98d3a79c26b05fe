// The steps of a solution that is being worked on: their texts, their scores now and before, and what can be done to
// each. Every change goes through `change(steps, focus)`; the list is drawn anew.
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ button, element, say, score, signed }, { middle }] = await Promise.all(["score_dom.js", "score_text.js"].map(part));

/** A change of a score from here on is worth a mark. */
export const MARKED = 0.1;

let made = 0;
/** A step without scores; `now` and `before` hold a value by judge. */
export const step = (text, now = {}) => ({ key: ++made, text, now, before: {} });

/** The largest change of all steps and judges: {step, judge, change}, or null. */
export function largest(steps, judges) {
  const changes = steps.flatMap((each) => judges.map((judge) => ({ step: each, judge, change: change(each, judge) })));
  const known = changes.filter((each) => each.change !== null && Math.abs(each.change) >= 0.005);
  return known.reduce((most, each) => (!most || Math.abs(each.change) > Math.abs(most.change) ? each : most), null);
}

/* Without "## Step 3:" where its number stands above it. */
function withoutNumber(text, number) {
  const head = /^\s*(?:#{1,6}\s*)?(?:\*\*)?step\s+(\d{1,4})\s*(?:\*\*)?\s*[:.]\s*(?:\*\*)?\s*/i.exec(text);
  const rest = head && Number(head[1]) === number ? text.slice(head[0].length) : text;
  return rest.trim() ? rest : text;
}

export function change(each, judge) {
  const [before, now] = [each.before[judge], each.now[judge]];
  return typeof before === "number" && typeof now === "number" ? now - before : null;
}

export class StepList {
  /** `list` is the element; `change(steps, key)` takes the new steps and which one shall have the focus. */
  constructor(list, { write, change }) {
    Object.assign(this, { list, write, change, editing: null });
  }

  draw(steps, judges, stale) {
    this.steps = steps;
    const most = stale ? null : largest(steps, judges);
    this.list.replaceChildren(...steps.map((each, at) => this.row(each, at, judges, stale, most)));
  }

  row(each, at, judges, stale, most) {
    const text = element("div", { className: "score-text" });
    if (this.editing === each.key) text.append(this.editor(each, at));
    else this.write(text, withoutNumber(each.text, at + 1));
    return element("li", { data: { key: each.key } },
      element("div", { className: "score-head" }, element("b", {}, say("step", { step: at + 1 })), this.tools(each, at)),
      text, this.scores(each, judges, stale, most));
  }

  scores(each, judges, stale, most) {
    const rows = judges.filter((judge) => judge in each.now || judge in each.before).map((judge) => {
      const by = change(each, judge), now = each.now[judge];
      const marked = !stale && by !== null && Math.abs(by) >= MARKED;
      const is = most && most.step === each && most.judge === judge && marked;
      const bar = element("i", { className: "bar" }, element("i"));
      bar.firstChild.style.width = `${100 * (now ?? 0)}%`;
      return element("tr", { className: marked ? "marked" : "" },
        element("th", { scope: "row" }, judge), element("td", {}, bar),
        element("td", { data: { now: "" } }, score(now)),
        element("td", { className: "was" }, by === null ? "" : say("before", { score: score(each.before[judge]) })),
        element("td", { className: "by" }, by === null || Math.abs(by) < 0.005 ? "" : signed(by)),
        element("td", { className: "most" }, is ? say("largest") : ""));
    });
    if (!rows.length) return element("p", { className: "hint" }, say("not_scored"));
    return element("table", { className: stale ? "score-values stale" : "score-values" },
      element("caption", { className: "sr" }, say(stale ? "scores_stale" : "scores")),
      element("tbody", {}, ...rows));
  }

  tools(each, at) {
    const last = this.steps.length - 1, number = at + 1;
    const tool = (name, act, disabled = false) => {
      const does = say(`${name}_says`), aria = { label: say("tool_of", { does, step: number }) };
      return button(say(`tool_${name}`), act, { data: { tool: name }, disabled, title: does, aria });
    };
    return element("span", { className: "score-tools", role: "group", ariaLabel: say("step", { step: number }) },
      tool("edit", () => this.edit(each)),
      tool("up", () => this.move(at, at - 1), at === 0),
      tool("down", () => this.move(at, at + 1), at === last),
      tool("merge", () => this.merge(at), at === last),
      tool("split", () => this.split(at, middle(each.text)), middle(each.text) < 0),
      tool("drop", () => this.drop(at), last === 0));
  }

  editor(each, at) {
    const box = element("textarea", { value: each.text, rows: Math.min(12, 2 + Math.ceil(each.text.length / 90)),
      ariaLabel: say("text_of", { step: at + 1 }) });
    const done = () => {
      const text = box.value.trim();
      this.editing = null;
      if (!text || text === each.text) this.change(this.steps, each.key);
      else this.change(this.with(at, 1, this.changed(each, text)), each.key);
    };
    const leave = () => { this.editing = null; this.change(this.steps, each.key); };
    box.onkeydown = (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done();
      if (event.key === "Escape") leave();
      event.stopPropagation();                           // the page's own keys are for when nobody types
    };
    const cut = () => {
      const place = box.selectionStart, whole = { ...each, text: box.value };
      if (!box.value.slice(0, place).trim() || !box.value.slice(place).trim()) { box.focus(); return; }
      this.editing = null;
      this.split(at, place, whole);
    };
    return element("div", { className: "score-editor" }, box, element("div", {},
      button(say("done"), done, { title: say("done_key") }), button(say("cut"), cut),
      button(say("cancel"), leave, { title: say("cancel_key") })));
  }

  edit(each) {
    this.editing = each.key;
    this.change(this.steps, each.key);
    this.list.querySelector("textarea")?.focus();
  }

  /* A step with another text keeps its last score, which will be the one before. */
  changed(each, text) { return { ...each, text }; }
  with(at, count, ...instead) { return [...this.steps.slice(0, at), ...instead, ...this.steps.slice(at + count)]; }
  drop(at) {
    const steps = this.with(at, 1);
    this.change(steps, steps[Math.min(at, steps.length - 1)].key);
  }

  move(from, to) {
    const steps = [...this.steps], [moved] = steps.splice(from, 1);
    steps.splice(to, 0, moved);
    this.change(steps, moved.key, to < from ? "up" : "down");
  }

  merge(at) {
    const joined = step(`${this.steps[at].text}\n\n${this.steps[at + 1].text}`);
    this.change(this.with(at, 2, joined), joined.key, "merge");
  }

  split(at, place, whole = this.steps[at]) {
    const halves = [whole.text.slice(0, place), whole.text.slice(place)].map((text) => step(text.trim()));
    this.change(this.with(at, 1, ...halves), halves[0].key, "split");
  }

  /** Puts the focus on a step's tool, or its first one that can be used. */
  focus(key, tool = "edit") {
    const row = this.list.querySelector(`[data-key="${key}"]`);
    const wanted = row?.querySelector(`[data-tool=${tool}]:not(:disabled)`) ?? row?.querySelector("button:not(:disabled)");
    wanted?.focus();
  }
}
