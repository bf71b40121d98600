/** The kinds of values settings have. Each refusal says what to write. */
import { z } from "zod";
import { parseEgressAllow } from "../egress/allow.ts";
import { parseAuthority } from "../egress/host.ts";
import { trustedProxies } from "../http/trusted-proxies.ts";

export const wholeNumber = (least: number, most: number) => {
  const error = `Write a whole number from ${least} to ${most}.`;
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine((value) => value >= least && value <= most, error);
};
export const whole = (fallback: number, least: number, most: number) => wholeNumber(least, most).default(fallback);
export const minutes = (fallback: number) => whole(fallback, 1, 60 * 24 * 30);
export const count = (fallback: number, most: number) => whole(fallback, 1, most);
export const address = (protocol: RegExp, like: string) => z.url({ protocol, error: `Write an address like ${like}.` });
export const origin = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) &&
      /^https?:$/.test(new URL(text).protocol) &&
      new URL(text).href === `${new URL(text).origin}/`,
    "Write only scheme, host and port, like https://perch.example.",
  )
  .transform((text) => new URL(text).origin);

export function egressAllow(text: string, context: z.RefinementCtx) {
  try {
    return parseEgressAllow(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
}

export function hostAndPort(text: string, context: z.RefinementCtx) {
  const target = parseAuthority(text);
  if (target !== undefined && target.port !== 0) return { host: target.host, port: target.port };
  context.addIssue({ code: "custom", message: "Write host:port, like 127.0.0.1:5037, or off." });
  return z.NEVER;
}

export function believable(list: readonly string[], context: z.RefinementCtx): void {
  try {
    trustedProxies(list);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : String(error) });
  }
}

/** `host:port`, told to other nodes. */
export function nodeAddress(text: string | undefined, context: z.RefinementCtx): string | undefined {
  if (text === undefined) return undefined;
  const parsed = parseAuthority(text);
  if (parsed !== undefined && parsed.port !== undefined) return text;
  context.addIssue({ code: "custom", message: "Write host:port, like 10.0.0.5:8788." });
  return z.NEVER;
}

export function nodeLabels(text: string, context: z.RefinementCtx): Readonly<Record<string, string>> {
  const pairs = text
    .split(",")
    .filter(Boolean)
    .map((pair) => pair.trim().split("="));
  const isLabel = ([name = "", value, ...more]: readonly string[]) =>
    /^[\w./-]{1,200}$/.test(name) && /^[\w.-]{0,63}$/.test(value ?? " ") && more.length === 0;
  if (pairs.every(isLabel)) return Object.fromEntries(pairs);
  context.addIssue({ code: "custom", message: "Write labels like perch.phones=yes, separated by commas." });
  return z.NEVER;
}
