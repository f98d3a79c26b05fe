/* Plotly keeps one global, which one of Gradio's own plots replaces with another version: ours is kept apart, once for
 * all that draw with it. */
export function loadPlotly(url) {
  const kept = (window.searchTreePlotly ??= {});
  return (kept[url] ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: url });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { delete kept[url]; reject(new Error(`could not load ${url}`)); };
    document.head.append(script);
  }));
}
