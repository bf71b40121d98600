/** A load of equal GET requests over kept connections, lean enough not to be what is measured. */
import { connect, type Socket } from "node:net";

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly durationMs: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Of every request, in ms. */
  readonly times: readonly number[];
}

/** Each connection asks again as soon as it is answered. Throws at the first answer that is not 200. */
export async function load({ port, path, headers, connections, durationMs }: Load): Promise<LoadResult> {
  const head = Object.entries({ Host: `localhost:${port}`, ...headers });
  const request = `GET ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  const started = performance.now();
  const times = await Promise.all(
    Array.from({ length: connections }, () => ask(port, request, () => performance.now() - started < durationMs)),
  );
  const all = times.flat();
  return { requestsPerSecond: all.length / ((performance.now() - started) / 1_000), times: all };
}

function ask(port: number, request: string, goOn: () => boolean): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host: "127.0.0.1", port, noDelay: true });
    const times: number[] = [];
    let received = "";
    let sentAt = 0;
    const send = () => {
      received = "";
      sentAt = performance.now();
      socket.write(request);
    };
    socket.setEncoding("latin1");
    socket.once("connect", send);
    socket.on("data", (part: string) => {
      received += part;
      if (!isWhole(received)) return;
      if (!received.startsWith("HTTP/1.1 200 ")) {
        socket.destroy();
        reject(new Error(`The server answered: ${received.slice(0, 600)}`));
        return;
      }
      times.push(performance.now() - sentAt);
      if (goOn()) send();
      else socket.end();
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(times));
  });
}

/** Whether a whole answer is there: by its length, or by the last chunk. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(answer.slice(0, end + 2))?.[1];
  return length === undefined ? answer.endsWith("0\r\n\r\n") : answer.length >= end + 4 + Number(length);
}
