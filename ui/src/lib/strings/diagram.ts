// The words of the tools that every diagram has.

export const diagram = {
  fit: "Fit to window",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  miniMap: "Overview of the diagram",
};
