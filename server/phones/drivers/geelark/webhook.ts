/**
 * What the partner tells by itself ("Webhook Instruction"): a phone started, stopped or was deleted. The body is not signed,
 * messages come twice or not at all, and say who did it from where; so of a message only a hash is kept, and the phones are
 * looked at. Types that concern nothing of ours are answered and forgotten.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../../clock.ts";
import type { Database } from "../../../db/database.ts";
import { PerchError } from "../../../errors.ts";
import type { Jobs } from "../../../jobs/jobs.service.ts";
import { type GeelarkAccess, isSigned } from "./access.ts";
import type { GeelarkRepo } from "./geelark.repo.ts";

export const GEELARK_WEBHOOK_PATH = "/webhooks/geelark";
/** The partner's largest messages name some phones and tasks. */
export const MAX_HINT_BYTES = 64 * 1024;
export const LOOK_JOB = "geelark.look";
const HINT_KEY = "geelark.look:hint";

export interface GeelarkDelivery {
  /** As it came, before any parser. */
  readonly body: Uint8Array;
  header(name: string): string | undefined;
}
export interface GeelarkWebhook {
  /** @throws PerchError `unauthenticated` for what the partner did not sign, `bad_input` for what is no message */
  receive(delivery: GeelarkDelivery): Promise<void>;
}

const id = z.string().regex(/^[\w-]{1,64}$/);
const TYPES = { started: 1, stopped: 8, deleted: 10 } as const;
const anyMessage = z.object({ type: z.int() });
const aboutOne = z.object({ type: z.int(), id, eventTime: z.int().optional() });
const aboutMany = z.object({ type: z.int(), items: z.array(z.object({ id })).max(1_000) });

export function createGeelarkWebhook(options: {
  readonly access: GeelarkAccess;
  readonly repo: Pick<GeelarkRepo, "hint">;
  readonly db: Database;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly clock: Clock;
}): GeelarkWebhook {
  const { access, repo, db, jobs, clock } = options;
  return {
    async receive({ body, header }) {
      if (!isSigned(access, header, clock.now()))
        throw new PerchError("unauthenticated", "This was not signed by the cloud-phone partner for this server.");
      if (body.length > MAX_HINT_BYTES) throw refusal();
      const hashes = eventsIn(body).map((event) => createHash("sha256").update(event).digest("base64url"));
      if (hashes.length === 0) return;
      const isNew = await db.tx(async (tx) => {
        let fresh = 0;
        for (const hash of hashes) if (await repo.hint(tx, hash, new Date(clock.now()))) fresh += 1;
        if (fresh === 0) return false;
        return jobs.enqueue(tx, { kind: LOOK_JOB, input: {}, dedupeKey: HINT_KEY });
      });
      if (isNew) jobs.wake();
    },
  };
}

/** Type, object and time of each event that makes phones worth a look. There are no ids of deliveries. */
function eventsIn(body: Uint8Array): string[] {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw refusal();
  }
  const any = anyMessage.safeParse(json);
  if (!any.success) throw refusal();
  const { type } = any.data;
  if (type === TYPES.deleted) {
    const many = aboutMany.safeParse(json);
    if (!many.success) throw refusal();
    return many.data.items.map((item) => `${type}\0${item.id}\0`);
  }
  if (type !== TYPES.started && type !== TYPES.stopped) return [];
  const one = aboutOne.safeParse(json);
  if (!one.success) throw refusal();
  return [`${type}\0${one.data.id}\0${one.data.eventTime ?? ""}`];
}

/** Nothing of what came is repeated. */
function refusal(): PerchError {
  return new PerchError("bad_input", "This is no message of the cloud-phone partner.");
}
