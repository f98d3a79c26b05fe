/* The tree as an indented list: whole texts with their formulas, scores as bars. It is also what a screen reader walks
 * (the pattern of a tree view: one stop for Tab, the current row named by aria-activedescendant). */

const own = new URL(import.meta.url).search;
const [{ scoreWords }, { loadMaths, writeMaths }, { groupWords, remarks, stepText }, { say }] = await Promise.all(
  ["tree_colours.js", "tree_maths.js", "tree_words.js", "words_tree.js"].map(
    (name) => import(new URL(name + own, import.meta.url)),
  ),
);

const MARGIN = 30; // px that a row brought into view keeps from the ends of the list
const TYPING_GAP = 900; // ms after which what was typed ahead begins anew
const RATING_KEYS = new Set(["1", "2", "3"]); // labels; letters go to steps by their text here
/* What a row's marks say; its label for a screen reader says it in words. */
const SHOWN_OTHERWISE = new Set([
  ...["status_kept", "status_finished", "status_continued", "status_open", "correct", "wrong"].map((name) => say(name)),
  ...["right_step", "wrong_step"].map((name) => say(name, { by: say("exact_check") })),
]);
let outlines = 0; // their rows' ids must differ on one page

export class Outline {
  constructor(view, box) {
    Object.assign(this, { view, box, rows: new Map(), list: [], current: -1, typed: "", typedAt: 0 });
    this.name = `st-outline-${outlines++}`;
    this.seen = new IntersectionObserver((entries) => this.onSeen(entries), { root: box, rootMargin: "200px" });
    box.addEventListener("keydown", (event) => this.onKey(event));
    box.addEventListener("click", (event) => this.onClick(event));
    loadMaths(view.katexUrl).then((loaded) => {
      if (loaded) this.rewrite();
    });
  }

  // --- drawing -------------------------------------------------------------------------------------------------

  /** Shows a scene: rows in the order of reading, children below their parent. */
  draw(scene) {
    this.scene = scene;
    this.list = preorder(scene.shape);
    this.box.style.setProperty("--st-indent", `${this.indent()}px`);
    const gone = new Set(this.rows.keys());
    const drawn = this.list.map((index) => {
      gone.delete(index);
      return this.row(index);
    });
    for (const index of gone) {
      this.seen.unobserve(this.rows.get(index).element);
      this.rows.delete(index);
    }
    const same =
      drawn.length === this.box.children.length && drawn.every((row, i) => row.element === this.box.children[i]);
    if (!same) this.box.replaceChildren(...drawn.map((row) => row.element));
    this.showSelected(false);
  }

  /* Pixels a level: the deepest step has two thirds of the width left. */
  indent() {
    const { log, shape, size } = this.scene;
    const deepest = this.list.reduce((most, index) => Math.max(most, log.nodes[index]?.depth ?? 0), 1);
    return Math.min(16, (size.width * 0.33) / (deepest - (log.nodes[shape.root]?.depth ?? 0) + 1));
  }

  row(index) {
    let row = this.rows.get(index);
    if (!row) {
      row = newRow(`${this.name}-${index}`, index);
      this.rows.set(index, row);
      this.seen.observe(row.element);
    }
    const state = this.stateOf(index);
    if (row.state !== state) {
      row.state = state;
      this.fill(row, index);
    }
    return row;
  }

  /* All that a row shows, as one string: rows that have not changed are left alone. */
  stateOf(index) {
    const { log, shape, scale, dimmed, theme } = this.scene,
      node = log.nodes[index];
    if (!node) {
      const group = shape.groups[index - shape.nodes];
      return `${groupWords(group)}|${group.status}|${group.depth}|${shape.root}`;
    }
    return [
      node.score,
      node.status,
      node.reason,
      node.correct,
      node.truth,
      node.copies,
      node.children.length,
      shape.children[index].length,
      shape.hidden.get(index),
      log.onChosenPath.has(index),
      index === log.chosen,
      scale.id,
      scale.shares[index],
      dimmed(index),
      log.status,
      this.view.texts.has(node.id),
      theme.unscored,
      shape.root,
      shape.children[node.parent]?.length,
      this.view.bestFirst,
    ].join("|");
  }

