// Opening files: by button or by drop, one after the other, with a bar that says how far each is.
const { button, element, link, say } =
  await import(new URL("runs_dom.js" + new URL(import.meta.url).search, import.meta.url));

/** Lets `root` open files; `opened()` follows each that brought something. */
export function listenForFiles(root, opened) {
  const pick = root.querySelector(".runs-pick"), says = root.querySelector(".runs-says");
  let last = Promise.resolve();
  const take = (files) => { for (const file of files) last = last.then(() => open(file, says)).then(opened); };
  root.querySelector(".runs-open").onclick = () => pick.click();
  pick.onchange = () => { take(pick.files); pick.value = ""; };
  let within = 0;                                        // a drag enters and leaves every element below, too
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const over = (change) => (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    within = Math.max(0, within + change);
    root.classList.toggle("runs-drop", within > 0);
  };
  window.addEventListener("dragenter", over(1));
  window.addEventListener("dragleave", over(-1));
  window.addEventListener("dragover", over(0));
  window.addEventListener("drop", (event) => {
    over(-within)(event);
    if (carriesFiles(event)) take([...event.dataTransfer.files]);
  });
}

async function open(file, says) {
  const opening = say("opening", { file: file.name });
  const bar = element("progress", { max: 200, value: 0, aria: { label: opening } });
  says.replaceChildren(element("span", {}, `${opening} `), bar);
  try {
    says.replaceChildren(...told(file.name, await send(file, (share) => { bar.value = share; })));
  } catch (error) {
    const said = error.message.startsWith(file.name) ? error.message : `${file.name}: ${error.message}`;
    says.replaceChildren(element("span", { className: "bad" }, said));
  }
}

/* The first hundred of the bar is the way to the server, the second one what it does. */
function send(file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", new URL(`rte/runs/file?name=${encodeURIComponent(file.name)}`, document.baseURI));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = ({ loaded, total }) => progress((100 * loaded) / Math.max(1, total));
    const lines = () => request.responseText.split("\n").filter(Boolean);
    request.onprogress = () => {
      const done = lines().length > 0 && JSON.parse(request.responseText.split("\n").at(-2)).done;
      if (done !== undefined) progress(100 + done);
    };
    request.onerror = () => reject(new Error(say("no_answer")));
    request.onload = () => {
      const said = JSON.parse(lines().at(-1) ?? "{}");
      if (said.run_ids) resolve(said);
      else reject(new Error(said.error ?? said.detail ?? say("not_opened")));
    };
    request.send(file);
  });
}

/* What a file brought, with the way to it. */
function told(name, { run_ids: ids, known, warnings }) {
  const fresh = ids.length || !known ? say("new_runs", { n: ids.length }) : "";
  const said = [fresh, known ? say("here_already", { n: known }) : ""].filter(Boolean).join(", ");
  const ways = [
    ids.length === 1 ? link(say("show_it"), `./?run=${ids[0]}`) : "",
    ids.length > 1 && ids.length < 5 ? link(say("compare_them"), `./compare?runs=${ids.join(",")}`) : "",
  ];
  const list = element("ul", { className: "runs-warnings" }, ...warnings.map((text) => element("li", {}, text)));
  const dismiss = button(say("dismiss"), ({ target }) => target.parentElement.replaceChildren());
  return [element("span", {}, `${name}: ${said} `), ...ways.filter(Boolean), warnings.length ? list : "", dismiss];
}
