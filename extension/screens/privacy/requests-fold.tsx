/** What the person asked about their data: since when, until when, what was answered, and the signed receipt. */
import type { RequestView } from "../../../shared/privacy.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Fold } from "../../components/fold.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { useToast } from "../../components/toast.tsx";
import { CopyButton } from "../account/shown-once.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { calendarDate } from "../phone/model/run-time.ts";
import { saveBlob } from "../phone/save-blob.ts";
import { isOpenRequest, REQUEST_KIND_WORDS, REQUEST_STATE_WORDS } from "./model/privacy-words.ts";

const readRequests = (api: Api): Promise<readonly RequestView[]> => api.privacy.requests.query();

export interface RequestsFoldProps {
  readonly open: number;
  readonly now: number;
  readonly onChanged: () => void;
  readonly onAsk: () => void;
}

export function RequestsFold({ open, now, onChanged, onAsk }: RequestsFoldProps) {
  return (
    <Fold icon="mail" title="Requests" glance={open === 0 ? "None open" : open === 1 ? "1 open" : `${open} open`}>
      {() => (
        // Read anew when what is open changed.
        <Requests key={open} now={now} onChanged={onChanged} onAsk={onAsk} />
      )}
    </Fold>
  );
}

function Requests({ now, onChanged, onAsk }: Omit<RequestsFoldProps, "open">) {
  const { value, failure, reload } = useRemote(readRequests);
  const calls = useCall();
  const toast = useToast();
  const withdraw = async ({ id, number }: RequestView) => {
    const result = await calls.run(id, (api) => api.privacy.revokeRequest.mutate({ requestId: id }));
    if (result?.ok === true) toast({ text: `${number} is withdrawn.` });
    reload();
    onChanged();
  };
  return (
    <>
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading requests" rows={2} />}
      {value?.length === 0 && (
        <p className="secondary">You asked for nothing yet. What you do above is done at once and listed here.</p>
      )}
      <ol className="requests" aria-label="Requests">
        {value?.map((request) => (
          <Request
            key={request.id}
            request={request}
            now={now}
            busy={calls.busy(request.id)}
            onWithdraw={() => void withdraw(request)}
          />
        ))}
      </ol>
      <div className="card-foot">
        <Button size="small" icon="edit" onClick={onAsk}>
          Ask for something else
        </Button>
      </div>
    </>
  );
}

interface RequestProps {
  readonly request: RequestView;
  readonly now: number;
  readonly busy: boolean;
  readonly onWithdraw: () => void;
}

function Request({ request, now, busy, onWithdraw }: RequestProps) {
  const { number, kind, state, receivedAt, dueAt, closedAt, answer, receipt } = request;
  const { words, tone } = REQUEST_STATE_WORDS[state];
  const open = isOpenRequest(state);
  const receiptText = receipt && JSON.stringify(receipt, null, 2);
  return (
    <li className="request">
      <div className="request-head">
        <strong>{REQUEST_KIND_WORDS[kind]}</strong>
        <Badge tone={tone}>{words}</Badge>
        <span className="secondary tabular">{number}</span>
      </div>
      <p className="secondary tabular">
        Asked {calendarDate(receivedAt, now)}
        {open && ` · answered by ${calendarDate(dueAt, now)} at the latest`}
        {closedAt !== undefined && ` · answered ${calendarDate(closedAt, now)}`}
      </p>
      {answer !== undefined && <p>{answer}</p>}
      <div className="request-actions">
        {receiptText !== undefined && (
          <>
            <Button
              size="small"
              icon="download"
              aria-label={`Save the receipt of ${number}`}
              onClick={() => saveBlob(new Blob([receiptText], { type: "application/json" }), `${number}-receipt.json`)}
            >
              Receipt
            </Button>
            <CopyButton size="small" text={receiptText} label="Copy receipt" />
          </>
        )}
        {open && (
          <Button size="small" busy={busy} aria-label={`Withdraw ${number}`} onClick={onWithdraw}>
            Withdraw
          </Button>
        )}
      </div>
    </li>
  );
}
