/** What the team did: who launched, drove, ran and changed what. And what the phones did while this panel was open. */
import { useEffect, useMemo, useRef, useState } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { Me } from "../../../shared/accounts.ts";
import type { ActivityEntry, ActivityGroup } from "../../../shared/activity.ts";
import type { UserId } from "../../../shared/id-values.ts";
import type { TeamView } from "../../../shared/teams.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Select } from "../../components/field.tsx";
import { EmptyState, Notice, Skeleton } from "../../components/notice.tsx";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import type { ActivityEntry as PhoneActivity } from "../phone/model/activity.ts";
import { ROLE_WORDS } from "../team/model/role-words.ts";
import { ActivityList } from "./activity-list.tsx";
import { GROUP_LOOK } from "./model/activity-words.ts";
import { PhonesHere } from "./phones-here.tsx";
import { type LogFilter, useActivityLog } from "./use-activity-log.ts";
import "./activity.css";

export interface ActivityScreenProps {
  readonly me: Me | undefined;
  /** What happened to the phones since the panel was opened. */
  readonly here: readonly PhoneActivity[];
}

export function ActivityScreen({ me, here }: ActivityScreenProps) {
  return (
    <div className="screen">
      <header className="screen-head">
        <h1>Activity</h1>
        {me !== undefined && <p className="secondary">Who did what in {me.team.name}</p>}
      </header>
      <ClockNotice />
      {me !== undefined &&
        (roleMay(me.team.role, "team:activity") ? (
          <TeamLog changes={here.length} />
        ) : (
          <Notice title={`Your role, ${ROLE_WORDS[me.team.role]}, does not show the team's activity.`}>
            Ask an owner or admin of {me.team.name} for another role. What concerns your own account is under Account,
            Security activity.
          </Notice>
        ))}
      <PhonesHere entries={here} />
    </div>
  );
}

const readTeam = (api: Api): Promise<TeamView> => api.teams.get.query();
const KINDS = Object.keys(GROUP_LOOK) as ActivityGroup[];

/** `changes`: grows when phones did something, which the log then tells too. */
function TeamLog({ changes }: { readonly changes: number }) {
  const team = useRemote(readTeam);
  const [group, setGroup] = useState<ActivityGroup>();
  const [actor, setActor] = useState<UserId>();
  const [object, setObject] = useState<NonNullable<ActivityEntry["object"]>>();
  const filter = useMemo<LogFilter>(
    () => ({
      ...(group !== undefined && { group }),
      ...(actor !== undefined && { actor }),
      ...(object !== undefined && { object: object.id }),
    }),
    [group, actor, object],
  );
  const members = team.value?.members ?? [];
  const log = useActivityLog("team", filter);
  const seen = useRef(changes);
  const { entries, failure, reload } = log;
  useEffect(() => {
    if (seen.current !== changes) reload();
    seen.current = changes;
  });
  const filtered = group !== undefined || actor !== undefined || object !== undefined;
  const clear = () => {
    setGroup(undefined);
    setActor(undefined);
    setObject(undefined);
  };
  return (
    <>
      <div className="log-filters">
        <Select
          aria-label="Person"
          options={[
            { value: "", label: "Everybody" },
            ...members.map(({ userId: value, name, isMe }) => ({
              value,
              label: isMe ? "You" : name,
            })),
          ]}
          value={actor ?? ""}
          onChange={({ target }) => setActor(members.find(({ userId }) => userId === target.value)?.userId)}
        />
        <Select
          aria-label="Kind"
          options={[
            { value: "", label: "Everything" },
            ...KINDS.map((value) => ({ value, label: GROUP_LOOK[value].words })),
          ]}
          value={group ?? ""}
          onChange={({ target }) => setGroup(KINDS.find((kind) => kind === target.value))}
        />
        <IconButton icon="refresh" label="Read again" tooltip="left" onClick={reload} />
        {object !== undefined && (
          <p className="log-only">
            <span className="truncate">
              Only <b>{object.name}</b>
            </span>
            <IconButton
              icon="close"
              size="small"
              label={`Not only ${object.name ?? "this"}`}
              tooltip="left"
              onClick={() => setObject(undefined)}
            />
          </p>
        )}
      </div>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {entries === undefined && failure === undefined && <Skeleton label="Loading activity" rows={5} />}
      {entries?.length === 0 && (
        <EmptyState
          icon="activity"
          title={filtered ? "Nothing like that" : "Nothing has happened yet"}
          action={filtered && <Button onClick={clear}>Show everything</Button>}
        >
          {filtered
            ? "In what is kept of the log, nothing fits these filters."
            : "Whatever members do with phones, automations and the team is listed here, for all of them to see."}
        </EmptyState>
      )}
      {entries !== undefined && <ActivityList entries={entries} log={log} onObject={setObject} />}
    </>
  );
}
