// Words of the log page.

export const log = {
  title: "Log",
};
