/** The first minute: what is handled, a server, a sign-in, a phone. Also where signing in and changing the server happen later. */
import { type ReactNode, useEffect, useState } from "react";
import { DISCLOSURE_VERSION } from "../../../shared/privacy-disclosure.ts";
import { hostOf } from "../../api/errors.ts";
import { Icon } from "../../components/icon.tsx";
import { type Shortcut, shortcuts } from "../../platform/commands.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { DisclosureStep } from "./disclosure-step.tsx";
import { FirstPhoneStep } from "./first-phone-step.tsx";
import { ServerStep } from "./server-step.tsx";
import { SignInStep } from "./sign-in-step.tsx";
import "./welcome.css";

export function Welcome() {
  const { server, status, failure, phones } = usePhones();
  const [changingServer, setChangingServer] = useState(false);
  const signedIn = server !== undefined && failure?.kind !== "signed_out" && (status === "live" || status === "stored");
  const agreed = useAgreed();
  if (agreed === undefined) return null;
  const step = !agreed ? 1 : server === undefined || changingServer ? 2 : signedIn ? 4 : 3;
  return (
    <main className="welcome">
      <header className="welcome-head">
        <img src="/icons/icon-128.png" alt="" width={48} height={48} />
        <div>
          <h1>Welcome to Perch</h1>
          <p className="welcome-lead">Phones in your browser's side panel. Open any page on one, and drive it live.</p>
        </div>
      </header>
      <ol className="welcome-steps">
        <Step number={1} title="Your data" current={step} done="You agreed">
          <DisclosureStep />
        </Step>
        <Step
          number={2}
          title="Server"
          current={step}
          done={server === undefined ? "" : `Connected to ${hostOf(server)}`}
          action={
            <button type="button" className="welcome-change" onClick={() => setChangingServer(true)}>
              Change
            </button>
          }
        >
          <ServerStep
            current={server}
            onDone={() => setChangingServer(false)}
            onCancel={server === undefined ? undefined : () => setChangingServer(false)}
          />
        </Step>
        <Step number={3} title="Sign in" current={step} done="Signed in">
          {server !== undefined && <SignInStep server={server} />}
        </Step>
        <Step number={4} title={phones.length === 0 ? "Your first phone" : "You are ready"} current={step} done="">
          <FirstPhoneStep />
        </Step>
      </ol>
      {step === 4 && <Hints />}
    </main>
  );
}

/** Whether the person agreed to what is handled, as it is said today; undefined until it is known. */
function useAgreed(): boolean | undefined {
  const { settings } = usePage().app;
  const [agreed, setAgreed] = useState<boolean>();
  useEffect(() => {
    const hear = ({ agreed: version = 0 }: { readonly agreed?: number }) => setAgreed(version >= DISCLOSURE_VERSION);
    void settings.get().then(hear);
    return settings.watch(hear);
  }, [settings]);
  return agreed;
}

interface StepProps {
  readonly number: number;
  readonly current: number;
  readonly title: string;
  /** What to say once it is behind. */
  readonly done: string;
  /** Beside the title once it is behind. */
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

function Step({ number, current, title, done, action, children }: StepProps) {
  const state = number === current ? "current" : number < current ? "done" : "next";
  return (
    <li className={`welcome-step welcome-step-${state}`} aria-current={state === "current" ? "step" : undefined}>
      <span className="welcome-number">{state === "done" ? <Icon name="check" /> : number}</span>
      <div className="welcome-body">
        <div className="welcome-title">
          <h2>{title}</h2>
          {state === "done" && <span className="secondary truncate">{done}</span>}
          {state === "done" && action}
        </div>
        {state === "current" && children}
      </div>
    </li>
  );
}

/** How to reach Perch from now on, with the keys the browser really assigned. */
function Hints() {
  const [keys, setKeys] = useState<readonly Shortcut[]>([]);
  useEffect(() => {
    void shortcuts().then(setKeys);
  }, []);
  const keysOf = (name: string) => keys.find((shortcut) => shortcut.name === name)?.keys;
  const open = keysOf("open-page");
  const toggle = keysOf("toggle-panel");
  return (
    <section className="welcome-hints" aria-label="Good to know">
      <h2>Good to know</h2>
      <ul>
        <li>
          <Icon name="install" /> Pin Perch beside the address bar: open the puzzle-piece menu and click the pin.
        </li>
        <li>
          <Icon name="hand" /> Right-click a page, a link, an image or selected text to send it to a phone.
        </li>
        {open !== undefined && (
          <li>
            <Icon name="keyboard" />
            <span>
              <kbd className="key">{open}</kbd> opens the page you are on
              {toggle !== undefined && (
                <>
                  , <kbd className="key">{toggle}</kbd> shows or hides the panel
                </>
              )}
              .
            </span>
          </li>
        )}
        <li>
          <Icon name="search" />
          <span>
            In the address bar, write <kbd className="key">phone</kbd>, a space, and an address.
          </span>
        </li>
      </ul>
    </section>
  );
}
