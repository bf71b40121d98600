/** Which announcements of the operator were closed in this browser; nobody else knows. */
import * as z from "zod/mini";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

/** More are not shown at once, and older ones are over. */
const REMEMBERED = 10;

export function closedAnnouncements(): Stored<readonly string[]> {
  return stored<readonly string[]>({
    area: "local",
    key: "announcements",
    version: 1,
    schema: z.array(z.string()),
    initial: [],
  });
}

export async function closeAnnouncement(id: string): Promise<void> {
  await closedAnnouncements().update((before) => [...before.filter((one) => one !== id), id].slice(-REMEMBERED));
}
