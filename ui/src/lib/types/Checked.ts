import type { Effect } from "./Effect";
import type { Problem } from "./Problem";

export type Checked = { problems: Problem[]; effect: Effect | null };
