/* The label next to the node under the pointer: the step's text, its score and its status. All of it is written
 * with textContent, so that model text is shown letter by letter whatever it contains. */

const own = new URL(import.meta.url).search;
const [{ scoreWords }, { groupWords, remarks, stepText }, { say }] = await Promise.all(
  ["tree_colours.js", "tree_words.js", "words_tree.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

const LONGEST = 400;        // characters

export class TreeTip {
  constructor(box) {
    this.box = box;
    this.head = box.querySelector(".st-tip-head");
    this.swatch = box.querySelector(".st-tip-swatch");
    this.text = box.querySelector(".st-tip-text");
    this.foot = box.querySelector(".st-tip-foot");
  }

  /** Shows the label of what `index` stands for next to `pixel`, inside the frame of the scene. */
  show(scene, index, pixel, view) {
    const { log, shape, scale, theme } = scene, node = log.nodes[index];
    this.swatch.style.backgroundColor = !node ? theme.unscored : index === 0 ? theme.ink : scale.colour(index);
    if (node) this.ofNode(log, node, scale, view.textOf(node));
    else this.ofGroup(shape.groups[index - shape.nodes]);
    this.box.hidden = false;
    this.put(scene, pixel);
  }

  ofNode(log, node, scale, text) {
    const other = scale.id === "score" || !scale.says(node.index) ? "" : `, ${scale.name} ${scale.says(node.index)}`;
    const said = `${say("Step", { depth: node.depth })}, ${scoreWords(node, log)}${other}`;
    this.head.textContent = node.index === 0 ? say("Problem") : said;
    const words = node.index === 0 ? text : stepText(text, node.depth);
    this.text.textContent = words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words || say("no_text");
    this.foot.textContent = node.index === 0 ? "" : [...remarks(log, node), say("node", { node: node.id })].join(", ");
  }

  ofGroup(group) {
    this.head.textContent = groupWords(group);
    this.text.textContent = say(`siblings_${group.status}`, { n: group.members.length });
    this.foot.textContent = say("group_click");
  }

  /* To the right of the node where there is room, else to its left; never outside the frame. */
  put(scene, pixel) {
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const right = pixel.x + 18 + width <= scene.size.width;
    const left = right ? pixel.x + 18 : Math.max(4, pixel.x - 18 - width);
    const top = Math.min(Math.max(4, pixel.y - height / 2), Math.max(4, scene.size.height - height - 4));
    this.box.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  hide() { this.box.hidden = true; }
}
