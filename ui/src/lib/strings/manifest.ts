// Words of the manifest page.

export const manifest = {
  title: "Manifest",
};
