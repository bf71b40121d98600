/**
 * Cloud phones whose ADB port is open to everybody ask for a password in the shell. GeeLark's is said with `glogin
 * <password>`; MoreLogin documents the password alone. Which of the two, the partner's adapter knows.
 */
import type { Adb, AdbSocket } from "@yume-chan/adb";
import { shellQuote } from "../shell-quote.ts";
import { within } from "./bounded.ts";
import { AdbUnavailable } from "./unavailable.ts";

export interface AdbLogin {
  readonly form: "glogin" | "password alone";
  readonly password: string;
}

const LOGIN_MS = 10_000;
const MAX_ANSWER = 4_096;

/** The password stands in no error and no log. */
export async function logIn(adb: Adb, words: string, login: AdbLogin, signal: AbortSignal): Promise<void> {
  const refused = () => new AdbUnavailable("device_unauthorized", `${words} did not take its password.`);
  // Behind the port stands no shell before the login, and what does may not know quotes; plain words need none.
  const password = /^[\w-]{1,128}$/.test(login.password) ? login.password : shellQuote(login.password);
  try {
    await said(adb, words, login.form === "glogin" ? `glogin ${password}` : password, signal);
    const sdk = await said(adb, words, "getprop ro.build.version.sdk", signal);
    if (!/^\d{1,3}\s*$/.test(sdk)) throw refused();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Never with what went wrong inside: the command, with the password in it, may be part of it.
    throw error instanceof AdbUnavailable ? error : refused();
  }
}

async function said(adb: Adb, words: string, line: string, signal: AbortSignal): Promise<string> {
  let socket: AdbSocket | undefined;
  try {
    socket = await adb.createSocket(`shell:${line}`);
    const reader = socket.readable.getReader();
    const reading = async () => {
      let text = "";
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done || text.length > MAX_ANSWER) return text;
        text += decoder.decode(value, { stream: true });
      }
    };
    return await within(LOGIN_MS, words, reading(), signal);
  } finally {
    // Not awaited: a half-open connection closes nothing.
    Promise.resolve(socket?.close()).catch(() => undefined);
  }
}
