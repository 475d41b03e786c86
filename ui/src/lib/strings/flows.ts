// Words of the flows page.

export const flows = {
  title: "Flows",
};
