// The page of lessons: predict, lock in, watch, see the effect. What a reader did is kept in this browser, by lesson, so
// that a reload changes nothing; the trees between the two halves of the page are Gradio's.
const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask, button, element }, { Progress, STEPS }] = await Promise.all(["dom.js", "learn_progress.js"].map(part));

const PATIENCE = 150;           // ms between two looks for what Gradio has not put on the page yet

export async function mountLearn(top) {
  const asked = new URL(window.location.href).searchParams;
  const name = asked.get("lesson")?.trim() ?? "";
  document.documentElement.classList.toggle("learn-class", asked.get("class") === "1");
  const told = await ask(`learn?${new URLSearchParams({ lesson: name })}`);
  const after = await present(() => document.querySelector(".learn-after"));
  const page = told.lesson ? new LessonPage(top.querySelector(".learn-top"), after, told) : null;
  if (page) page.show();
  else showIndex(top.querySelector(".learn-top"), told);
  top.setAttribute("aria-busy", "false");
}

/** What `find` finds, as soon as it does. */
async function present(find) {
  for (;;) {
    const found = find();
    if (found) return found;
    await new Promise((done) => { setTimeout(done, PATIENCE); });
  }
}

/* The server's own words, as HTML; nothing that a model or a person wrote is in them. */
const html = (tag, text, properties = {}) => {
  const made = element(tag, properties);
  made.innerHTML = text;
  return made;
};

const fill = (text, values) => text.replaceAll(/\{(\w+)\}/g, (_, name) => {
  if (values[name] === undefined) throw new Error(`no value: ${name}, ${text}`);
  return values[name];
});

function address(lesson, changes = {}) {
  const query = new URLSearchParams({ ...(lesson ? { lesson } : {}), ...(inClass() ? { class: "1" } : {}), ...changes });
  if (!query.get("class")) query.delete("class");
  const said = query.toString();
  return `./learn${said ? `?${said}` : ""}`;
}

const inClass = () => document.documentElement.classList.contains("learn-class");
const link = (text, href, properties = {}) => element("a", { href, ...properties }, text);
const paper = (name, lesson) => `./rte/learn/${name}${lesson ? `?lesson=${lesson}` : ""}`;

function showIndex(place, { words, lessons, intro, unknown }) {
  document.documentElement.dataset.learn = "index";
  const rows = lessons.map(({ name, title, short, minutes }) => element("li", {},
    element("h3", {}, link(title, address(name))),
    html("p", short),
    element("p", { className: "hint" }, minutes, new Progress(name).step === "revealed" ? `, ${words.done_mark}` : ""),
  ));
  place.replaceChildren(
    element("h2", {}, words.index_title),
    unknown ? element("p", { className: "notice error", role: "alert" }, words.unknown) : "",
    html("div", intro),
    element("ol", { className: "learn-list" }, ...rows),
    element("p", { className: "learn-paper" }, `${words.index_paper}: `,
      link(words.handout_all, paper("handout")), " ", link(words.notes_all, paper("notes"))),
    element("p", { className: "learn-mode" }, modeLink(words, "")),
  );
}

const modeLink = (words, lesson) => inClass()
  ? link(words.class_off, address(lesson, { class: "" }))
  : link(words.class_on, address(lesson, { class: "1" }));

class LessonPage {
  constructor(top, after, { words, lesson }) {
    Object.assign(this, { top, after, words, lesson });
    this.progress = new Progress(lesson.name);
  }

  get step() { return this.progress.step; }
  reached(step) { return STEPS.indexOf(this.step) >= STEPS.indexOf(step); }
  get choice() { return this.lesson.choices.find(({ id }) => id === this.progress.choice); }

  show() {
    const { words, lesson } = this;
    document.title = fill(words.page_title, { title: lesson.title });
    this.status = element("p", { className: "learn-status", role: "status" });
    this.top.replaceChildren(
      element("p", { className: "hint learn-where" }, `${lesson.number}, ${lesson.minutes} `, link(words.all, address(""))),
      element("h2", {}, lesson.title),
      html("div", lesson.before, { className: "learn-text" }),
      element("details", { className: "learn-terms", open: true }, element("summary", {}, words.terms), html("div", lesson.terms)),
      this.prediction(),
      this.runs = element("section", {}, element("h3", {}, words.run), element("p", {}, words.run_hint),
        element("p", { className: "learn-problem" }, lesson.problem)),
    );
    document.addEventListener("click", (event) => {
      if (event.target.closest?.("#learn-watch") && !this.restoring) this.watched();
    });
    this.follow();
    if (this.reached("ran")) this.restore();
  }

