// The colours of the editor. They are variables of the page, so the editor follows the light and dark themes.
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--warn)" },
  { tag: [tags.labelName, tags.typeName], color: "var(--ok)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--ink-2)" },
  { tag: tags.meta, color: "var(--ink-3)" },
]);

/** A wavy line under a range of text. The browser draws it, so that it has the colour of the theme. */
function wave(color: string) {
  return {
    backgroundImage: "none",
    textDecoration: `underline wavy var(${color}) 1px`,
    textDecorationSkipInk: "none",
    textUnderlineOffset: "3px",
    paddingBottom: "0",
  };
}

/** A mark in the gutter. It is a letter, because a picture would not have the colour of the theme. */
function marker(kind: string, color: string, shape: string) {
  return {
    [`.cm-lint-marker-${kind}`]: { content: "normal" },
    [`.cm-lint-marker-${kind}::before`]: {
      content: `"${shape}"`,
      display: "block",
      color: `var(${color})`,
      font: "700 11px/20px var(--font)",
      textAlign: "center",
    },
  };
}

export const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: "var(--text-m)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", fontVariantLigatures: "none" },
  ".cm-content": { padding: "10px 0", caretColor: "var(--accent)" },
  ".cm-line": { padding: "0 16px 0 6px" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--hover) 55%, transparent)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", border: "none" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "34px", padding: "0 8px 0 0" },
  ".cm-gutter-lint": { width: "20px", paddingInlineStart: "6px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0" },
  ".cm-lint-marker": { width: "14px", height: "auto" },
  ...marker("error", "--bad", "✕"),
  ...marker("warning", "--warn", "▲"),
  ...marker("info", "--accent", "●"),
  ".cm-lintRange-error": wave("--bad"),
  ".cm-lintRange-warning": wave("--warn"),
  ".cm-lintRange-info": wave("--accent"),
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--line-strong)" },
  ".cm-selectionMatch": { backgroundColor: "var(--sunken)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": {
    border: "1px solid var(--line)",
    borderRadius: "var(--r-m)",
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    boxShadow: "var(--shadow-l)",
    font: "400 var(--text-s)/1.5 var(--font)",
    overflow: "hidden",
  },
  ".cm-hint": { maxWidth: "420px", padding: "6px 10px" },
  ".cm-hint strong": { display: "block", fontFamily: "var(--mono)", color: "var(--accent)" },
  ".cm-tooltip .cm-diagnostic": { maxWidth: "460px", padding: "6px 10px", whiteSpace: "pre-wrap", borderLeftWidth: "3px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--accent)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", fontSize: "var(--text-s)", minWidth: "180px", padding: "4px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", borderRadius: "var(--r-s)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginLeft: "10px" },
  ".cm-tooltip.cm-completionInfo": { maxWidth: "300px", padding: "6px 10px" },
  ".cm-panels": { backgroundColor: "var(--paper)", color: "var(--ink)", fontFamily: "var(--font)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 32px 8px 12px", fontSize: "var(--text-s)" },
  ".cm-panel input.cm-textfield": { border: "1px solid var(--line-strong)", borderRadius: "var(--r-s)", background: "var(--raised)" },
  ".cm-panel .cm-button": { border: "1px solid var(--line)", borderRadius: "var(--r-s)", background: "var(--raised)", color: "var(--ink)" },
  ".cm-panel [name=close]": { color: "var(--ink-2)", fontSize: "18px", padding: "0 8px" },
});
