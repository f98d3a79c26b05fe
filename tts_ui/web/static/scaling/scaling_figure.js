// The two plots. The server says what is in them, with names for colours; here they get those of the mode, and room.

const CONFIG = { displayModeBar: false, showSendToCloud: false, displaylogo: false };
const NARROW = 560;     // px: below it a plot has no room for what stands beside it

const isDark = () => document.body.classList.contains("dark");

/** A figure whose colours are those of the mode. */
export function coloured(figure, palettes, dark = isDark()) {
  const ground = getComputedStyle(document.body).getPropertyValue("--body-background-fill").trim();
  const known = ground && !ground.startsWith("var") && CSS.supports("color", ground);
  const palette = { ...palettes[dark ? "dark" : "light"], ...(known ? { "@ground": ground } : {}) };
  return JSON.parse(JSON.stringify(figure), (_, value) => (typeof value === "string" && palette[value]) || value);
}

/** A plot in `place` that follows its figure, the mode and the room there is; `onPoint` is told which point is
    clicked. */
export class Plot {
  constructor(Plotly, place, height, onPoint) {
    Object.assign(this, { Plotly, place, height, onPoint, figure: null });
    new MutationObserver(() => this.draw()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new ResizeObserver(() => this.draw()).observe(place);
  }

  isNarrow() { return this.place.clientWidth > 0 && this.place.clientWidth < NARROW; }

  show(figure, palettes) {
    Object.assign(this, { figure, palettes });
    return this.draw();
  }

  async draw() {
    if (!this.figure || !this.place.clientWidth) return;
    const { href } = window.location;      // hatching and clipping are named by it: under another all is drawn again
    const key = JSON.stringify([this.figure, isDark(), this.place.clientWidth, href]);
    if (key === this.drawn) return;
    this.drawn = key;
    this.narrow = this.isNarrow();
    const { data, layout } = coloured(this.figure, this.palettes);
    const font = Number.parseFloat(getComputedStyle(this.place).fontSize);
    const lines = data.filter((trace) => trace.showlegend !== false).length;
    const beside = this.narrow ? 1 : Math.max(1, Math.floor(this.place.clientWidth / 210));
    const legend = 20 * Math.ceil(lines / beside);
    const { fontFamily: family } = getComputedStyle(this.place);
    const below = layout.meta.below + (this.narrow ? 12 : 0);      // px that the axis takes under the plot
    Object.assign(layout, {
      width: this.place.clientWidth, height: this.height + legend, font: { ...layout.font, family, size: font },
    });
    layout.legend.y = -below / (this.height - layout.margin.t - below);
    layout.margin = { ...layout.margin, b: below + legend };
    if (this.narrow) {
      layout.margin = { ...layout.margin, l: 44, r: 8 };
      layout.legend.orientation = "v";
      for (const note of layout.annotations ?? []) note.font = { ...note.font, size: 10 };
    }
    await this.Plotly.react(this.place, data, layout, CONFIG);
    if (this.heard) return;
    this.heard = true;
    this.place.on("plotly_click", ({ points }) => {
      const isNamed = ({ customdata }) => Array.isArray(customdata) && /^[0-9a-f]{10}$/.test(customdata[0]);
      const named = points.find(isNamed);
      if (named) this.onPoint(named.customdata[0]);
    });
  }

  /** Saves the plot as a picture, in the colours of the mode. */
  save(filename) {
    const { clientWidth, clientHeight } = this.place;
    return this.Plotly.downloadImage(this.place, {
      format: "png", scale: 2, filename, width: Math.max(clientWidth, 800), height: clientHeight,
    });
  }
}
