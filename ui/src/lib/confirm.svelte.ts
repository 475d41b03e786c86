// Every action that ends something asks first. At most one such question is open.

export type Choice = { id: string; label: string; kind: "primary" | "plain" | "danger" };

export type Question = { title: string; text: string; choices: Choice[]; answer: (choice: string | null) => void };

class Confirm {
  question = $state.raw<Question | null>(null);

  /** Whether the person agrees. */
  async ask(title: string, text: string, yes: string): Promise<boolean> {
    return (await this.choose(title, text, [{ id: "yes", label: yes, kind: "danger" }])) !== null;
  }

  /** The choice of the person; `null` is none. A second question replaces the first one, which then has no choice. */
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
