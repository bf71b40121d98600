/** A whole screen server on loopback, for tests and measurements. */
import { createServer } from "node:http";
import { newId, type PhoneId, type UserId } from "../../../shared/ids.ts";
import { type Clock, systemClock } from "../../clock.ts";
import { silentLog } from "../../log.ts";
import type { ScreenSource } from "../../phones/driver.ts";
import type { Presence } from "../room.ts";
import { createScreenService, type ScreenService } from "../screen.service.ts";
import { attachScreenSocket } from "../screen.socket.ts";
import type { TicketGrant, TicketRow } from "../tickets.ts";
import { type ConnectOptions, connect, TestViewer } from "./client.ts";
import { FakePhones, MemoryTickets, ticketRequest } from "./fakes.ts";

export const ORIGIN = "chrome-extension://abcdefghijklmnopabcdefghijklmnop";

export interface Harness {
  readonly port: number;
  readonly phoneId: PhoneId;
  readonly phones: FakePhones;
  readonly screen: ScreenService;
  readonly used: { readonly phoneId: PhoneId; readonly grant: TicketGrant }[];
  readonly present: [UserId, Presence][];
  /** People whose role lets them take control. */
  readonly managers: Set<UserId>;
  ticket(over?: Partial<TicketRow>): Promise<string>;
  /** Connects with a new ticket; throws when refused. */
  view(over?: Partial<TicketRow>, options?: Partial<ConnectOptions>): Promise<TestViewer>;
  close(): Promise<void>;
}

/** Serves one running phone that shows `source`, and at `/` a page that may open its screen. */
export async function startHarness(source: ScreenSource, clock: Clock = systemClock, page = ""): Promise<Harness> {
  const server = createServer((request, response) => {
    if (request.url === "/") response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP port");
  const { port } = address;
  const phoneId = newId("phone");
  const phones = new FakePhones();
  phones.sources.set(phoneId, source);
  const used: Harness["used"] = [];
  const present: Harness["present"] = [];
  const tickets = new MemoryTickets(clock);
  const screen = createScreenService({
    phones,
    tickets,
    clock,
    log: silentLog,
    publicUrl: `http://127.0.0.1:${port}`,
    onInput: (id, grant) => used.push({ phoneId: id, grant }),
    onPresence: (_id, { userId }, presence) => present.push([userId, presence]),
  });
  const detach = attachScreenSocket({
    server,
    screen,
    originAllowed: (origin) => origin === ORIGIN || origin === `http://127.0.0.1:${port}`,
    hostAllowed: (host) => host.startsWith("127.0.0.1:"),
    secure: false,
    log: silentLog,
  });
  const viewers: TestViewer[] = [];
  const ticket: Harness["ticket"] = async (over) => (await screen.ticket(ticketRequest(phoneId, over))).ticket;
  return {
    port,
    phoneId,
    phones,
    screen,
    used,
    present,
    managers: tickets.managers,
    ticket,
    async view(over, options) {
      const answer = await connect({ port, origin: ORIGIN, ticket: await ticket(over), ...options });
      if (!(answer instanceof TestViewer)) throw new Error(`refused: ${answer.status} ${answer.message}`);
      viewers.push(answer);
      return answer;
    },
    async close() {
      detach();
      for (const viewer of viewers) viewer.socket.terminate();
      screen.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
