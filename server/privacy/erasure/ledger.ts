/**
 * Who was erased, beside the database and not in it: a backup that is put back brings people back, and this says whom to
 * erase again before anybody is served. Random ids alone, one line each, sealed in a chain, so that a line that was
 * changed, added or taken out of the middle is noticed. Copies lie beside the key file and beside the backups, because whoever
 * puts back the whole data folder puts back its ledger, too, and whoever lost the machine has neither. What other nodes erased
 * comes here through `ledger-spread.ts`.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { type TeamId, teamId, type UserId, userId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import { PerchError } from "../../errors.ts";
import { syncFolder } from "../../keys.ts";
import { errorFields, type Log } from "../../log.ts";

/** The oldest backup there may be (14 days), and as much again and a little for who puts one back late. */
export const LEDGER_MS = 44 * 24 * 3_600_000;

/** Its name in the data folder, and beside backups. */
export const LEDGER = "erasures.ledger";

export interface LedgerEntry {
  readonly at: Date;
  readonly userId: UserId;
  /** Closed with them. */
  readonly teams: readonly TeamId[];
}

export interface ErasureLedger {
  entries(): readonly LedgerEntry[];
  /** On the disk when it comes back; a second time it does nothing. */
  append(entry: LedgerEntry): void;
  /** A backup was put back here, and not everything was asked yet who was erased since. */
  isBehind(): boolean;
  /** All was asked. */
  caughtUp(): void;
}

const line = z.tuple([
  z.iso.datetime().transform((text) => new Date(text)),
  userId,
  z
    .string()
    .transform((text) => text.split(",").filter(Boolean))
    .pipe(z.array(teamId)),
  z.string().regex(/^[\w-]{43}$/),
]);
const FIRST = "perch erasures";

/** What lay beside a backup that was put back, until this server has caught up. Empty where nothing did. */
export const restoredLedgerOf = (file: string) => `${file}.restored`;

/** @throws PerchError when a file was changed by somebody else, or cannot be written. */
export function openErasureLedger(options: {
  /** Beside the database. */
  file: string;
  /** Elsewhere; left out where there is no such folder, or it cannot be written. */
  copies: readonly string[];
  key: Buffer;
  clock: Clock;
  log: Log;
}): ErasureLedger {
  const { file, copies, key, clock, log } = options;
  const seal = (before: string, text: string) =>
    createHmac("sha256", key).update(`${before}\n${text}`).digest("base64url");

  function read(path: string): LedgerEntry[] {
    if (!existsSync(path)) return [];
    const text = readFileSync(path, "utf8");
    // What was being written when the power went: nothing had been erased yet.
    const lines = text.split("\n").slice(0, -1);
    const found: LedgerEntry[] = [];
    let before = FIRST;
    for (const [index, one] of lines.entries()) {
      const parts = one.split("\t");
      const parsed = line.safeParse(parts);
      const expected = seal(before, parts.slice(0, -1).join("\t"));
      if (!parsed.success || !isSame(parsed.data[3], expected)) {
        throw new PerchError(
          "unavailable",
          `Line ${index + 1} of ${path} was changed, or it belongs to another database. It says whose data must not come back; put the right file back. Only for a database that is new, move it away.`,
        );
      }
      const [at, who, teams, mac] = parsed.data;
      found.push({ at, userId: who, teams });
      before = mac;
    }
    return found;
  }

  function write(path: string, entries: readonly LedgerEntry[]): void {
    let before = FIRST;
    const text = entries.map((entry) => {
      const fields = fieldsOf(entry);
      before = seal(before, fields);
      return `${fields}\t${before}\n`;
    });
    const draft = `${path}.new`;
    rmSync(draft, { force: true });
    const handle = openSync(draft, "wx", 0o600);
    try {
      writeSync(handle, text.join(""));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  }

  function keep(): void {
    write(file, known);
    for (const copy of copies) {
      if (!existsSync(dirname(copy))) continue;
      try {
        write(copy, known);
      } catch (error) {
        log.warn("A copy of the ledger of erasures cannot be written", errorFields(error));
      }
    }
  }

  const restored = restoredLedgerOf(file);
  const both = [file, ...copies, restored].flatMap(read);
  const oldest = clock.now() - LEDGER_MS;
  let known = both
    .filter(
      ({ at, userId: who }, index) => at.getTime() >= oldest && both.findIndex((one) => one.userId === who) === index,
    )
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  if (both.length > 0) keep();

  return {
    entries: () => known,
    isBehind: () => existsSync(restored),
    caughtUp: () => rmSync(restored, { force: true }),
    append(entry) {
      if (known.some(({ userId: who }) => who === entry.userId)) return;
      known = [...known, entry];
      keep();
    },
  };
}

function fieldsOf({ at, userId: who, teams }: LedgerEntry): string {
  return [at.toISOString(), who, teams.join(",")].join("\t");
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
