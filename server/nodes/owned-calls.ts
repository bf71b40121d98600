/**
 * Which calls are about a phone, and so are done by the node that has it. Everything else is the database's and done by
 * whichever node is asked.
 */
import { type PhoneId, phoneId, type RecordingId, recordingId } from "../../shared/ids.ts";

/** `placed`: makes a phone, so it goes where there is room for one. */
type About = "phone" | "recording" | "placed";

interface OwnedCall {
  readonly about: About;
  /** What it does needs the database alone: where the phone's node is gone, any other does it. */
  readonly withoutIts?: true;
}

const needs = { about: "phone" } as const;
const prefers = { about: "phone", withoutIts: true } as const;
const recorded = { about: "recording", withoutIts: true } as const;

export const OWNED_CALLS: Readonly<Record<string, OwnedCall>> = {
  "phones.launch": { about: "placed" },
  "phones.get": prefers,
  "phones.start": needs,
  "phones.park": needs,
  "phones.remove": prefers,
  "phones.openUrl": needs,
  "phones.rename": prefers,
  "phones.configure": prefers,
  "phones.tag": prefers,
  "phones.rotate": needs,
  "phones.keepAwake": needs,
  "phones.screenshot": needs,
  "phones.installWebApp": needs,
  "phones.apps": needs,
  "phones.launchApp": needs,
  "phones.stopApp": needs,
  "phones.clearApp": needs,
  "phones.uninstallApp": needs,
  "phones.files": needs,
  "phones.removeFile": needs,
  "phones.openUpload": needs,
  "phones.uploads": prefers,
  "phones.cancelUpload": prefers,
  "screen.ticket": needs,
  "flows.matches": needs,
  "flows.onScreen": needs,
  "runs.start": prefers,
  "workspaces.run": prefers,
  "recordings.start": needs,
  "recordings.assertVisible": recorded,
  "recordings.removeStep": recorded,
  "recordings.undo": recorded,
  "recordings.chooseSelector": recorded,
  "recordings.pause": recorded,
  "recordings.resume": recorded,
  "recordings.finish": recorded,
  "recordings.discard": recorded,
};

export type Subject =
  | { readonly kind: "phone"; readonly id: PhoneId; readonly withoutIts: boolean }
  | { readonly kind: "recording"; readonly id: RecordingId; readonly withoutIts: boolean }
  | { readonly kind: "placed"; readonly driver: string };

/** What a call is about; undefined: about no phone, or not well formed, which whoever does it says. */
export function subjectOf(procedure: string, input: unknown): Subject | undefined {
  const call = Object.hasOwn(OWNED_CALLS, procedure) ? OWNED_CALLS[procedure] : undefined;
  if (call === undefined || typeof input !== "object" || input === null) return undefined;
  const given = input as { phoneId?: unknown; recordingId?: unknown; driver?: unknown };
  const withoutIts = call.withoutIts === true;
  if (call.about === "placed") {
    return { kind: "placed", driver: typeof given.driver === "string" ? given.driver : "web" };
  }
  if (call.about === "phone") {
    const id = phoneId.safeParse(given.phoneId);
    return id.success ? { kind: "phone", id: id.data, withoutIts } : undefined;
  }
  const id = recordingId.safeParse(given.recordingId);
  return id.success ? { kind: "recording", id: id.data, withoutIts } : undefined;
}
