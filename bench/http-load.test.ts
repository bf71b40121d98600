import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { createAnswerReader } from "./http-answers.ts";
import { load } from "./http-load.ts";

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("a load", () => {
  it("counts what was answered and nothing else, with so many in hand and every number once", async () => {
    const asked: string[] = [];
    let [inHand, most] = [0, 0];
    const port = await serve((request, response) => {
      inHand += 1;
      most = Math.max(most, inHand);
      let body = "";
      request.on("data", (part: Buffer) => {
        body += part.toString();
      });
      request.on("end", () => {
        asked.push(`${request.method} ${request.headers["x-person"]} ${body}`);
        setTimeout(() => {
          inHand -= 1;
          // By length and by chunks, in turns.
          if (asked.length % 2 === 0) response.write("a");
          response.end("0\r\n\r\n");
        }, 2);
      });
    });
    const result = await load({
      ...{ port, connections: 4, durationMs: 120 },
      requests: ["Ada", "Bo", "Cy"].map((name) => ({ path: "/", headers: { "X-Person": name }, body: `{"n":"{n}"}` })),
    });
    expect(most).toBe(4);
    expect(result.times).toHaveLength(asked.length);
    expect(asked.length).toBeGreaterThan(8);
    expect(new Set(asked).size).toBe(asked.length);
    const numbers = new Set(asked.map((one) => /"n":"(\d{12})"/.exec(one)?.[1]));
    expect(numbers.size).toBe(asked.length);
    const shares = ["Ada", "Bo", "Cy"].map((name) => asked.filter((one) => one.startsWith(`POST ${name} `)).length);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    // A closed loop: while four are in hand, their times together are the time that passed, four times.
    const together = result.times.reduce((sum, time) => sum + time, 0);
    const passed = (result.times.length / result.requestsPerSecond) * 1_000;
    expect(together).toBeLessThanOrEqual(4 * passed);
  });

  it("fails when one answer is a refusal, or does not come", async () => {
    let count = 0;
    const refusing = await serve((_, response) => {
      count += 1;
      response.writeHead(count < 5 ? 200 : 429, { "Content-Length": 19 }).end("That was too often.");
    });
    const requests = [{ path: "/", headers: {} }];
    await expect(load({ port: refusing, requests, connections: 2, durationMs: 5_000 })).rejects.toThrow(
      "The server answered 429: That was too often.",
    );
    const leaving = await serve((request) => request.socket.destroy());
    await expect(load({ port: leaving, requests, connections: 1, durationMs: 5_000 })).rejects.toThrow(
      /before it had answered|ECONNRESET/,
    );
  });
});

describe("a load that may find the server busy", () => {
  it("counts what was not done apart, and takes nothing else for that", async () => {
    let [count, refusal] = [0, 503];
    const port = await serve((_, response) => {
      count += 1;
      response.writeHead(count % 3 === 0 ? refusal : 200, { "Content-Length": 0 }).end();
    });
    const asking = { port, requests: [{ path: "/", headers: {} }], connections: 1, durationMs: 60, mayBeBusy: true };
    const { times, busy } = await load(asking);
    expect([times.length, busy]).toEqual([count - Math.floor(count / 3), Math.floor(count / 3)]);
    expect(busy).toBeGreaterThan(0);
    await expect(load({ ...asking, mayBeBusy: false })).rejects.toThrow("The server answered 503");
    refusal = 429;
    await expect(load(asking)).rejects.toThrow("The server answered 429");
  });
});

describe("the end of an answer", () => {
  const byLength = (body: Buffer) =>
    Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX: y\r\n\r\n`), body]);
  const byChunks = (parts: readonly Buffer[]) =>
    Buffer.concat([
      Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
      ...parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]),
      Buffer.from("0\r\n\r\n"),
    ]);
  // Bodies that look like ends of answers among them.
  const piece = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom("0\r\n\r\n", "\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n").map((text) => Buffer.from(text)),
  );

  it("is found exactly, however the answers are cut", () => {
    const answer = fc
      .tuple(fc.array(piece, { maxLength: 4 }), fc.boolean())
      .map(([parts, chunked]) => (chunked ? byChunks(parts) : byLength(Buffer.concat(parts))));
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat(30)), (answers, cuts) => {
        const take = createAnswerReader();
        for (const bytes of answers) {
          const seen = [];
          for (let at = 0; at < bytes.length; ) {
            const length = 1 + (cuts.next().value ?? 0);
            const whole = take(bytes.subarray(at, at + length));
            at += length;
            if (whole !== undefined) seen.push([whole.status, at >= bytes.length]);
          }
          expect(seen).toEqual([[200, true]]);
        }
      }),
    );
  });

  it("is refused where it cannot be known, or more comes", () => {
    const reading = (text: string) => () => createAnswerReader()(Buffer.from(text));
    expect(reading("HTTP/1.1 200 OK\r\nX: y\r\n\r\n")).toThrow("neither its length");
    expect(reading("220 mail.example\r\n\r\n")).toThrow("no answer");
    expect(reading("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab")).toThrow("More came");
    expect(reading("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx")).toThrow("More came");
    expect(reading("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")).toThrow("no chunk");
  });
});
