/** Processes of their own for parts of a benchmark: one order at a time, one answer each. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

export interface Child<Order, Answer> {
  readonly pid: number;
  ask(order: Order): Promise<Answer>;
  end(): Promise<void>;
}

type Reply<Answer> = { readonly answer: Answer } | { readonly failed: string };

/** `program`: a module that calls `obey`. Its memory can be measured without what is only waiting to be collected. */
export function startChild<Order, Answer>(
  program: URL,
  env: Readonly<Record<string, string>> = {},
): Child<Order, Answer> {
  const child: ChildProcess = fork(program, {
    execArgv: ["--expose-gc"],
    env: { PATH: process.env["PATH"] ?? "", ...env },
    serialization: "advanced",
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`${program.pathname} ended before it was done.`);
  });
  // Whoever asks hears of it.
  ended.catch(() => {});
  return {
    pid: child.pid ?? 0,
    async ask(order) {
      const replied = once(child, "message");
      child.send(order as object);
      const [reply] = (await Promise.race([replied, ended])) as [Reply<Answer>];
      if ("failed" in reply) throw new Error(reply.failed);
      return reply.answer;
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, "exit");
      if (child.connected) child.disconnect();
      await exit;
    },
  };
}

/** In the child: does what it is told, and `close` when its parent leaves it. */
export function obey<Order, Answer>(work: (order: Order) => Promise<Answer>, close: () => Promise<void>): void {
  process.on("message", (order: Order) => {
    work(order).then(
      (answer) => process.send?.({ answer } satisfies Reply<Answer>),
      (error: unknown) => process.send?.({ failed: error instanceof Error ? `${error.stack}` : String(error) }),
    );
  });
  process.once("disconnect", () => {
    close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

/** Resident set in MB, after two full collections. */
export function memoryMB(): number {
  global.gc?.();
  global.gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}
