// How the person looks at the network; kept while they visit other pages.

class View {
  kind = $state<"graph" | "list">("graph");
  filter = $state("");
}

export const view = new View();
