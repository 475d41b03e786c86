// Tests of a drag with the pointer: its end, and the thing that is dragged.
import { afterEach, beforeEach, expect, it } from "vitest";

import { type Drag, Drags } from "./drag.svelte";

let text: string;
let dropped: Drag[];
let drags: Drags;

beforeEach(() => {
  document.body.innerHTML = '<div data-host="web1" data-grip="card"><button data-grip="socket" data-number="0"><b>8080</b></button></div>';
  // There is no layout here, so nothing is below the pointer.
  document.elementFromPoint = () => null;
  Object.assign(globalThis, { CSS: { escape: (name: string) => name } });
  text = "8080:127.0.0.1:80";
  dropped = [];
  drags = new Drags({
    element: () => document.body,
    pointAt: (client) => client,
    zoom: () => 1,
    canEdit: () => true,
    together: (host) => new Set([host]),
    said: () => text,
    drop: (drag) => dropped.push(drag),
  });
});

afterEach(() => drags.cancel());

const pointer = (type: string, pointerId: number, at: number) => new PointerEvent(type, { pointerId, clientX: at, clientY: at, bubbles: true, cancelable: true });

function press(): void {
  const press = pointer("pointerdown", 1, 10);
  document.querySelector("b")!.addEventListener("pointerdown", (event) => expect(drags.press(event)).toBe(true), { once: true });
  document.querySelector("b")!.dispatchEvent(press);
  window.dispatchEvent(pointer("pointermove", 1, 300));
}

it("keeps what it has taken up, whatever is there when the pointer is released", () => {
  press();
  text = "9100:127.0.0.1:9100";
  window.dispatchEvent(pointer("pointerup", 1, 300));
  expect(dropped).toMatchObject([{ kind: "socket", host: "web1", number: 0, was: "8080:127.0.0.1:80" }]);
  expect(drags.now).toBeNull();
});

it("is ended only by the pointer that began it", () => {
  press();
  window.dispatchEvent(pointer("pointerup", 2, 300));
  window.dispatchEvent(pointer("pointercancel", 2, 300));
  expect(drags.now).not.toBeNull();
  expect(dropped).toEqual([]);
  window.dispatchEvent(pointer("pointerup", 1, 300));
  expect(dropped).toHaveLength(1);
  window.dispatchEvent(pointer("pointerup", 1, 300));
  expect(dropped).toHaveLength(1);
});

it("drops nothing after it was cancelled, because the picture is gone", () => {
  press();
  drags.cancel();
  window.dispatchEvent(pointer("pointermove", 1, 400));
  window.dispatchEvent(pointer("pointerup", 1, 400));
  expect(drags.now).toBeNull();
  expect(dropped).toEqual([]);
});
