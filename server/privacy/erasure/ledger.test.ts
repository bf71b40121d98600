import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { ManualClock } from "../../clock.ts";
import { silentLog } from "../../log.ts";
import { LEDGER_MS, type LedgerEntry, openErasureLedger } from "./ledger.ts";

describe("the ledger of erasures", () => {
  let folder: string;
  let clock: ManualClock;
  const key = randomBytes(32);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-ledger-"));
    clock = new ManualClock();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = () => join(folder, "erasures.ledger");
  const copy = () => join(folder, "key.erasures");
  const open = () =>
    openErasureLedger({
      file: file(),
      copies: [copy(), join(folder, "no-such-folder/erasures.ledger")],
      key,
      clock,
      log: silentLog,
    });
  const entry = (...teams: LedgerEntry["teams"]): LedgerEntry => ({
    at: new Date(clock.now()),
    userId: newId("user"),
    teams,
  });
  const lines = () => readFileSync(file(), "utf8").split("\n").slice(0, -1);

  it("remembers who was erased, once, with ids alone, in both places", () => {
    expect(open().entries()).toEqual([]);
    expect(existsSync(file())).toBe(false);
    const [one, two] = [entry(newId("team"), newId("team")), entry()];
    const ledger = open();
    for (const each of [one, two, one]) ledger.append(each);
    expect(open().entries()).toEqual([one, two]);
    expect(readFileSync(copy(), "utf8")).toBe(readFileSync(file(), "utf8"));
    for (const line of lines()) expect(line).toMatch(/^[\dTZ:.-]+\tusr_[\w-]{22}\t(team_[\w-]{22},?)*\t[\w-]{43}$/);
  });

  it("knows from its copy what a data folder that was put back has forgotten", () => {
    const before = entry();
    open().append(before);
    const old = readFileSync(file());
    const later = entry();
    open().append(later);
    writeFileSync(file(), old);
    expect(open().entries()).toEqual([before, later]);
    rmSync(file());
    expect(open().entries()).toEqual([before, later]);
  });

  it.each<[string, (all: string[]) => string[]]>([
    [
      "a changed person",
      ([first = "", ...rest]) => [first.replace(/usr_(.)/, (_, one) => (one === "A" ? "usr_B" : "usr_A")), ...rest],
    ],
    ["a changed moment", ([first = "", ...rest]) => [first.replace("2026", "2025"), ...rest]],
    ["a line taken out", ([first = "", , third = ""]) => [first, third]],
    ["lines in another order", (all) => all.toReversed()],
    ["a line made up", (all) => [...all, `2026-01-01T00:00:00.000Z\t${newId("user")}\t\t${"A".repeat(43)}`]],
    ["a line that is none", (all) => [...all, "nothing"]],
    ["a line of another key", (all) => [...all, all[0] ?? ""]],
  ])("stops the start for %s", (_, change) => {
    const ledger = open();
    for (let count = 0; count < 3; count += 1) ledger.append(entry());
    writeFileSync(file(), `${change(lines()).join("\n")}\n`);
    expect(open).toThrow(/^Line \d of .*erasures\.ledger was changed, or it belongs to another database\./);
  });

  it("passes over a line that was being written when the power went", () => {
    const ledger = open();
    ledger.append(entry());
    appendFileSync(file(), "2026-01-01T00:00:00.000Z\tusr_");
    expect(open().entries()).toHaveLength(1);
    expect(lines()).toHaveLength(1);
  });

  it("forgets people when no backup can hold them any more", () => {
    open().append(entry());
    clock.advance(LEDGER_MS / 2);
    const later = entry();
    open().append(later);
    clock.advance(LEDGER_MS / 2 + 1);
    expect(open().entries()).toEqual([later]);
    expect(lines()).toHaveLength(1);
  });
});
