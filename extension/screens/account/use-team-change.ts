/** Working in another team: everything this browser shows or keeps of the earlier one is left behind. */
import { useCallback } from "react";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { automationsPlace, HOME } from "../../state/automations-place.ts";
import { changeRuleDrafts } from "../automations/rules/rule-drafts.ts";

/** Makes panel, popup and worker follow to the team the session works in now; reads which that is when not told. */
export function useTeamChange(): (teamId?: string) => Promise<void> {
  const { app, phones } = usePage();
  const { server } = usePhones();
  return useCallback(
    async (teamId) => {
      if (server === undefined) return;
      const me = teamId === undefined ? await phones.call((api) => api.account.me.query()) : undefined;
      const now = me?.ok === true ? me.value.team.id : teamId;
      if (now === undefined) return;
      const before = (await app.tokens.get(server))?.team;
      if (before === now) return;
      await Promise.all([automationsPlace().set(HOME), app.phonesCache.clear(), changeRuleDrafts(before, now)]);
      await app.tokens.renew(server, async (present) => present && { ...present, team: now });
    },
    [app, phones, server],
  );
}
