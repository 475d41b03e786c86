// What axe finds on a page, in a form that a failed test can be read by.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";

export async function axe(page: Page): Promise<string[]> {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  if (passes.length === 0) {
    throw new Error("axe has looked at nothing");
  }
  return violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`));
}
