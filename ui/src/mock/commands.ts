// The type of the mock's commands, by their names. The type has its own file, because every part of the mock has
// commands, and the back end joins them.

/** The arguments of a command. Their types are not checked, as in the real app. */
export type Args = Record<string, unknown>;
export type Commands = Record<string, (args: Args) => unknown>;
