/** Web apps for the home screen: name, start address and icon from a page's manifest, fetched by the page's own browser. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { PerchError } from "../../../errors.ts";
import type { CdpSession } from "./cdp.ts";
import { hostOf } from "./documents.ts";
import type { WebApp } from "./storage.ts";
import type { Tab } from "./tab.ts";

const LOAD_TIMEOUT_MS = 15_000;
const POLL_MS = 50;
const WANTED_ICON_PX = 144;
const MAX_ICON_BYTES = 256 * 1024;
const MAX_MANIFEST_CHARS = 256 * 1024;
const ICON_TYPES = ["image/png", "image/jpeg", "image/webp", "image/svg+xml", "image/x-icon"];

// Manifests in the wild are loose: a field of the wrong type is as good as absent (W3C Web App Manifest §2).
const text = z.string().optional().catch(undefined);
const manifest = z.object({
  name: text,
  short_name: text,
  start_url: text,
  icons: z
    .array(z.object({ src: z.string(), sizes: text, type: text, purpose: text }))
    .catch([])
    .default([]),
});

/**
 * Reads the manifest of the page in the tab, waiting until the page has loaded.
 * @throws PerchError `bad_input` when the page offers none, `address_unreachable` when it does not load.
 */
export async function readWebApp(tab: Tab): Promise<WebApp> {
  const found = await waitForManifest(tab);
  const parsed = manifest.safeParse(parseJson(found.data));
  if (!parsed.success) throw noApp();
  const page = new URL(tab.url);
  const start = parsed.data.start_url === undefined ? undefined : resolve(parsed.data.start_url, found.url);
  const name = (parsed.data.short_name ?? parsed.data.name ?? tab.title).trim() || page.host;
  const icon = await readIcon(tab, parsed.data.icons, found.url);
  return {
    name: name.slice(0, 60),
    // Another site's address in a manifest is not followed: the person installs what they looked at.
    url: start !== undefined && start.origin === page.origin ? start.href : page.href,
    ...(icon === undefined ? {} : { icon }),
  };
}

async function waitForManifest(tab: Tab): Promise<{ url: string; data: string }> {
  const deadline = performance.now() + LOAD_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (tab.problem !== undefined) {
      const host = hostOf(tab.url);
      throw new PerchError(
        "address_unreachable",
        `The page at ${host} cannot be reached. Check the address and try again.`,
      );
    }
    if (tab.opening === undefined) {
      const ready = await tab.session.send("Runtime.evaluate", {
        expression: "document.readyState",
        returnByValue: true,
      });
      const answer = await tab.session.send("Page.getAppManifest", {}).catch(() => undefined);
      if (answer?.data !== undefined && answer.data !== "" && answer.data.length <= MAX_MANIFEST_CHARS) {
        return { url: answer.url, data: answer.data };
      }
      if (ready.result.value === "complete") throw noApp();
    }
    await delay(POLL_MS);
  }
  throw new PerchError("address_unreachable", "The page takes too long to load. Try again later.");
}

async function readIcon(
  tab: Tab,
  icons: readonly { src: string; sizes?: string | undefined; purpose?: string | undefined }[],
  base: string,
): Promise<string | undefined> {
  const size = (sizes: string | undefined) =>
    sizes === "any"
      ? WANTED_ICON_PX
      : Math.max(0, ...[...(sizes ?? "").matchAll(/(\d+)x\d+/gi)].map((match) => Number(match[1])));
  const ranked = icons
    .filter((icon) => icon.purpose === undefined || icon.purpose.includes("any"))
    .toSorted(
      (one, other) => Math.abs(size(one.sizes) - WANTED_ICON_PX) - Math.abs(size(other.sizes) - WANTED_ICON_PX),
    );
  for (const icon of ranked.slice(0, 3)) {
    const url = resolve(icon.src, base);
    if (url === undefined) continue;
    const loaded = await load(tab.session, tab.frameId, url.href).catch(() => undefined);
    if (loaded !== undefined) return loaded;
  }
  return undefined;
}

/** Loads through the phone's browser and proxy, never through the server's own network. */
async function load(session: CdpSession, frameId: string, url: string): Promise<string | undefined> {
  const { resource } = await session.send("Network.loadNetworkResource", {
    frameId,
    url,
    options: { disableCache: false, includeCredentials: false },
  });
  if (!resource.success || resource.stream === undefined) return undefined;
  const handle = resource.stream;
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for (let more = true; more && bytes <= MAX_ICON_BYTES; ) {
      const chunk = await session.send("IO.read", { handle, size: 64 * 1024 });
      const part = Buffer.from(chunk.data, chunk.base64Encoded === true ? "base64" : "utf8");
      parts.push(part);
      bytes += part.length;
      more = !chunk.eof;
    }
  } finally {
    session.tell("IO.close", { handle });
  }
  const header = Object.entries(resource.headers ?? {}).find(([name]) => name.toLowerCase() === "content-type");
  const type = (header?.[1] ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (bytes === 0 || bytes > MAX_ICON_BYTES || !ICON_TYPES.includes(type)) return undefined;
  return `data:${type};base64,${Buffer.concat(parts).toString("base64")}`;
}

function resolve(address: string, base: string): URL | undefined {
  if (!URL.canParse(address, base)) return undefined;
  const url = new URL(address, base);
  return url.protocol === "http:" || url.protocol === "https:" ? url : undefined;
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function noApp(): PerchError {
  return new PerchError("bad_input", "This page does not offer itself as a web app. Open it in the phone instead.");
}
