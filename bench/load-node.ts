/**
 * The server of the `load` benchmark: the whole of it, as `npm start` bundles it, with phones of which only the screen is
 * there. Its settings are its environment; it makes the people it is asked by.
 */

import { systemClock } from "../server/clock.ts";
import { parseConfig } from "../server/config.ts";
import { silentLog } from "../server/log.ts";
import { createPhonesRepo } from "../server/phones/phones.repo.ts";
import { startServer } from "../server/server.ts";
import { SCOPES } from "../shared/access.ts";
import { newId, type PhoneId } from "../shared/ids.ts";
import { memoryMB, obey } from "./child.ts";
import { LoadDriver, type Pictures } from "./load-screens.ts";

export type NodeOrder =
  | { readonly do: "port" }
  /** People with a team each, phones in it that are parked at this node, and a token. */
  | { readonly do: "people"; readonly count: number; readonly phones: number }
  | { readonly do: "pictures"; readonly of: Pictures | undefined }
  | { readonly do: "memory" };

export interface LoadPerson {
  readonly token: string;
  /** Where they ask from: each from a network of their own (RFC 2544's addresses for benchmarks). */
  readonly from: string;
  readonly phones: readonly PhoneId[];
}

export type NodeAnswer = number | readonly LoadPerson[] | undefined;

const config = parseConfig(process.env);
const driver = new LoadDriver();
const server = await startServer({ config, clock: systemClock, log: silentLog, driver });
const phones = createPhonesRepo(server.db);
let made = 0;

async function person(phoneCount: number): Promise<LoadPerson> {
  made += 1;
  const { accounts, sessions } = server.accounts;
  const email = `${config.NODE_NAME}${made}@example.com`;
  await accounts.create({ email, password: "four quiet herons wade" }, "server");
  const found = await accounts.findByEmail(email);
  if (found === undefined) throw new Error("An account that was just made is there.");
  const [userId, teamId] = [found.user.id, found.teamId];
  return server.db.tx(async (tx) => {
    const ids: PhoneId[] = [];
    for (let n = 1; n <= phoneCount; n += 1) {
      const row = await phones.insert(tx, {
        ...{ id: newId("phone"), teamId, createdBy: userId, name: `Phone ${n}`, nodeId: server.membership.id },
        ...{ driver: "web", profile: "tall", settings: {}, rotated: false, state: "parked", createdAt: new Date() },
      });
      ids.push(row.id);
    }
    const { token } = await sessions.createApiToken(tx, { userId, teamId, name: "Load", scopes: SCOPES });
    const network = Number(process.env["LOAD_NETWORK"] ?? 0);
    return { token, from: `198.${18 + network}.${made >> 8}.${made & 255}`, phones: ids };
  });
}

obey<NodeOrder, NodeAnswer>(
  async (order) => {
    if (order.do === "port") return server.port;
    if (order.do === "memory") return memoryMB();
    if (order.do === "pictures") {
      driver.show(order.of);
      return undefined;
    }
    const people: LoadPerson[] = [];
    for (let n = 0; n < order.count; n += 1) people.push(await person(order.phones));
    return people;
  },
  () => server.close(),
);
