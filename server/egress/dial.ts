/** Opens the connection to an address that was already judged. No name is looked up here. */
import { isIPv4, connect as netConnect, type Socket } from "node:net";
import { asOwnCall } from "./own-calls.ts";

/** Connects to an IP address; rejects when it cannot or when `signal` aborts. */
export type Connector = (address: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** With more addresses to try, how long one may take before the next has its turn, in milliseconds. */
const ATTEMPT_MS = 2_500;
const MAX_ATTEMPTS = 4;

export const tcpConnect: Connector = (address, port, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = asOwnCall(() => netConnect({ host: address, port, noDelay: true, allowHalfOpen: true }));
    const abort = () => socket.destroy(new Error("The connection attempt was given up."));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
    socket.once("close", () => signal.removeEventListener("abort", abort));
  });

/** Tries the addresses one after the other, IPv4 first (many servers have no IPv6 route). Rejects with the last error. */
export async function dial(
  addresses: readonly string[],
  port: number,
  connect: Connector,
  signal: AbortSignal,
): Promise<Socket> {
  const ordered = [...addresses].sort((a, b) => Number(isIPv4(b)) - Number(isIPv4(a))).slice(0, MAX_ATTEMPTS);
  let failure: unknown = new Error("There is no address to connect to.");
  for (const [index, address] of ordered.entries()) {
    const last = index === ordered.length - 1;
    try {
      return await connect(address, port, last ? signal : AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]));
    } catch (error) {
      failure = error;
      if (signal.aborted) break;
    }
  }
  throw failure;
}