  fill(row, index) {
    const { log, shape, scale } = this.scene,
      node = log.nodes[index],
      { element } = row;
    const parent = node ? node.parent : shape.groups[index - shape.nodes].parent;
    const level = (node ?? shape.groups[index - shape.nodes]).depth + 1;
    const siblings = shape.children[parent] ?? [index];
    element.setAttribute("aria-level", String(level));
    element.setAttribute("aria-posinset", String(siblings.indexOf(index) + 1));
    element.setAttribute("aria-setsize", String(siblings.length));
    element.style.setProperty("--st-level", String(level - 1 - log.nodes[shape.root].depth));
    element.classList.toggle("st-dim", this.scene.dimmed(index));
    element.classList.toggle("st-chosen", log.onChosenPath.has(index) && index > 0);
    if (!node) return this.fillGroup(row, shape.groups[index - shape.nodes]);
    const inner = node.children.length > 0,
      open = shape.children[index].length > 0;
    if (inner) element.setAttribute("aria-expanded", String(open));
    else element.removeAttribute("aria-expanded");
    row.step.textContent = index === 0 ? "" : String(node.depth);
    row.step.title = index === 0 ? "" : say("step_node", { depth: node.depth, node: node.id });
    const share = scale.shares[index];
    row.bar.hidden = index === 0;
    row.bar.firstChild.style.width = `${Math.round(100 * Math.min(1, Math.max(0, share ?? 0)))}%`;
    row.bar.firstChild.style.background = scale.colour(index);
    row.score.textContent = scale.says(index);
    row.score.title = index === 0 ? "" : say("scale_and_score", { scale: scale.name, score: scoreWords(node, log) });
    row.mark.dataset.status = index === log.chosen ? "chosen" : node.status;
    row.grade.dataset.right = node.truth ?? node.correct ?? "";
    row.more.textContent = [
      ...(index === 0 ? [] : remarks(log, node)),
      ...(shape.hidden.get(index) ? [say("hidden", { n: shape.hidden.get(index) })] : []),
    ]
      .filter((word) => !SHOWN_OTHERWISE.has(word))
      .join(", ");
    element.setAttribute("aria-label", this.label(node));
    row.written = null;
    if (row.visible) this.write(row, index);
  }

  fillGroup(row, group) {
    row.text.textContent = say(`steps_${group.status}`, { n: group.members.length });
    row.score.textContent = "";
    row.bar.hidden = true;
    row.step.textContent = "";
    row.more.textContent = say("group_opens", { group: groupWords(group) });
    row.mark.dataset.status = "group";
    row.grade.dataset.right = "";
    row.element.setAttribute("aria-expanded", "false");
    row.element.setAttribute("aria-label", `${row.text.textContent}, ${groupWords(group)}`);
  }

  label(node) {
    const { log } = this.scene;
    if (node.index === 0) return say("label_problem", { text: this.textOf(node) });
    const said = [
      say("Step", { depth: node.depth }),
      node.score === null ? say("not_scored") : say("scored", { score: scoreWords(node, log) }),
      ...remarks(log, node),
    ];
    return `${said.join(", ")}: ${this.textOf(node)}`;
  }

  textOf(node) {
    const text = this.view.textOf(node).trim();
    return node.index === 0 ? text : stepText(text, node.depth);
  }

  /* Texts and formulas are written when their row comes near the screen; longer texts are asked for then. */
  onSeen(entries) {
    const wanted = [];
    for (const { target, isIntersecting } of entries) {
      const index = Number(target.dataset.index),
        row = this.rows.get(index);
      if (!row) continue;
      row.visible = isIntersecting;
      if (!isIntersecting) continue;
      this.write(row, index);
      if (this.scene.log.nodes[index]) wanted.push(index);
    }
    this.view.askTexts(wanted);
  }

  write(row, index) {
    const node = this.scene.log.nodes[index];
    if (!node) return;
    const text = this.textOf(node);
    if (row.written === text) return;
    row.written = text;
    writeMaths(row.text, text);
  }

  /** Writes again what is on the screen: formulas can be set now, or texts have come. */
  rewrite() {
    if (!this.scene) return;
    for (const [index, row] of this.rows) {
      row.written = null;
      if (row.visible) this.write(row, index);
    }
  }

  // --- selecting -----------------------------------------------------------------------------------------------

  /** Marks the selected row, and brings it into view where `follow` says so. */
  showSelected(follow = true) {
    const selected = this.view.selected >= 0 ? this.view.selected : this.current;
    if (this.current !== selected) this.rows.get(this.current)?.element.setAttribute("aria-selected", "false");
    this.current = this.rows.has(selected) ? selected : (this.list[0] ?? -1);
    const row = this.rows.get(this.current);
    if (!row) return;
    row.element.setAttribute("aria-selected", String(this.current === this.view.selected));
    this.box.setAttribute("aria-activedescendant", row.element.id);
    const first = !this.followed && this.view.selected >= 0;
    this.followed ||= first;
    if (!follow && !first) return;
    this.bringIntoView(row.element);
    requestAnimationFrame(() => this.bringIntoView(row.element)); // with the heights of those above
  }

