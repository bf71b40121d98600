/** Finds the server: the one on this computer by itself, any other by its address. */
import { type FormEvent, useEffect, useRef, useState } from "react";
import { hostOf, isLoopback } from "../../api/errors.ts";
import { LOCAL_SERVER, type ProbeFailure, probeServer, probeWords, serverOrigin } from "../../api/probe.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { Notice } from "../../components/notice.tsx";
import { hasHost, requestHost } from "../../platform/permissions.ts";
import { openTab } from "../../platform/tabs.ts";
import { usePage } from "../../state/app-context.tsx";
import { draft } from "../../state/drafts.ts";

const addressDraft = draft("welcome.address");

export interface ServerStepProps {
  readonly current: string | undefined;
  readonly onDone: () => void;
  readonly onCancel: (() => void) | undefined;
}

export function ServerStep({ current, onDone, onCancel }: ServerStepProps) {
  const { app } = usePage();
  const [address, setAddress] = useState(current ?? "");
  const [searching, setSearching] = useState(current === undefined);
  const [checking, setChecking] = useState(false);
  const [invalid, setInvalid] = useState<string>();
  const [failure, setFailure] = useState<ProbeFailure>();
  const field = useRef<HTMLInputElement>(null);

  const use = async (server: string) => {
    await app.settings.update((settings) => {
      const { defaultPhoneId: _, ...rest } = settings;
      return server === settings.server ? settings : { ...rest, server };
    });
    await addressDraft.clear();
    onDone();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: looks once, when the page opens
  useEffect(() => {
    if (current !== undefined) return;
    void (async () => {
      const typed = await addressDraft.get();
      if (typed !== "") setAddress(typed);
      const found = await probeServer(LOCAL_SERVER, { online: true, hasPermission: true });
      setSearching(false);
      if (found.ok && typed === "") await use(LOCAL_SERVER);
      else field.current?.focus();
    })();
  }, []);

  const check = async (server: string) => {
    setChecking(true);
    setFailure(undefined);
    const probe = await probeServer(server, { online: navigator.onLine, hasPermission: await hasHost(server) });
    setChecking(false);
    if (probe.ok) await use(server);
    else setFailure(probe.failure);
  };

  const connect = (event?: FormEvent) => {
    event?.preventDefault();
    const server = serverOrigin(address);
    if (server === undefined) {
      setInvalid("This is not an address. It looks like phones.example.org or localhost:8787.");
      field.current?.focus();
      return;
    }
    setInvalid(undefined);
    // Asked first and within this click; a server that allows this extension by itself works without it too.
    const asked = isLoopback(server) ? Promise.resolve() : requestHost(server);
    void asked.then(() => check(server));
  };

  if (searching) {
    return (
      <p className="welcome-wait" role="status">
        <span className="spinner" aria-hidden="true" /> Looking for a server on this computer
      </p>
    );
  }
  const words = failure === undefined ? undefined : probeWords(failure);
  const server = serverOrigin(address);
  return (
    <form className="welcome-form" onSubmit={connect} noValidate>
      {current === undefined && failure === undefined && (
        <p>
          No server answers on this computer. Write the address you were given, or start one with{" "}
          <code className="mono">npm start</code> and <RetryLocal onFound={use} />.
        </p>
      )}
      <TextField
        ref={field}
        label="Server address"
        value={address}
        placeholder="phones.example.org"
        inputMode="url"
        spellCheck={false}
        autoCapitalize="none"
        {...(invalid !== undefined && { error: invalid })}
        onChange={(event) => {
          setAddress(event.target.value);
          setInvalid(undefined);
          void addressDraft.set(event.target.value);
        }}
      />
      {words !== undefined && (
        <Notice
          tone="error"
          title={words.title}
          action={
            failure?.kind === "tls_or_cors" && server !== undefined ? (
              <Button size="small" icon="open" onClick={() => void openTab(server)}>
                Open {hostOf(server)} in a tab
              </Button>
            ) : undefined
          }
        >
          {words.detail}
        </Notice>
      )}
      <div className="welcome-actions">
        <Button kind="primary" type="submit" busy={checking}>
          {failure === undefined ? "Connect" : "Try again"}
        </Button>
        {onCancel !== undefined && <Button onClick={onCancel}>Cancel</Button>}
      </div>
      <p className="secondary">
        The browser may ask whether Perch may reach this one address. Nothing else is asked for.
      </p>
    </form>
  );
}

function RetryLocal({ onFound }: { readonly onFound: (server: string) => Promise<void> }) {
  const [state, setState] = useState<"idle" | "looking" | "nothing">("idle");
  return (
    <>
      <button
        type="button"
        className="welcome-change"
        onClick={() => {
          setState("looking");
          void probeServer(LOCAL_SERVER, { online: true, hasPermission: true }).then((probe) => {
            if (probe.ok) void onFound(LOCAL_SERVER);
            else setState("nothing");
          });
        }}
      >
        look again
      </button>
      <span role="status">{state === "nothing" ? " (still nothing at localhost:8787)" : ""}</span>
    </>
  );
}
