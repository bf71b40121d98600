/**
 * What is true of phones at the partner is what it answers when asked: every half minute all of them are, a hundred at a
 * time, whatever its webhooks said or did not say. What runs there and not here is turned off, for it costs money; what went
 * off there is told; what nobody here has is turned off at once and deleted a day later.
 */
import type { Clock } from "../../../clock.ts";
import type { Database } from "../../../db/database.ts";
import { errorFields, type Log } from "../../../log.ts";
import type { GeelarkApi } from "./api.ts";
import type { GeelarkRepo, KnownPhone } from "./geelark.repo.ts";
import type { GeelarkSource } from "./geelark-source.ts";
import type { Marks } from "./marks.ts";
import { isOn, remedyFor, type VendorState } from "./states.ts";
import { PartnerError } from "./troubles.ts";
import type { VendorPhones } from "./vendor-phones.ts";

/** A phone that nobody here has is deleted this long after it was first seen. */
export const STRAY_GRACE_MS = 24 * 60 * 60_000;

export interface Reconciler {
  /** Looks at the phones that are known. Never fails because the partner does not answer. */
  look(): Promise<void>;
  /** Looks at everything with our mark. */
  sweep(): Promise<void>;
}

export function createReconciler(options: {
  readonly api: GeelarkApi;
  readonly there: VendorPhones;
  readonly source: Pick<GeelarkSource, "isBusy" | "tell">;
  readonly repo: GeelarkRepo;
  readonly marks: Marks;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
}): Reconciler {
  const { api, there, source, repo, marks, db, clock, log } = options;
  let downSince: number | undefined;

  /** False while the partner does not answer: then nothing is known, and nothing is done. */
  async function answered<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await ask();
      return answer;
    } catch (error) {
      if (!(error instanceof PartnerError)) throw error;
      if (downSince === undefined) {
        downSince = clock.now();
        log.warn("Phones at the cloud-phone partner cannot be looked at; it is tried again", errorFields(error));
      }
      return undefined;
    }
  }

  async function tend(phone: KnownPhone, state: VendorState, isBack: boolean): Promise<void> {
    const { phoneId, vendorId } = phone;
    if (phone.vendorState !== state) await db.tx((tx) => repo.set(tx, phoneId, { vendorState: state }));
    if (source.isBusy(phoneId)) return;
    // What it is here may have changed while the partner was asked.
    const here = await repo.stateHere(phoneId);
    if (here === undefined && state === "gone") {
      await db.tx((tx) => repo.set(tx, phoneId, { removedAt: new Date(clock.now()) }));
    }
    const remedy = remedyFor(here, state);
    if (remedy === "stop") {
      log.warn("A phone that should be parked ran at the cloud-phone partner and is turned off", { phoneId });
      await api.stop(vendorId);
    }
    if (remedy === "stopped") source.tell({ type: "ended", phoneId, reason: "partner_stopped" });
    if (remedy === "ended") source.tell({ type: "ended", phoneId, reason: "partner_ended" });
    if (remedy === "none" && here === "running" && isBack) source.tell({ type: "hint", phoneId });
  }

  return {
    async look() {
      const known = await repo.known();
      if (known.length === 0) return;
      const states = await answered(() => there.statesOf(known.map(({ vendorId }) => vendorId)));
      if (states === undefined) return;
      const isBack = downSince !== undefined;
      if (downSince !== undefined) {
        log.info("The cloud-phone partner answers again", { durationMs: clock.now() - downSince });
        downSince = undefined;
      }
      for (const phone of known) {
        const state = states.get(phone.vendorId) ?? "unknown";
        const wasOff = phone.vendorState !== null && phone.vendorState !== "started";
        try {
          await tend(phone, state, isBack || (state === "started" && wasOff));
        } catch (error) {
          if (!(error instanceof PartnerError)) throw error;
          log.warn("Looking after a phone at the cloud-phone partner failed", {
            phoneId: phone.phoneId,
            ...errorFields(error),
          });
        }
      }
    },
    async sweep() {
      const listed = await answered(() => api.list(""));
      if (listed === undefined) return;
      const strays: { vendorId: string; state: VendorState }[] = [];
      for (const { vendorId, remark, state } of listed) {
        const phoneId = marks.phoneIn(remark);
        if (phoneId === undefined || source.isBusy(phoneId)) continue;
        const row = await repo.find(phoneId);
        const isHere = (await repo.stateHere(phoneId)) !== undefined && row !== undefined && row.removedAt === null;
        if (isHere && row.vendorId === null) await db.tx((tx) => repo.set(tx, phoneId, { vendorId }));
        else if (!isHere || row.vendorId !== vendorId) strays.push({ vendorId, state });
      }
      const seen = await db.tx((tx) =>
        repo.strays(
          tx,
          strays.map(({ vendorId }) => vendorId),
          new Date(clock.now()),
        ),
      );
      for (const { vendorId, state } of strays) {
        const since = seen.get(vendorId)?.getTime() ?? clock.now();
        try {
          if (isOn(state)) await there.stop(vendorId);
          if (clock.now() - since < STRAY_GRACE_MS) continue;
          const isGone = await there.wipe(vendorId);
          if (!isGone) continue;
          log.warn("A phone at the cloud-phone partner that nobody here has was deleted", { kind: "stray" });
          const phoneId = (await repo.phonesOf([vendorId])).get(vendorId);
          if (phoneId !== undefined) await db.tx((tx) => repo.set(tx, phoneId, { removedAt: new Date(clock.now()) }));
        } catch (error) {
          log.warn("A phone at the cloud-phone partner that nobody here has is still there", errorFields(error));
        }
      }
    },
  };
}
