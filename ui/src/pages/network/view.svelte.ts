// The view of the network that the person has chosen. It is kept while another page is shown.

class View {
  kind = $state<"graph" | "list">("graph");
  filter = $state("");
}

export const view = new View();
