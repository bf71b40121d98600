/** The apps of an Android phone: open, stop, clear, remove, and install from a file. */
import { useCallback, useEffect, useState } from "react";
import type { Phone, PhoneApp } from "../../../shared/phones.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { appDetail, appsShown, isNameless, readable } from "./model/app-list.ts";
import { SendFiles } from "./uploads/send-files.tsx";
import { UploadRows } from "./uploads/upload-rows.tsx";
import type { Uploads } from "./uploads/use-uploads.ts";

export interface AppsDialogProps {
  readonly phone: Phone;
  readonly mayControl: boolean;
  readonly uploads: Uploads;
  readonly onClose: () => void;
}

type Action = "launch" | "stop" | "clear" | "uninstall";
const ACTIONS = {
  launch: { call: "launchApp", done: (app, phone) => `${app} is open on ${phone}.` },
  stop: { call: "stopApp", done: (app) => `${app} is stopped.` },
  clear: { call: "clearApp", done: (app) => `Everything ${app} kept is gone.` },
  uninstall: { call: "uninstallApp", done: (app) => `${app} is removed.` },
} as const satisfies Record<Action, { call: string; done: (app: string, phone: string) => string }>;

export function AppsDialog({ phone, mayControl, uploads, onClose }: AppsDialogProps) {
  const { id: phoneId } = phone;
  const running = phone.state === "running";
  return (
    <Dialog title={`Apps on ${phone.name}`} onClose={onClose}>
      {running ? (
        <Apps key={phoneId} phone={phone} mayControl={mayControl} uploads={uploads} onClose={onClose} />
      ) : (
        <EmptyState icon="apps" title="The phone is not running">
          Start it to see and change what is installed.
        </EmptyState>
      )}
    </Dialog>
  );
}

function Apps({ phone, mayControl, uploads, onClose }: AppsDialogProps) {
  const { id: phoneId } = phone;
  const read = useCallback((api: Api): Promise<readonly PhoneApp[]> => api.phones.apps.query({ phoneId }), [phoneId]);
  const apps = useRemote(read);
  const calls = useCall();
  const toast = useToast();
  const [search, setSearch] = useState("");
  const [asking, setAsking] = useState<{ app: PhoneApp; action: "clear" | "uninstall" }>();
  const mine = uploads.items.filter((item) => item.phoneId === phoneId && item.purpose === "app");
  const arrived = mine.filter(({ stage }) => stage === "done").length;
  const { reload } = apps;
  useEffect(() => {
    if (arrived > 0) reload();
  }, [arrived, reload]);

  const run = async (action: Action, app: PhoneApp) => {
    const { call, done } = ACTIONS[action];
    const result = await calls.run(app.id, (api) => api.phones[call].mutate({ phoneId, appId: app.id }));
    setAsking(undefined);
    if (result?.ok !== true) return;
    toast({ text: done(app.label, phone.name) });
    if (action === "launch") onClose();
    if (action === "uninstall") reload();
  };
  const rows = (list: readonly PhoneApp[], label: string) => (
    <List label={label}>
      {list.map((app) => (
        <AppRow
          key={app.id}
          app={app}
          mayControl={mayControl}
          busy={calls.busy(app.id)}
          onRun={(action) => {
            if (action === "clear" || action === "uninstall") setAsking({ app, action });
            else void run(action, app);
          }}
        />
      ))}
    </List>
  );
  const { value, failure } = apps;
  const shown = value && appsShown(value.map(readable), search);
  return (
    <>
      {mayControl && <SendFiles phone={phone} purpose="app" uploads={uploads} />}
      <UploadRows items={mine} uploads={uploads} />
      {value === undefined && failure === undefined && <Skeleton label="Loading apps" rows={5} />}
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value !== undefined && value.length > 0 && (
        <input
          type="search"
          className="control"
          placeholder="Search apps"
          aria-label="Search apps"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {shown !== undefined && (
        <>
          {shown.found !== undefined && shown.found.length > 0 && rows(shown.found, "Apps found")}
          {shown.found?.length === 0 && (
            <p className="secondary" role="status">
              No app here is called “{search.trim()}”.
            </p>
          )}
          {shown.own.length > 0 && rows(shown.own, "Apps")}
          {shown.found === undefined && shown.own.length === 0 && (
            <EmptyState icon="apps" title="Nothing installed yet">
              {mayControl
                ? "Install an app from a file, or from the Play Store on the phone."
                : "Only what came with it."}
            </EmptyState>
          )}
          {shown.system.length > 0 && (
            <details className="disclosure">
              <summary>
                <Icon name="chevronRight" />
                {shown.system.length === 1 ? "1 app" : `${shown.system.length} apps`} that came with the phone
              </summary>
              {rows(shown.system, "Apps that came with the phone")}
            </details>
          )}
        </>
      )}
      {value?.some(isNameless) === true && (
        <p className="secondary">Android does not tell the names of some apps. Theirs come from their packages.</p>
      )}
      {asking !== undefined && (
        <AskApp
          {...asking}
          busy={calls.busy(asking.app.id)}
          onYes={() => void run(asking.action, asking.app)}
          onClose={() => setAsking(undefined)}
        />
      )}
    </>
  );
}

interface AppRowProps {
  readonly app: PhoneApp;
  readonly mayControl: boolean;
  readonly busy: boolean;
  readonly onRun: (action: Action) => void;
}

function AppRow({ app, mayControl, busy, onRun }: AppRowProps) {
  const more: (MenuItem | "separator")[] = [
    { id: "stop", label: "Stop", icon: "stop", onSelect: () => onRun("stop") },
    { id: "clear", label: "Clear data…", icon: "refresh", danger: true, onSelect: () => onRun("clear") },
  ];
  if (!app.system) {
    more.push({ id: "remove", label: "Remove…", icon: "trash", danger: true, onSelect: () => onRun("uninstall") });
  }
  return (
    <ListRow
      title={app.label}
      detail={appDetail(app)}
      trail={
        mayControl && (
          <>
            <Button size="small" busy={busy} aria-label={`Open ${app.label}`} onClick={() => onRun("launch")}>
              Open
            </Button>
            <Menu
              label={`${app.label}: more`}
              items={more}
              trigger={(trigger) => (
                <IconButton {...trigger} size="small" icon="more" label={`More about ${app.label}`} tooltip="left" />
              )}
            />
          </>
        )
      }
    />
  );
}

interface AskAppProps {
  readonly app: PhoneApp;
  readonly action: "clear" | "uninstall";
  readonly busy: boolean;
  readonly onYes: () => void;
  readonly onClose: () => void;
}

/** Neither can be undone, and that is said. */
function AskApp({ app, action, busy, onYes, onClose }: AskAppProps) {
  const clears = action === "clear";
  return (
    <Dialog
      title={clears ? `Clear ${app.label}?` : `Remove ${app.label}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" icon={clears ? "refresh" : "trash"} busy={busy} onClick={onYes}>
            {clears ? "Clear data" : "Remove"}
          </Button>
        </>
      }
    >
      <p>
        {clears
          ? "Its accounts, settings and files on the phone will be gone. The app itself stays."
          : "The app, its accounts, settings and files on the phone will be gone."}
      </p>
      <p className="secondary">This cannot be undone.</p>
    </Dialog>
  );
}
