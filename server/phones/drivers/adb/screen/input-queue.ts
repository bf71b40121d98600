/** Input one after the other; a move that waits is replaced by a newer one of the same finger. Bounded. */
import { PerchError } from "../../../../errors.ts";
import type { PhoneInput } from "../../../driver.ts";

const MOST_WAITING = 256;

export interface InputQueue {
  input(input: PhoneInput): Promise<void>;
  /** Work between inputs. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

interface Waiting {
  input: PhoneInput | undefined;
  readonly work: (input: PhoneInput | undefined) => Promise<void>;
  readonly done: PromiseWithResolvers<void>;
}

export function createInputQueue(act: (input: PhoneInput) => Promise<void>): InputQueue {
  const waiting: Waiting[] = [];
  let working = false;

  async function drain(): Promise<void> {
    if (working) return;
    working = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await next.work(next.input).then(next.done.resolve, next.done.reject);
    }
    working = false;
  }
  function add(input: PhoneInput | undefined, work: Waiting["work"]): Promise<void> {
    if (waiting.length >= MOST_WAITING) {
      throw new PerchError("phone_unavailable", "The phone does not keep up with the input. Wait a moment.");
    }
    const done = Promise.withResolvers<void>();
    waiting.push({ input, work, done });
    void drain();
    return done.promise;
  }

  return {
    async input(input) {
      const last = waiting.at(-1);
      if (isMove(input) && last?.input !== undefined && isMove(last.input) && last.input.id === input.id) {
        last.input = input;
        return last.done.promise;
      }
      return add(input, (newest) => act(newest ?? input));
    },
    async run(work) {
      let result: { readonly value: Awaited<ReturnType<typeof work>> } | undefined;
      await add(undefined, async () => {
        result = { value: await work() };
      });
      if (result === undefined) throw new Error("Work that ended has a result.");
      return result.value;
    },
  };
}

type Touch = Extract<PhoneInput, { type: "touch" }>;
function isMove(input: PhoneInput): input is Touch & { phase: "move" } {
  return input.type === "touch" && input.phase === "move";
}
