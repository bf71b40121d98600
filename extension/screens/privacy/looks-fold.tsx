/** Who of the operator's people looked at the data, and why. */
import type { AccessLogEntry } from "../../../shared/privacy.ts";
import type { Api } from "../../api/client.ts";
import { Fold } from "../../components/fold.tsx";
import { Icon } from "../../components/icon.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { calendarDate, clockTime } from "../phone/model/run-time.ts";

const readLooks = (api: Api): Promise<readonly AccessLogEntry[]> => api.privacy.accessLog.query();

export function LooksFold({ looks, now }: { readonly looks: number; readonly now: number }) {
  const glance = looks === 0 ? "Nobody in 90 days" : looks === 1 ? "1 look in 90 days" : `${looks} looks in 90 days`;
  return (
    <Fold icon="eye" title="Who looked" glance={glance}>
      {() =>
        looks === 0 ? (
          <p className="secondary">
            Nobody looked in 90 days. Who runs this server can look only with a role and a reason, and each look is
            listed here.
          </p>
        ) : (
          <Looks now={now} />
        )
      }
    </Fold>
  );
}

function Looks({ now }: { readonly now: number }) {
  const { value, failure, reload } = useRemote(readLooks);
  if (failure !== undefined) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return <Skeleton label="Loading who looked" rows={2} />;
  return (
    <List label="Who looked">
      {value.map(({ at, words, reason, role }, index) => (
        <ListRow
          // The log is only ever added to, and two looks may be the same in everything.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          key={index}
          lead={<Icon name="eye" size={20} />}
          title={words}
          detail={
            <>
              <span className="block tabular">
                {calendarDate(at, now)}, {clockTime(at)}
                {role !== undefined && ` · as ${role}`}
              </span>
              {reason !== undefined && <span className="block">Reason: {reason}</span>}
            </>
          }
        />
      ))}
    </List>
  );
}