  prediction() {
    const { words, lesson } = this;
    const options = lesson.choices.map(({ id, text }) => element("label", {},
      element("input", { type: "radio", name: "choice", value: id, checked: id === this.progress.choice }),
      html("span", text)));
    this.lock = button(words.lock, () => this.predict(), { className: "primary learn-lock", disabled: !this.choice });
    this.form = element("form", { onsubmit: (event) => { event.preventDefault(); this.predict(); } },
      element("fieldset", {}, html("legend", lesson.question), ...options), this.lock, this.status);
    this.form.addEventListener("change", () => { this.lock.disabled = false; });
    return element("section", {}, element("h3", {}, words.predict), element("p", { className: "hint" }, words.predict_why), this.form);
  }

  predict() {
    const choice = new FormData(this.form).get("choice");
    if (!choice || this.reached("predicted")) return;
    this.progress.keep({ choice, step: "predicted" });
    this.follow();
    document.querySelector("#learn-watch")?.focus();
  }

  async watched() {
    if (!this.reached("ran")) this.progress.keep({ step: "ran" });
    this.follow();
    const tree = await present(() => document.querySelector("#tree-a .search-tree[data-status=done]"));
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const play = tree && await present(() => document.querySelector("#replay-learn .rp-play"));
    play?.click();
  }

  /* After a reload the trees come back, and stand still. */
  async restore() {
    await present(() => document.querySelector("#learn-lesson :is(textarea, input)")?.value);
    this.restoring = true;
    document.querySelector("#learn-watch").click();
    this.restoring = false;
  }

  reveal() {
    this.progress.keep({ step: "revealed" });
    this.follow();
    this.after.querySelector(".learn-effect h3").focus();
  }

  restart() {
    this.progress.forget();
    window.location.reload();
  }

  /* What is on the page at this step. */
  follow() {
    document.documentElement.dataset.learn = this.step;
    const locked = this.reached("predicted");
    for (const input of this.form.elements) if (input.type === "radio") input.disabled = locked;
    this.lock.hidden = locked;
    this.status.replaceChildren(...(locked ? [html("b", fill(this.words.locked, { choice: this.choice.text }))] : []));
    this.runs.hidden = !locked;
    this.after.replaceChildren(...(this.reached("ran") ? this.seen() : []), this.foot());
  }

  seen() {
    const { words, lesson } = this;
    const look = element("section", {}, element("h3", {}, words.look), html("div", lesson.look, { className: "learn-text" }),
      lesson.sides > 1 ? element("p", { className: "hint learn-stacked" }, words.stacked) : "");
    const revealed = this.reached("revealed");
    const shown = element("section", { className: "learn-effect" },
      element("h3", { tabIndex: -1 }, words.effect),
      ...(revealed ? this.effect() : [button(lesson.reveal, () => this.reveal(), { className: "primary learn-reveal" })]));
    return [look, shown];
  }

  effect() {
    const { words, lesson } = this;
    const right = lesson.choices.find(({ id }) => id === lesson.answer);
    const verdict = this.progress.choice === lesson.answer ? words.as_expected : words.not_expected;
    const ways = lesson.links.map(({ text, to }) => element("li", {}, html("a", text, { href: to })));
    return [
      element("div", { className: "learn-verdicts" },
        html("p", fill(words.you_were, { choice: this.choice.text })),
        html("p", `<b>${fill(words.measured, { answer: right.text })}</b>`), element("p", {}, verdict)),
      html("div", lesson.figures, { className: "learn-wide", tabIndex: 0, role: "region", ariaLabel: words.effect }),
      html("div", lesson.effect, { className: "learn-text" }),
      element("h3", {}, words.means), html("div", lesson.means, { className: "learn-text" }),
      element("h3", {}, words.think), html("div", lesson.think, { className: "learn-text" }),
      element("div", { className: "learn-on" }, element("h3", {}, words.on), element("ul", {}, ...ways)),
    ];
  }

  foot() {
    const { words, lesson } = this;
    const way = (to, says, name) => to && link(fill(says, { title: to.title }), address(to.name), { className: name });
    return element("footer", { className: "learn-foot" },
      element("p", {}, way(lesson.previous, words.previous, "learn-previous"), way(lesson.next, words.next, "learn-next")),
      element("p", { className: "learn-mode" }, modeLink(words, lesson.name),
        this.reached("predicted") ? button(words.restart, () => this.restart(), { className: "link learn-restart" }) : ""),
      element("p", { className: "learn-paper" }, `${words.teacher}: `,
        link(words.handout, paper("handout", lesson.name)), " ", link(words.notes, paper("notes", lesson.name))),
    );
  }
}
