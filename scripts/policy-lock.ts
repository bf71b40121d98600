/**
 * Writes what the newest version of the policy covers into `shared/policy/data-map.lock.json`. What an earlier version
 * covered is never written anew: a data map that holds more needs a version that says so.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { coverageOf, demandCovered, type PolicyLock, policyLock } from "../server/privacy/map/policy-lock.ts";
import { holdings } from "../server/privacy/map/records.ts";

export const LOCK_FILE = "shared/policy/data-map.lock.json";

export function readLock(): PolicyLock {
  return policyLock.parse(JSON.parse(readFileSync(LOCK_FILE, "utf8")));
}

/** Numbers of the versions whose texts are published. */
export function publishedVersions(): number[] {
  return globSync("shared/policy/policy-v*.ts").flatMap((file) => {
    const number = /policy-v(\d+)\.ts$/.exec(file)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** @throws Error when the data map holds more than the policy covers. */
export function demandPolicy(): void {
  demandCovered(coverageOf(holdings()), readLock(), publishedVersions());
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lock = readLock();
  const newest = Math.max(...publishedVersions());
  if (lock[String(newest)] !== undefined) {
    process.stderr.write(`Version ${newest} has its entry. Publish a new material version to cover more.\n`);
    process.exitCode = 1;
  } else {
    const next = { ...lock, [newest]: coverageOf(holdings()) };
    writeFileSync(LOCK_FILE, `${JSON.stringify(next, null, 2)}\n`);
  }
}
