/** Colours and sizes from the style sheet, which knows light from dark. */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const pen = document.createElement("canvas").getContext("2d");
  const get = (name) => {       // through a canvas: Plotly knows fewer ways to write a colour than a style sheet
    pen.fillStyle = style.getPropertyValue(`--st-${name}`).trim();
    return pen.fillStyle;
  };
  const label = Number.parseFloat(style.getPropertyValue("--st-label")) || 10;
  return {
    ink: get("ink"), muted: get("muted"), paper: get("paper"), accent: get("accent"), outline: get("outline"),
    lane: get("lane"), laneEdge: get("lane-edge"),
    unscored: get("unscored"), correct: get("correct"), wrong: get("wrong"), mark: get("mark"), font: style.fontFamily,
    label, scale: Number.parseFloat(style.getPropertyValue("--st-scale")) || label / 10,     // of marks and lines
    edge: { plain: get("edge"), faded: get("edge-faded"), chosen: get("edge-chosen") },
  };
}
