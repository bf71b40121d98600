/** Endpoints that are called directly: by address, by address and password, and through a tunnel somebody else makes. */
import type { Duplex } from "node:stream";
import type { Adb } from "@yume-chan/adb";
import type { AdbEndpoint } from "../ports.ts";
import { openDaemon } from "./daemon.ts";
import { type Address, addressText, type DialDevice } from "./dial-device.ts";
import type { AdbKeys } from "./keys.ts";
import { type AdbLogin, logIn } from "./login.ts";

/** ADB over any stream of bytes; `connect` makes a new one for each connection and throws `AdbUnavailable`. */
export function streamEndpoint(
  words: string,
  keys: AdbKeys,
  connect: (signal: AbortSignal) => Promise<Duplex>,
): AdbEndpoint {
  return { words, open: async (signal) => openDaemon(await connect(signal), { words, keys, signal }) };
}

export function tcpEndpoint(to: Address, keys: AdbKeys, dial: DialDevice): AdbEndpoint {
  return streamEndpoint(addressText(to), keys, (signal) => dial(to, signal));
}

/** TCP, then a password said in the shell before it takes anything else. */
export function loginEndpoint(to: Address, login: AdbLogin, keys: AdbKeys, dial: DialDevice): AdbEndpoint {
  const { words, open } = tcpEndpoint(to, keys, dial);
  return {
    words,
    async open(signal): Promise<Adb> {
      const adb = await open(signal);
      try {
        await logIn(adb, words, login, signal);
        return adb;
      } catch (error) {
        await adb.close();
        throw error;
      }
    },
  };
}
