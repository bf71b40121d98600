/** Puts spans around what parts do that are made elsewhere: drivers, jobs, clients of outside services. */
import type { JobHandler } from "../jobs/jobs.service.ts";
import type { PhoneDriver } from "../phones/driver.ts";
import type { SpanAttributes, SpanKind, Tracing } from "./tracing.ts";

/**
 * The same object, with a span around each call of these methods. Calls of others, and all of them where nobody looks,
 * go to the object itself.
 */
export function traced<T extends object, Name extends keyof T & string>(
  tracing: Tracing,
  target: T,
  options: {
    readonly name: string;
    readonly kind?: SpanKind;
    readonly attributes: SpanAttributes;
    readonly methods: readonly Name[];
  },
): T {
  if (!tracing.on) return target;
  const { name, kind = "client", attributes, methods } = options;
  const spanned: ReadonlySet<string | symbol> = new Set<string>(methods);
  return new Proxy(target, {
    get(_target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (!spanned.has(key)) return value.bind(target);
      return (...given: unknown[]) =>
        tracing.span(`${name} ${String(key)}`, kind, attributes, async () => Reflect.apply(value, target, given));
    },
  });
}

/** What takes a driver long; touches, keys and pictures come too often to be told apart. */
const DRIVER_CALLS = [
  ...(["create", "start", "park", "remove", "openUrl", "rotate", "configure", "screenshot", "tree"] as const),
  "installWebApp",
] as const;

export function tracedDriver(tracing: Tracing, driver: PhoneDriver): PhoneDriver {
  const attributes = { "perch.driver": driver.kind };
  return traced(tracing, driver, { name: "phone", attributes, methods: DRIVER_CALLS });
}

/** Each run of a job in a span, named by its kind. */
export function tracedJobs(
  tracing: Tracing,
  handlers: Readonly<Record<string, JobHandler>>,
): Readonly<Record<string, JobHandler>> {
  if (!tracing.on) return handlers;
  return Object.fromEntries(
    Object.entries(handlers).map(([kind, handler]) => [
      kind,
      (input: unknown, context: Parameters<JobHandler>[1]) =>
        tracing.span(`job ${kind}`, "internal", { "perch.job": kind }, () => handler(input, context)),
    ]),
  );
}
