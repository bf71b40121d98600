/** Recordings that are no automation yet, so that none is forgotten. */
import type { RecordingId } from "../../../shared/id-values.ts";
import type { RecordingSummary } from "../../../shared/recording-model.ts";
import type { Api } from "../../api/client.ts";
import { Icon } from "../../components/icon.tsx";
import { Card } from "../../components/surface.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePhones } from "../../state/app-context.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { timeAgo } from "../phone/model/run-time.ts";

const read = (api: Api): Promise<readonly RecordingSummary[]> => api.recordings.list.query();

export function RecordingsCard({ onOpen }: { readonly onOpen: (id: RecordingId) => void }) {
  const { value } = useRemote(read);
  const { phones } = usePhones();
  const now = useNow(true);
  const unfinished = value?.filter(({ state }) => state !== "saved") ?? [];
  if (unfinished.length === 0) return null;
  return (
    <Card title="Not saved yet">
      <ul className="list" aria-label="Unfinished recordings">
        {unfinished.map((recording) => {
          const phone = phones.find(({ id }) => id === recording.phoneId)?.name ?? "a removed phone";
          return (
            <li key={recording.id} className="automation-row">
              <button type="button" className="row-button row-button-icon" onClick={() => onOpen(recording.id)}>
                <Icon name={recording.state === "recording" ? "record" : "park"} size={20} />
                <span className="list-text">
                  <span className="list-title">Recording on {phone}</span>
                  <span className="secondary tabular">
                    {recording.steps === 1 ? "1 step" : `${recording.steps} steps`} ·{" "}
                    {recording.state === "recording" ? "going on" : `paused ${timeAgo(recording.updatedAt, now)}`}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