  /* The list alone is scrolled: the page stays where the reader has it. */
  bringIntoView(element) {
    const { offsetTop: top, offsetHeight: height } = element, { scrollTop, clientHeight } = this.box;
    if (top < scrollTop + MARGIN) this.box.scrollTop = top - MARGIN;
    else if (top + height > scrollTop + clientHeight - MARGIN) this.box.scrollTop = top + height + MARGIN - clientHeight;
  }

  onClick(event) {
    const element = event.target.closest("[role=treeitem]");
    if (!element) return;
    const index = Number(element.dataset.index);
    if (event.target.closest(".st-twist") && this.scene.log.nodes[index]) this.view.foldAt(index);
    else this.choose(index);
  }

  choose(index) {
    if (index < 0 || index === undefined) return;
    if (this.scene.shape.isGroup(index)) this.view.openGroup(index);
    else this.view.select(index, { soon: true });
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.list.length) return;
    if (RATING_KEYS.has(event.key) && this.view.rateByKey(event.key)) {
      event.preventDefault();
      return;
    }
    const move = this.move(event.key);
    if (move === undefined && !this.typeAhead(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // a letter that is typed ahead is no key of the page
    if (typeof move === "number") this.choose(move);
    else if (move) move();
  }

  /* The row that a key leads to, something to do, or undefined where the key is not ours. */
  move(key) {
    const at = this.list.indexOf(this.current),
      { shape } = this.scene;
    const open = shape.children[this.current]?.length > 0,
      inner = this.scene.log.nodes[this.current]?.children.length > 0;
    if (key === "ArrowDown") return this.list[Math.min(at + 1, this.list.length - 1)];
    if (key === "ArrowUp") return this.list[Math.max(at - 1, 0)];
    if (key === "Home") return this.list[0];
    if (key === "End") return this.list.at(-1);
    if (key === "Enter" || key === " ") return this.current;
    if (key === "ArrowRight")
      return open
        ? shape.children[this.current][0]
        : inner || shape.isGroup(this.current)
          ? () => this.unfold()
          : this.current;
    if (key === "ArrowLeft")
      return open && this.current !== shape.root
        ? () => this.view.foldAt(this.current)
        : this.parentOf(this.current);
    return undefined;
  }

  unfold() {
    if (this.scene.shape.isGroup(this.current)) this.view.openGroup(this.current);
    else this.view.foldAt(this.current);
  }

  parentOf(index) {
    const { log, shape } = this.scene;
    const parent = shape.isGroup(index) ? shape.groups[index - shape.nodes].parent : log.nodes[index].parent;
    return this.rows.has(parent) ? parent : index;
  }

  /* Letters go to the next row whose text begins with what was typed. "/" and "?" stay the page's. */
  typeAhead(key) {
    if (key.length !== 1 || key === "/" || key === "?" || key === "[" || key === "]") return false;
    const now = performance.now();
    this.typed = now - this.typedAt > TYPING_GAP ? key.toLowerCase() : this.typed + key.toLowerCase();
    this.typedAt = now;
    const from = this.list.indexOf(this.current) + (this.typed.length === 1 ? 1 : 0);
    const found = [...this.list.slice(from), ...this.list.slice(0, from)].find((index) => {
      const node = this.scene.log.nodes[index];
      return (
        node &&
        this.textOf(node)
          .toLowerCase()
          .replace(/^[^\p{L}\p{N}]+/u, "")
          .startsWith(this.typed)
      );
    });
    if (found !== undefined) this.choose(found);
    return true;
  }

  elementOf(index) {
    return this.rows.get(index)?.element ?? null;
  }
}

/* A drawn tree from the top, children below their parent, groups where their members would stand last. */
function preorder(shape) {
  const list = [],
    left = [shape.root];
  while (left.length) {
    const index = left.pop();
    list.push(index);
    left.push(...[...shape.children[index]].reverse());
  }
  return list;
}

function newRow(id, index) {
  const element = Object.assign(document.createElement("div"), { className: "st-row", id });
  element.setAttribute("role", "treeitem");
  element.setAttribute("aria-selected", "false");
  element.dataset.index = index;
  const part = (name, tag = "span") =>
    element.appendChild(Object.assign(document.createElement(tag), { className: `st-${name}` }));
  const row = {
    element,
    twist: part("twist"),
    mark: part("mark"),
    step: part("step"),
    bar: part("score-bar"),
    score: part("digits"),
    grade: part("grade"),
    text: part("text"),
    more: part("more"),
  };
  row.bar.append(document.createElement("i"));
  return row;
}
