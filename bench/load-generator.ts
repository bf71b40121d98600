/** Who asks in the `load` benchmark, in a process of their own: requests in a closed loop, streams and screens that are held. */
import { connect as connectSocket, type Socket } from "node:net";
import { connect, TestViewer } from "../server/screen/testing/client.ts";
import { obey } from "./child.ts";
import { type Load, type LoadResult, load } from "./http-load.ts";
import type { LoadPerson } from "./load-node.ts";

export interface Held {
  readonly kind: "streams" | "screens";
  readonly port: number;
  /** Their token and network; undefined at the bare server, which asks for neither. */
  readonly people?: readonly LoadPerson[];
  readonly count: number;
  /** Of each person, first phones first: viewers of one phone in a row. */
  readonly viewersOfAPhone: number;
}
export interface Watched {
  /** Of each viewer, in a second. */
  readonly rates: readonly number[];
  /** From the picture's being taken to its being here, in ms. */
  readonly ages: readonly number[];
}
export type GeneratorOrder =
  | ({ readonly do: "load" } & Load)
  /** Opens so many more, and keeps them. */
  | ({ readonly do: "hold" } & Held)
  /** How many of those held are still open. */
  | { readonly do: "held" }
  | { readonly do: "watch"; readonly measureMs: number }
  | { readonly do: "release" };
export type GeneratorAnswer = LoadResult | Watched | number | undefined;

const AT_ONCE = 32;
const streams: Socket[] = [];
const viewers: TestViewer[] = [];

const headersOf = ({ token, from }: LoadPerson) => ({ Authorization: `Bearer ${token}`, "X-Forwarded-For": from });

function openStream(port: number, person: LoadPerson | undefined): Promise<void> {
  const path = person === undefined ? "/stream" : "/trpc/phones.events";
  const lines = { Host: `localhost:${port}`, Accept: "text/event-stream", ...(person && headersOf(person)) };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: "127.0.0.1", port }, () =>
      socket.write(`GET ${path} HTTP/1.1\r\n${head.join("")}\r\n`),
    );
    streams.push(socket);
    socket.once("data", (part: Buffer) => {
      const begins = part.toString("latin1", 0, 600);
      if (!begins.startsWith("HTTP/1.1 200 ") || !begins.includes("text/event-stream")) {
        reject(new Error(`No stream: ${begins}`));
        return;
      }
      socket.resume();
      resolve();
    });
    socket.once("error", reject);
  });
}

async function ticketFor(port: number, person: LoadPerson, phoneId: string): Promise<string> {
  const response = await fetch(`http://localhost:${port}/trpc/screen.ticket`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headersOf(person) },
    body: JSON.stringify({ phoneId, mode: "view" }),
  });
  const answer = (await response.json()) as { result?: { data?: { ticket?: string } } };
  const ticket = answer.result?.data?.ticket;
  if (ticket === undefined) throw new Error(`No ticket: ${JSON.stringify(answer).slice(0, 600)}`);
  return ticket;
}

async function openScreen(port: number, person: LoadPerson | undefined, phoneId: string | undefined): Promise<void> {
  const ticket = person && phoneId && (await ticketFor(port, person, phoneId));
  const viewer = await connect({ port, ...(ticket && { ticket }) });
  if (!(viewer instanceof TestViewer)) throw new Error(`No screen: ${viewer.message}`);
  viewers.push(viewer);
}

async function hold({ kind, port, people, count, viewersOfAPhone }: Held): Promise<number> {
  const list = kind === "streams" ? streams : viewers;
  const first = list.length;
  const phones = (people ?? []).flatMap((person) => person.phones.map((id) => ({ person, id })));
  let next = first;
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
      while (next < first + count) {
        const n = next;
        next += 1;
        if (kind === "streams") await openStream(port, people?.[n % people.length]);
        else {
          const place = phones[Math.floor(n / viewersOfAPhone) % Math.max(1, phones.length)];
          await openScreen(port, place?.person, place?.id);
        }
      }
    }),
  );
  return list.length;
}

async function watch(measureMs: number): Promise<Watched> {
  for (const { frames } of viewers) frames.length = 0;
  const started = performance.now();
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  const seconds = (performance.now() - started) / 1_000;
  return {
    rates: viewers.map(({ frames }) => frames.length / seconds),
    ages: viewers.flatMap(({ frames }) => frames.map(({ header, receivedAtMs }) => receivedAtMs - header.capturedAtMs)),
  };
}

function release(): void {
  for (const socket of streams.splice(0)) socket.destroy();
  for (const { socket } of viewers.splice(0)) socket.terminate();
}

obey<GeneratorOrder, GeneratorAnswer>(
  async (order) => {
    if (order.do === "load") return load(order);
    if (order.do === "hold") return hold(order);
    if (order.do === "watch") return watch(order.measureMs);
    if (order.do === "release") release();
    if (order.do === "held") {
      const open = viewers.filter(({ closed }) => closed === undefined).length;
      return open + streams.filter(({ closed, readableEnded }) => !closed && !readableEnded).length;
    }
    return undefined;
  },
  async () => release(),
);
