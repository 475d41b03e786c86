// The editor of the manifest. It uses CodeMirror. It is loaded only when its page is opened, and no other file imports
// it.
import { autocompletion, closeBrackets, closeBracketsKeymap, type Completion, type CompletionContext, completionKeymap, insertCompletionText, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, indentService, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, forceLinting, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorSelection, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";

import { hasMod } from "../keys";
import type { Problem } from "../types/Problem";
import { complete, explain, type Offer } from "./complete";
import { highlight, theme } from "./editorTheme";
import { indentAfter } from "./indent";
import { splice } from "./lines";
import { stretch } from "./problems";
import type { Schema } from "./schema";

export type EditorOptions = {
  parent: HTMLElement;
  text: string;
  editable: boolean;
  label: string;
  schema: () => Schema | null;
  changed: (text: string) => void;
  save: () => void;
  /** Undoes the last step of the history. Returns the text after that; null if there is nothing to undo. */
  undo: () => string | null;
  /** Redoes the step that was undone last. Returns the text after that; null if there is nothing to redo. */
  redo: () => string | null;
};

export type Editor = {
  /** Replaces the part of the text that differs from the new text. The cursor stays where it is. */
  setText(text: string): void;
  setProblems(problems: readonly Problem[]): void;
  setEditable(editable: boolean): void;
  /** Scrolls to a problem and puts the cursor there. */
  goTo(problem: Problem): void;
  /** Scrolls to the beginning of a line, counted from 1, and puts the cursor there. */
  goToLine(line: number): void;
  focus(): void;
  destroy(): void;
};

/** Marks changes of the text that were not typed by the person. */
const fromOutside = Annotation.define<boolean>();

export function createEditor(options: EditorOptions): Editor {
  const readOnly = new Compartment();
  const lock = (editable: boolean) => [EditorState.readOnly.of(!editable), EditorView.contentAttributes.of({ "aria-readonly": String(!editable) })];
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        highlightSpecialChars(),
        highlightSelectionMatches(),
        // With this separator, every character of the file stays as it is, even if the lines of the file end in
        // different ways.
        EditorState.lineSeparator.of("\n"),
        EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, "\n")),
        drawSelection(),
        EditorState.allowMultipleSelections.of(true),
        EditorState.tabSize.of(2),
        indentUnit.of("  "),
        indentService.of((context, at) => indentAfter(context.state.doc.sliceString(0, at))),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        search({ top: true }),
        yaml(),
        syntaxHighlighting(highlight),
        lintGutter(),
        theme,
        autocompletion({ override: [(context) => offers(context, options.schema())], icons: false }),
        hoverTooltip((view, at) => hint(view, at, options.schema())),
        readOnly.of(lock(options.editable)),
        EditorView.contentAttributes.of({ "aria-label": options.label, spellcheck: "false", tabindex: "0" }),
        // The history belongs to all views of the manifest, so the editor has none of its own. A keymap would not tell
        // these keys apart while caps lock is on.
        Prec.highest(
          EditorView.domEventHandlers({
            keydown: (event) => {
              const key = hasMod(event) ? event.key.toLowerCase() : "";
              if (key !== "z" && key !== "y") {
                return false;
              }
              event.preventDefault();
              take(key === "y" || event.shiftKey ? options.redo() : options.undo());
              return true;
            },
          }),
        ),
        keymap.of([
          { key: "Mod-s", preventDefault: true, run: () => (options.save(), true) },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...completionKeymap,
          ...lintKeymap,
          // Tab indents. To leave the editor, the person presses Escape and then Tab. CodeMirror itself handles that.
          indentWithTab,
        ]),
        EditorView.updateListener.of((update) => {
          const own = update.transactions.some((one) => one.docChanged && one.annotation(fromOutside) !== true);
          if (own) {
            options.changed(update.state.doc.toString());
          }
        }),
      ],
    }),
  });

  const show = (from: number) => {
    view.dispatch({
      selection: EditorSelection.cursor(from),
      effects: EditorView.scrollIntoView(from, { y: "center" }),
    });
    view.focus();
  };

  /** Shows the text after undo or redo, with the cursor behind the change. */
  const take = (text: string | null) => {
    const before = view.state.doc.toString();
    if (text !== null && before !== text) {
      const changes = splice(before, text);
      const selection = EditorSelection.cursor(changes.from + changes.insert.length);
      view.dispatch({ changes, selection, scrollIntoView: true, annotations: fromOutside.of(true) });
    }
  };

  return {
    setText(text) {
      const before = view.state.doc.toString();
      if (before !== text) {
        view.dispatch({
          changes: splice(before, text),
          annotations: fromOutside.of(true),
        });
      }
    },
    setProblems(problems) {
      const text = view.state.doc.toString();
      view.dispatch(setDiagnostics(view.state, problems.map((problem) => diagnostic(problem, text))));
      forceLinting(view);
    },
    setEditable(editable) {
      view.dispatch({ effects: readOnly.reconfigure(lock(editable)) });
    },
    goTo: (problem) => show(stretch(problem, view.state.doc.toString()).from),
    goToLine: (line) => show(view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines))).from),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function diagnostic(problem: Problem, text: string): Diagnostic {
  const message = problem.hint === null ? problem.message : `${problem.message}\n${problem.hint}`;
  return { ...stretch(problem, text), severity: problem.severity === "note" ? "info" : problem.severity, message };
}

function offers(context: CompletionContext, schema: Schema | null) {
  if (schema === null) {
    return null;
  }
  const found = complete(schema, context.state.doc.toString(), context.pos);
  if (found === null || (!context.explicit && found.from === context.pos && !afterKey(context))) {
    return null;
  }
  return { from: found.from, options: found.offers.map((offer, at) => completion(offer, at)), validFor: /^[\w."'/:*~-]*$/ };
}

/**
 * Whether the cursor is directly after a key or a bracket. There, offers are shown at once. In other places, they are
 * shown after the first letter.
 */
function afterKey(context: CompletionContext): boolean {
  const line = context.state.doc.lineAt(context.pos);
  return /(:|-|\[|\{)\s+$|[[{]$/.test(line.text.slice(0, context.pos - line.from));
}

/** Makes a completion from an offer. Its `boost` keeps the offers in the order of the schema or the file. */
function completion(offer: Offer, at: number): Completion {
  return {
    label: offer.label,
    type: offer.kind,
    boost: -Math.min(at, 99),
    ...(offer.kind === "example" ? { detail: "e.g." } : {}),
    ...(offer.about === null ? {} : { info: offer.about }),
    apply: (view, _completion, from, to) => {
      view.dispatch(insertCompletionText(view.state, offer.insert, from, to));
      if (offer.kind === "key") {
        startCompletion(view);
      }
    },
  };
}

function hint(view: EditorView, at: number, schema: Schema | null) {
  const found = schema === null ? null : explain(schema, view.state.doc.toString(), at);
  if (found === null) {
    return null;
  }
  return {
    pos: found.from,
    end: found.to,
    above: true,
    create: () => {
      const dom = document.createElement("div");
      dom.className = "cm-hint";
      const key = dom.appendChild(document.createElement("strong"));
      key.textContent = found.key;
      dom.append(found.about);
      return { dom };
    },
  };
}
