/* plotly.js, which draws the tree and the icicle. It is most of what a page weighs, so it is asked for when there is
 * something to draw: an empty frame and an outline do without. */

const part = (name) => import(new URL(name + new URL(import.meta.url).search, import.meta.url));
const [{ loadPlotly }, { say }] = await Promise.all(["plotly_script.js", "words_tree.js"].map(part));

/** The part of a TreeView that has to do with Plotly itself. */
export const drawing = {
  /** Draws as soon as plotly.js is there, and says meanwhile that it is on its way. */
  awaitPlotly() {
    const says = this.root.querySelector(".st-empty");
    says.textContent = say("picture_waits");
    const drawn = (Plotly) => {
      this.Plotly = Plotly;
      says.textContent = this.props.empty_text ?? "";
      this.drawNow();
    };
    const failed = (error) => { this.fetching = null; this.onFail(error); };
    this.fetching ??= loadPlotly(this.plotlyUrl).then(drawn, failed);
  },

  /* From one kind of picture to another Plotly starts anew: it keeps parts of the one before otherwise. */
  react({ data, layout }, config) {
    if (this.pictured && this.pictured !== this.mode) { this.Plotly.purge(this.plot); this.heard = false; }
    this.pictured = this.mode;
    this.Plotly.react(this.plot, data, layout, config);
    if (!this.heard) this.hearPlotly();
  },

  hearPlotly() {
    this.heard = true;
    if (this.mode === "icicle") {
      this.plot.on("plotly_icicleclick", ({ points }) => {
        this.pick(Number(points[0].id));
        return false;       // Plotly would zoom
      });
      return;
    }
    const moved = () => {
      const { xaxis, yaxis } = this.plot._fullLayout ?? this.plot.layout;   // the full one is ahead during a gesture
      this.setView({ x: [...xaxis.range], y: [yaxis.range[1], yaxis.range[0]] });
    };
    this.plot.on("plotly_relayouting", moved);
    this.plot.on("plotly_relayout", (change) => { if ("xaxis.range[0]" in change) moved(); });
  },
};
