/* The label next to the node under the pointer: the step's text, its score and its status. All of it is written
 * with textContent, so that model text is shown letter by letter whatever it contains. */

const own = new URL(import.meta.url).search;
const [{ scoreColour }, { remarks }] = await Promise.all(
  ["tree_figure.js", "tree_log.js"].map((name) => import(new URL(name + own, import.meta.url))),
);

export class TreeTip {
  constructor(box) {
    this.box = box;
    this.head = box.querySelector(".st-tip-head");
    this.swatch = box.querySelector(".st-tip-swatch");
    this.text = box.querySelector(".st-tip-text");
    this.foot = box.querySelector(".st-tip-foot");
  }

  /** Shows the label of `node` next to `pixel`, inside the frame of the scene. */
  show(log, node, scene, pixel) {
    const step = node.index === 0 ? "Problem" : `Step ${node.depth}`;
    const score = node.index === 0 ? "" : node.score === null ? "not scored" : node.score.toFixed(2);
    this.head.textContent = score ? `${step}, ${score}` : step;
    this.swatch.style.backgroundColor = node.index === 0 ? scene.theme.ink : scoreColour(node.score, scene.theme);
    this.text.textContent = node.text || "(no text)";
    this.foot.textContent = node.index === 0 ? "" : remarks(log, node).join(", ");
    this.box.hidden = false;
    this.put(scene, pixel);
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
