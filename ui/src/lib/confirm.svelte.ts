// Every action that ends something asks first. At most one such question is open.

export type Question = { title: string; text: string; yes: string; answer: (agreed: boolean) => void };

class Confirm {
  question = $state.raw<Question | null>(null);

  /** Whether the person agrees. A second question replaces the first one, which then counts as refused. */
  ask(title: string, text: string, yes: string): Promise<boolean> {
    this.question?.answer(false);
    return new Promise((resolve) => {
      this.question = {
        title,
        text,
        yes,
        answer: (agreed) => {
          this.question = null;
          resolve(agreed);
        },
      };
    });
  }
}

export const confirm = new Confirm();
