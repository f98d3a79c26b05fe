// The tags and the note of a run, in a line below its own.
const { button, element, say } =
  await import(new URL("runs_dom.js" + new URL(import.meta.url).search, import.meta.url));

/** Opens below `line`, or goes there if it is open. `save(tags, note)` keeps them; `saved()` follows. Escape leaves. */
export function editor(line, row, save, saved) {
  const open = line.nextElementSibling;
  if (open?.classList.contains("runs-editor")) { open.querySelector("input").focus(); return; }
  const tags = element("input", {
    type: "text", name: "tags", value: row.tags.join(", "), autocomplete: "off",
    placeholder: say("tags_such_as"),
  });
  const note = element("textarea", { name: "note", rows: 2, maxLength: 2000, value: row.note });
  const error = element("div", { className: "bad", role: "alert" });
  const back = () => {
    form.closest("tr").remove();
    line.querySelector("[data-part=edit]")?.focus();
  };
  const form = element("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await save(tags.value, note.value);
        saved();
      } catch (refusal) { error.textContent = refusal.message; (refusal.argument === "note" ? note : tags).focus(); }
    },
    onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); back(); } },
  }, element("label", {}, say("tags"), tags), element("label", {}, say("note"), note),
  element("div", { className: "runs-buttons" }, element("button", { type: "submit" }, say("save")),
    button(say("cancel"), back)),
  error);
  line.after(element("tr", { className: "runs-editor" }, element("td", { colSpan: line.children.length }, form)));
  tags.focus();
}
