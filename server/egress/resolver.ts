/** Name resolution for phones and scripts. */
import { Resolver as DnsResolver, lookup } from "node:dns/promises";
import { asOwnCall } from "./own-calls.ts";

/** All addresses of a name. Rejects or answers empty when there are none. Asked once per connection. */
export type Resolver = (name: string, how: { readonly listed: boolean }) => Promise<readonly string[]>;

/** Milliseconds for one question to a name server, doubled on the retry. */
const QUESTION_MS = 2_500;

/**
 * The machine's name servers, asked over sockets: a page full of slow names must not hold the few threads that
 * `getaddrinfo` and the server's files share. Hosts of `EGRESS_ALLOW` are the operator's choice and are looked up
 * as the operator's other programs do, hosts file included.
 *
 * @param servers `address:port` of name servers to ask instead of the machine's.
 */
export function systemResolver(servers?: readonly string[]): Resolver {
  const resolver = new DnsResolver({ timeout: QUESTION_MS, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  return async (name, { listed }) => {
    if (listed) return (await asOwnCall(() => lookup(name, { all: true }))).map(({ address }) => address);
    // The final dot keeps search domains out: a page must not find `http://printer/` beside the server.
    const answers = await Promise.allSettled(
      asOwnCall(() => [resolver.resolve4(`${name}.`), resolver.resolve6(`${name}.`)]),
    );
    return answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  };
}
