// The question before an action that ends something. At most one such question is open.

export type Choice = { id: string; label: string; kind: "primary" | "plain" | "danger" };

export type Question = { title: string; text: string; choices: Choice[]; answer: (choice: string | null) => void };

class Confirm {
  question = $state.raw<Question | null>(null);

  /** Asks a question, and returns whether the person agrees. */
  async ask(title: string, text: string, yes: string): Promise<boolean> {
    return (await this.choose(title, text, [{ id: "yes", label: yes, kind: "danger" }])) !== null;
  }

  /**
   * Asks a question with several choices, and returns the choice of the person; `null` if the person has chosen none. A
   * second question replaces the first one, which then returns `null`.
   */
  choose(title: string, text: string, choices: Choice[]): Promise<string | null> {
    this.question?.answer(null);
    return new Promise((resolve) => {
      this.question = {
        title,
        text,
        choices,
        answer: (choice) => {
          this.question = null;
          resolve(choice);
        },
      };
    });
  }
}

export const confirm = new Confirm();
