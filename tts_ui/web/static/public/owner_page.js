// The owner's page: a way in, and then what the server tells its owner, as text, asked for again every few seconds.
const file = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask, button, element }, { say }] = await Promise.all(["dom.js", "words_public.js"].map(file));

const AGAIN_MS = 4000;

const post = (path, body) => ask(path, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
});

export function mount(root) { new OwnerPage(root).load(); }

class OwnerPage {
  constructor(root) {
    this.root = root;
    this.part("in").onsubmit = (event) => { event.preventDefault(); this.signIn(event.target.elements.token); };
    this.part("delete").onsubmit = (event) => { event.preventDefault(); this.remove(event.target.elements.run); };
    if (new URL(window.location.href).searchParams.has("refused")) this.refuse(new Error(say("refused")));
  }

  part(name) { return this.root.querySelector(`.owner-${name}`); }
  refuse(error) { this.part("error").textContent = error.message; }

  async load() {
    clearTimeout(this.again);
    try { this.show(await ask("owner")); } catch (error) { this.refuse(error); this.wait(); }
  }

  wait() { this.again = setTimeout(() => (document.hidden ? this.wait() : this.load()), AGAIN_MS); }

  async signIn(field) {
    this.refuse(new Error(""));
    try {
      await post("owner/sign-in", { token: field.value });
      field.value = "";
      await this.load();
      this.part("bar").querySelector("button")?.focus();
    } catch (error) { this.refuse(error); field.focus(); field.select(); }
  }

  async order(order, done = "") {
    clearTimeout(this.again);
    this.refuse(new Error(""));
    try {
      this.show(await post("owner", order));
      if (done) this.part("says").textContent = done;
      return true;
    } catch (error) { this.refuse(error); this.wait(); return false; }
  }

  async remove(field) {
    const given = field.value.trim();
    let run = given;
    try { run = new URL(given).searchParams.get("run") ?? given; } catch { /* an id is no address */ }
    if (await this.order({ do: "delete", run }, say("run_deleted"))) field.value = "";
  }

  show(said) {
    const inside = said.signed_in;
    this.part("in").hidden = inside || !said.token;
    this.part("hub").hidden = inside || !said.hub;
    this.part("desk").hidden = !inside;
    this.part("says").textContent = say(inside ? "signed_in" : said.token || said.hub ? "sign_in" : "no_way_in");
    if (!inside) return;
    this.bar(said);
    this.part("load").replaceChildren(...said.load.map(([what, much]) =>
      element("tr", {}, Object.assign(element("th", {}, what), { scope: "row" }), element("td", {}, much))));
    this.running(said.running);
    this.part("line").replaceChildren(table(["who", "waiting", "running"],
      said.line.map((each) => [each.visitor, `${each.waiting}`, `${each.running}`]), say("nobody_waits")));
    this.limits(said.limits);
    this.part("failed").replaceChildren(table(["when", "why"],
      said.failed.map((each) => [element("a", { href: each.address }, each.when), each.why]), say("none_failed")));
    this.part("complaints").replaceChildren(table(["when", "what"],
      said.complaints.map((each) => [each.when, each.text]), say("no_complaint")));
    this.wait();
  }

  bar(said) {
    const state = say(said.samples ? "samples" : said.closed ? "closed" : "open");
    const turn = say(said.closed ? "do_open" : "do_close");
    const shown = [said.closed, said.samples].join();
    if (this.shown === shown) return;     // a button that is pressed is not exchanged
    this.shown = shown;
    this.part("bar").replaceChildren(
      element("b", {}, state),
      said.samples ? "" : button(turn, () => this.order({ do: "pause", paused: !said.closed })),
      button(say("sign_out"), async () => { await this.order({ do: "sign out" }); this.shown = ""; }),
    );
  }

  running(runs) {
    this.part("running").replaceChildren(table(["problem", "strategy", "tokens", "time", ""], runs.map((run) => [
      element("a", { href: run.address }, run.problem), run.strategy, run.tokens, run.time,
      button(say("stop"), () => this.order({ do: "stop", run: run.id }),
        { aria: { label: say("stop_of", { problem: run.problem }) } }),
    ]), say("none_runs")));
  }

  /* Fields stay as they are while somebody writes in them. */
  limits(limits) {
    if (this.part("limits").contains(document.activeElement)) return;
    this.part("limits").replaceChildren(...limits.map((limit) => {
      const field = element("input", {
        type: "number", name: limit.name, min: "1", step: "1", value: limit.value ?? "", placeholder: limit.unset,
        required: !limit.unset,
      });
      const form = element("form", {}, element("label", {}, limit.help, field), element("button", { type: "submit" }, say("set")));
      form.onsubmit = async (event) => {
        event.preventDefault();
        const value = field.value === "" ? null : Number(field.value);
        document.activeElement?.blur();
        await this.order({ do: "limit", limit: limit.name, value }, `${limit.label}: ${value ?? limit.unset}.`);
      };
      return form;
    }));
  }
}

function table(heads, rows, none) {
  if (!rows.length) return element("p", { className: "hint" }, none);
  const head = element("tr", {}, ...heads.map((name) =>
    name ? Object.assign(element("th", {}, say(`column_${name}`)), { scope: "col" }) : element("td")));
  return element("div", { className: "wide", tabIndex: 0 }, element("table", {},
    element("thead", {}, head),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))))),
  ));
}
