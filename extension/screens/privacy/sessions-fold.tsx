/** Where the person is signed in. */

import { Fold } from "../../components/fold.tsx";
import { readSessions, SessionsCard } from "../account/sessions-card.tsx";
import { useRemote } from "../panel/use-remote.ts";

export function SessionsFold() {
  const sessions = useRemote(readSessions);
  const count = sessions.value?.length;
  const glance = count === undefined ? "" : count === 1 ? "Only here" : `Here and ${count - 1} more`;
  return (
    <Fold icon="panel" title="Sessions" glance={glance}>
      {() => <SessionsCard titled={false} sessions={sessions} />}
    </Fold>
  );
}
