// What a visitor has on this server, and how to be rid of it.
const file = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ ask, button, element }, { say }] = await Promise.all(["dom.js", "words_public.js"].map(file));

const send = (what) => ask("mine", {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ do: what }),
});

export function mount(root) {
  const part = (name) => root.querySelector(`.mine-${name}`);
  const says = part("says");
  const refuse = (error) => { part("error").textContent = error.message; };

  const look = async () => {
    const mine = await ask("mine");
    const kept = mine.kept && mine.runs ? ` ${say("kept", { time: mine.kept })}` : "";
    says.textContent = mine.known ? say("started", { n: mine.runs }) + kept : say("unknown");
    part("delete").disabled = !mine.runs;
    part("forget").disabled = !mine.known;
    return mine;
  };

  /* A second press does it: what is deleted does not come back. */
  const sure = (name, question, act) => {
    part(name).onclick = () => {
      const row = part("do"), before = [...row.children];
      const back = () => { row.replaceChildren(...before); part(name).focus(); };
      row.replaceChildren(
        element("span", {}, question),
        button(say("yes"), async () => { back(); try { await act(); } catch (error) { refuse(error); } }, { className: "sure" }),
        button(say("no"), back),
      );
      row.querySelector(".sure").focus();
    };
  };

  sure("delete", say("delete_sure"), async () => {
    const { deleted } = await send("delete");
    const { runs } = await look();
    says.textContent = [say("deleted", { n: deleted }), runs ? say("not_stopped", { n: runs }) : ""].join(" ").trim();
  });
  sure("forget", say("forget_sure"), async () => {
    await send("forget");
    for (const name of ["delete", "forget"]) part(name).disabled = true;
    says.textContent = say("forgotten");
  });
  look().catch(refuse);
}
