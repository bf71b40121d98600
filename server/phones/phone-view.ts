/** A phone row as clients see it. */
import { deviceProfile, type Phone, type PhoneCapabilities } from "../../shared/phones.ts";
import type { PhoneRow } from "./phones.repo.ts";

/** CSS pixels as turned. */
export function phoneSize(row: Pick<PhoneRow, "profile" | "rotated" | "screenWidth" | "screenHeight">): {
  width: number;
  height: number;
} {
  const profile = deviceProfile(row.profile);
  const [width, height] = [row.screenWidth ?? profile.width, row.screenHeight ?? profile.height];
  return row.rotated ? { width: height, height: width } : { width, height };
}

/** What a phone can do whose kind this server has no more. */
const NOTHING: PhoneCapabilities = {
  ...{ android: false, upload: false, apps: false, audio: false, openUrl: false, rotate: false },
  ...{ clipboard: false, installWebApp: false, files: false, recents: false },
};

/** `capabilities`: of the driver, where the server has one of the kind. */
export function phoneView(
  row: PhoneRow,
  capabilities: PhoneCapabilities | undefined,
  parksAt: Date | undefined,
): Phone {
  return {
    id: row.id,
    name: row.name,
    driver: row.driver,
    profile: row.profile,
    ...(row.model !== null && { model: row.model }),
    state: row.state,
    ...(row.reason !== null && { reason: row.reason }),
    ...phoneSize(row),
    rotated: row.rotated,
    settings: row.settings,
    tags: row.tags,
    createdAt: row.createdAt.toISOString(),
    ...(row.startedAt !== null && { startedAt: row.startedAt.toISOString() }),
    ...(row.lastUsedAt !== null && { lastUsedAt: row.lastUsedAt.toISOString() }),
    ...(row.unreachableSince !== null && { unreachableSince: row.unreachableSince.toISOString() }),
    ...(parksAt !== undefined && { parksAt: parksAt.toISOString() }),
    capabilities: capabilities ?? NOTHING,
  };
}
