/** What the server says of the session is kept beside its token: which team it works in, and until when it lasts. */
import { useEffect } from "react";
import type { Me } from "../../../shared/accounts.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";

/** Using a session makes it last longer; writing that down once a day is enough. */
const WORTH_KEEPING_MS = 86_400_000;

export function useKeptSession(me: Me | undefined): void {
  const { app } = usePage();
  const { server } = usePhones();
  useEffect(() => {
    if (me === undefined || server === undefined) return;
    const { team, session } = me;
    void app.tokens.get(server).then((kept) => {
      if (kept === undefined) return;
      const longer = Date.parse(session.expiresAt) - Date.parse(kept.expiresAt) > WORTH_KEEPING_MS;
      if (kept.team === team.id && !longer) return;
      const next = { ...kept, team: team.id, expiresAt: session.expiresAt };
      // Another token by now has its own team.
      void app.tokens.renew(server, async (present) => (present?.token === kept.token ? next : undefined));
    });
  }, [app, server, me]);
}
