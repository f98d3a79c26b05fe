/** Colours and sizes from the style sheet, which knows light from dark. */
export function readTheme(root) {
  const style = getComputedStyle(root);
  const pen = document.createElement("canvas").getContext("2d");
  const get = (name) => {       // through a canvas: Plotly knows fewer ways to write a colour than a style sheet
    pen.fillStyle = style.getPropertyValue(`--st-${name}`).trim();
    return pen.fillStyle;
  };
  return {
    ink: get("ink"), muted: get("muted"), paper: get("paper"), accent: get("accent"), outline: get("outline"),
    unscored: get("unscored"), correct: get("correct"), wrong: get("wrong"), mark: get("mark"), font: style.fontFamily,
    label: Number.parseFloat(style.getPropertyValue("--st-label")) || 10,
    edge: { plain: get("edge"), faded: get("edge-faded"), chosen: get("edge-chosen") },
  };
}
