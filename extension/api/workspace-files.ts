/** Files of a team's automations on their way to and from this computer. */
import type { SuiteId } from "../../shared/id-values.ts";
import type { App } from "../state/compose-app.ts";
import { authorization, PRIVATE_REQUEST } from "./client.ts";

/** A folder as a zip; "" is all of it. Undefined when the server does not give it. */
export function readExport(app: App, server: string, folder: string): Promise<Blob | undefined> {
  return read(app, server, `workspaces/export.zip?path=${encodeURIComponent(folder)}`);
}

/** The JUnit report of a suite. */
export function readSuiteReport(app: App, server: string, suite: SuiteId): Promise<Blob | undefined> {
  return read(app, server, `suites/${suite}/junit.xml`);
}

async function read(app: App, server: string, path: string): Promise<Blob | undefined> {
  const token = (await app.tokens.get(server))?.token;
  try {
    const response = await fetch(`${server}/${path}`, { ...PRIVATE_REQUEST, headers: authorization(token) });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes as calls carry them. */
export function base64Of(file: Blob): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const reader = new FileReader();
  reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
  return promise;
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
