/**
 * A closed loop over kept connections: each asks again as soon as it is answered, so what is in hand is never more than the
 * number of connections. Lean enough not to be what is measured.
 */
import { connect, type Socket } from "node:net";
import { createAnswerReader } from "./http-answers.ts";

export interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, which makes it a POST. `{n}` in it becomes another number of twelve digits each time. */
  readonly body?: string;
}

export interface Load {
  readonly port: number;
  /** Asked in turn, by whichever connection is free. */
  readonly requests: readonly Request[];
  readonly connections: number;
  readonly durationMs: number;
  /** 503, “try again in a moment”, is counted apart; without this it ends the load as any other refusal does. */
  readonly mayBeBusy?: boolean;
}

export interface LoadResult {
  /** Done ones alone. */
  readonly requestsPerSecond: number;
  /** Of every request that was done, in ms. */
  readonly times: readonly number[];
  readonly busy: number;
}

let numbers = 0;

/** Throws at the first answer that is not 200: what was refused is never counted as done. */
export async function load({ port, requests, connections, durationMs, mayBeBusy = false }: Load): Promise<LoadResult> {
  const texts = requests.map((request) => textOf(port, request));
  let turn = 0;
  const next = () => {
    const text = texts[turn % texts.length] ?? "";
    turn += 1;
    if (!text.includes("{n}")) return text;
    numbers += 1;
    return text.replaceAll("{n}", String(numbers).padStart(12, "0"));
  };
  const started = performance.now();
  const isOver = () => performance.now() - started >= durationMs;
  let busy = 0;
  const onBusy = () => {
    if (mayBeBusy) busy += 1;
    return mayBeBusy;
  };
  const times = await Promise.all(Array.from({ length: connections }, () => ask(port, next, isOver, onBusy)));
  const all = times.flat();
  return { requestsPerSecond: all.length / ((performance.now() - started) / 1_000), times: all, busy };
}

function textOf(port: number, { path, headers, body }: Request): string {
  const method = body === undefined ? "GET" : "POST";
  const length = body && Buffer.byteLength(body.replaceAll("{n}", "0".repeat(12)));
  const lines = {
    Host: `localhost:${port}`,
    ...headers,
    ...(body !== undefined && { "Content-Type": "application/json", "Content-Length": String(length) }),
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${head.join("")}\r\n${body ?? ""}`;
}

/** @param onBusy whether a 503 may be. */
function ask(port: number, next: () => string, isOver: () => boolean, onBusy: () => boolean): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const times: number[] = [];
    const take = createAnswerReader();
    let sentAt: number | undefined;
    const send = () => {
      sentAt = performance.now();
      socket.write(next());
    };
    const fail = (error: unknown) => {
      socket.destroy();
      reject(error);
    };
    socket.once("connect", send);
    socket.on("data", (part: Buffer) => {
      try {
        const answer = take(part);
        if (answer === undefined) return;
        if (sentAt === undefined) throw new Error("An answer came that nobody asked for.");
        if (answer.status === 200) times.push(performance.now() - sentAt);
        else if (answer.status !== 503 || !onBusy()) {
          throw new Error(`The server answered ${answer.status}: ${answer.begins}`);
        }
        sentAt = undefined;
        if (isOver()) socket.end();
        else send();
      } catch (error) {
        fail(error);
      }
    });
    socket.once("error", fail);
    socket.once("close", () => {
      if (sentAt === undefined) resolve(times);
      else fail(new Error("The server closed a connection before it had answered."));
    });
  });
}
