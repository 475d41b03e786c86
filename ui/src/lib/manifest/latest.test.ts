import { expect, it } from "vitest";

import { Latest } from "./latest";

it("one question is under way, and the next one is about the newest text", async () => {
  const asked: string[] = [];
  const answers: ((answer: string) => void)[] = [];
  const told: string[] = [];
  const latest = new Latest<string>(
    (text) => {
      asked.push(text);
      return new Promise((resolve) => answers.push(resolve));
    },
    (answer, text) => told.push(`${text} ${answer}`),
    () => told.push("failed"),
  );
  latest.about("a");
  latest.about("b");
  latest.about("c");
  expect(asked).toEqual(["a"]);
  answers[0]!("first");
  await expect.poll(() => asked).toEqual(["a", "c"]);
  answers[1]!("second");
  await expect.poll(() => told).toEqual(["a first", "c second"]);
});

it("goes on after a question has failed", async () => {
  const told: unknown[] = [];
  const latest = new Latest<string>(
    (text) => (text === "bad" ? Promise.reject(new Error("no")) : Promise.resolve(text)),
    (answer) => told.push(answer),
    (error) => told.push((error as Error).message),
  );
  latest.about("bad");
  latest.about("good");
  await expect.poll(() => told).toEqual(["no", "good"]);
});
