/** What the extension handles and what leaves the browser, before anything does; it begins once the person agrees. */
import { DISCLOSURE_VERSION, DISCLOSURES } from "../../../shared/privacy-disclosure.ts";
import { Button } from "../../components/button.tsx";
import { usePage } from "../../state/app-context.tsx";

export function DisclosureStep() {
  const { app } = usePage();
  const agree = () => app.settings.update((settings) => ({ ...settings, agreed: DISCLOSURE_VERSION }));
  return (
    <div className="welcome-form">
      <p>
        Nothing has left this browser yet. This is all that Perch handles, and what goes where once you begin. Your
        server is the one you choose in the next step.
      </p>
      <dl className="disclosures">
        {DISCLOSURES.map(({ what, why, leaves }) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{why}</dd>
            <dd className="disclosure-leaves">
              <strong>Leaves the browser:</strong> {leaves}
            </dd>
          </div>
        ))}
      </dl>
      <p>
        <strong>Nothing is sold, shared for advertising, or used to train anything.</strong> There is no analytics. You
        see, download and delete what your server holds under Privacy, at any time.
      </p>
      <div className="welcome-actions">
        <Button kind="primary" icon="check" onClick={() => void agree()}>
          Agree and begin
        </Button>
        <span className="secondary">If you do not agree, remove the extension. Nothing was sent.</span>
      </div>
    </div>
  );
}
