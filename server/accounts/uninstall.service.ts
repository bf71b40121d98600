/**
 * The address a browser opens when the extension is removed from it. It carries a token that can do one thing: end that
 * one session. Once it has, the token is worth nothing, so an address in a history or a log of somebody's proxy gives
 * nothing away. The token is signed and not stored: nothing to keep, to erase or to steal from the database.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { sessionId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Actor } from "../teams/team-scope.ts";
import { deviceWords } from "./device-words.ts";
import type { PageLinks } from "./page-links.ts";
import type { SessionsRepo } from "./sessions.repo.ts";
import type { Sessions } from "./sessions.service.ts";

export interface Uninstall {
  /** For the session that asks. Throws `forbidden` for an API token: no browser opens anything for it. */
  link(actor: Actor): { url: string };
  /** Ends the session the token is of; gives where it was, or undefined for a token that is not ours or of one long gone. */
  end(token: string): Promise<{ readonly browser: string; readonly system: string } | undefined>;
}

export function createUninstall(options: {
  db: Database;
  repo: Pick<SessionsRepo, "findById">;
  sessions: Pick<Sessions, "endIn" | "announceEnded">;
  audit: Audit;
  page: PageLinks;
  key: Buffer;
}): Uninstall {
  const { db, repo, sessions, audit, page, key } = options;
  const sign = (id: string) => createHmac("sha256", key).update(`uninstalled\0${id}`).digest("base64url");
  return {
    link({ credential }) {
      if (credential.kind === "token") {
        throw new PerchError("forbidden", "An API token belongs to no browser. Revoke the token instead.");
      }
      return { url: page("/uninstalled", { token: `${credential.id}.${sign(credential.id)}` }) };
    },
    async end(token) {
      const [named = "", signature = ""] = token.split(".");
      const id = sessionId.safeParse(named);
      const [given, expected] = [Buffer.from(signature), Buffer.from(sign(named))];
      if (!id.success || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const found = await repo.findById(id.data);
      if (found === undefined) return undefined;
      const { userId, teamId } = found;
      const ended = await db.tx(async (tx) => {
        const ids = await sessions.endIn(tx, userId, { id: id.data });
        for (const object of ids)
          await audit.record(tx, { chain: teamId, actor: userId, action: "session.revoked", object });
        return ids;
      });
      sessions.announceEnded(ended);
      return deviceWords(found.userAgent);
    },
  };
}
