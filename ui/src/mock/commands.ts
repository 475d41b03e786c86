// The commands of the mock, each under its name. The type has a file of its own, since every part of the mock brings
// commands and the back end joins them.

/** The arguments of a command. They are unchecked, as those of the real bridge are. */
export type Args = Record<string, unknown>;
export type Commands = Record<string, (args: Args) => unknown>;
