/** A phone row as clients see it. */
import { deviceProfile, type Phone } from "../../shared/phones.ts";
import type { PhoneDriver } from "./driver.ts";
import type { PhoneRow } from "./phones.repo.ts";

/** CSS pixels as turned. */
export function phoneSize(row: Pick<PhoneRow, "profile" | "rotated">): { width: number; height: number } {
  const { width, height } = deviceProfile(row.profile);
  return row.rotated ? { width: height, height: width } : { width, height };
}

export function phoneView(row: PhoneRow, driver: PhoneDriver, parksAt: Date | undefined): Phone {
  return {
    id: row.id,
    name: row.name,
    driver: row.driver,
    profile: row.profile,
    state: row.state,
    ...(row.reason !== null && { reason: row.reason }),
    ...phoneSize(row),
    rotated: row.rotated,
    settings: row.settings,
    tags: row.tags,
    createdAt: row.createdAt.toISOString(),
    ...(row.startedAt !== null && { startedAt: row.startedAt.toISOString() }),
    ...(row.lastUsedAt !== null && { lastUsedAt: row.lastUsedAt.toISOString() }),
    ...(parksAt !== undefined && { parksAt: parksAt.toISOString() }),
    capabilities: driver.capabilities,
  };
}
