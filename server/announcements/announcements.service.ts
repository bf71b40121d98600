/**
 * What the operator tells everybody, for a while: plain text, shown as one calm line. Who closed it stands in their own
 * browser and nowhere else.
 */
import { z } from "zod";
import { ANNOUNCEMENT_LEVELS, ANNOUNCEMENT_LONGEST, type AnnouncementView } from "../../shared/announcements.ts";
import { type AnnouncementId, newId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { AnnouncementRow, AnnouncementsRepo } from "./announcements.repo.ts";

/** At once is shown no more than this: one line is read, a list is not. */
const SHOWN = 3;
const KEPT_SHOWN = 50;
const LONGEST_MS = 90 * 24 * 3_600_000;
/** How long an answer is believed: every page and panel asks. */
const FRESH_MS = 10_000;

export const newAnnouncement = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(1, "Write what everybody should know.")
      .max(ANNOUNCEMENT_LONGEST, `Use at most ${ANNOUNCEMENT_LONGEST} characters.`)
      .refine((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), "Write it in one line."),
    level: z.enum(ANNOUNCEMENT_LEVELS, "Write info or warning."),
    from: z.date(),
    until: z.date(),
  })
  .refine(({ from, until }) => until > from, { path: ["until"], message: "It has to end after it begins." })
  .refine(({ from, until }) => until.getTime() - from.getTime() <= LONGEST_MS, {
    path: ["until"],
    message: "It may be shown for 90 days at most.",
  });

export interface Announcements {
  /** What is shown now. */
  current(): Promise<readonly AnnouncementView[]>;
  all(): Promise<readonly AnnouncementRow[]>;
  announce(input: z.input<typeof newAnnouncement>, reason: string): Promise<AnnouncementId>;
  /** Shows it no more. */
  end(id: AnnouncementId, reason: string): Promise<void>;
}

export function createAnnouncements(options: {
  db: Database;
  repo: AnnouncementsRepo;
  audit: Audit;
  clock: Clock;
}): Announcements {
  const { db, repo, audit, clock } = options;
  let last: { readonly at: number; readonly answer: Promise<readonly AnnouncementView[]> } | undefined;
  const entry = { chain: "server", actor: "operator", action: "admin.announced" } as const;
  return {
    current() {
      const now = clock.now();
      if (last === undefined || now - last.at >= FRESH_MS || now < last.at) {
        const answer = repo
          .at(new Date(now), SHOWN)
          .then((rows) => rows.map(({ id, level, text, until }) => ({ id, level, text, until: until.toISOString() })));
        answer.catch(() => {
          last = undefined;
        });
        last = { at: now, answer };
      }
      return last.answer;
    },
    all: () => repo.all(KEPT_SHOWN),
    async announce(input, reason) {
      const parsed = newAnnouncement.safeParse(input);
      if (!parsed.success) throw new PerchError("bad_input", parsed.error.issues[0]?.message ?? "This is not valid.");
      const id = newId("announcement");
      await db.tx(async (tx) => {
        await repo.insert(tx, { id, ...parsed.data, createdAt: new Date(clock.now()) });
        await audit.record(tx, { ...entry, object: id, detail: { reason, level: parsed.data.level } });
      });
      return id;
    },
    async end(id, reason) {
      await db.tx(async (tx) => {
        const found = await repo.end(tx, id, new Date(clock.now()));
        if (!found) throw new PerchError("not_found", "There is no such announcement, or it is over.");
        await audit.record(tx, { ...entry, object: id, detail: { reason, ended: true } });
      });
    },
  };
}
