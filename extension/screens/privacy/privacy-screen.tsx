/** What the service holds about the person, until when, where, and who is signed in as them. */
import type { HeldCategory, PrivacyOverview } from "../../../shared/privacy.ts";
import type { Api } from "../../api/client.ts";
import { Icon } from "../../components/icon.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { usePhones } from "../../state/app-context.tsx";
import { SessionsCard } from "../account/sessions-card.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { calendarDate } from "../phone/model/run-time.ts";
import { itemWords, privacyStatus, serverAddress } from "./privacy-status.ts";
import "./privacy.css";

const readOverview = (api: Api): Promise<PrivacyOverview> => api.privacy.overview.query();

export function PrivacyScreen() {
  const overview = useRemote(readOverview);
  return (
    <div className="screen">
      {overview.value === undefined && overview.failure === undefined && (
        <Skeleton label="Loading what is held" rows={6} />
      )}
      {overview.failure !== undefined && <FailureNotice failure={overview.failure} onRetry={overview.reload} />}
      {overview.value !== undefined && <Overview overview={overview.value} />}
      <SessionsCard />
      {overview.value !== undefined && <Links overview={overview.value} />}
    </div>
  );
}

function Overview({ overview }: { readonly overview: PrivacyOverview }) {
  const status = privacyStatus(overview);
  return (
    <>
      <header className="privacy-status">
        <span className="privacy-shield">
          <Icon name="shield" size={20} />
        </span>
        <div>
          <h1>{status.title}</h1>
          <p className="secondary">{status.detail}</p>
        </div>
      </header>
      <Card title="What we hold">
        <ul className="list" aria-label="What we hold">
          {overview.categories.map((category) => (
            <li key={category.category}>
              <Category category={category} />
            </li>
          ))}
        </ul>
      </Card>
      <Card title="Where it lives">
        <List label="Where it lives">
          {overview.processors.length === 0 ? (
            <ListRow
              lead={<Icon name="server" size={20} />}
              title="This server"
              detail="Nobody else: everything stays on this server."
            />
          ) : (
            overview.processors.map((processor) => (
              <ListRow
                key={processor.id}
                lead={<Icon name="globe" size={20} />}
                title={processor.name}
                detail={processor.purpose}
              />
            ))
          )}
        </List>
      </Card>
    </>
  );
}

/** Expands in place: nothing about a category is more than one click away. */
function Category({ category }: { readonly category: HeldCategory }) {
  return (
    <details className="held">
      <summary>
        <Icon name="chevronRight" />
        <span className="list-text">
          <span>{category.label}</span>
          <span className="secondary">{category.leaves}</span>
        </span>
        <span className="secondary tabular held-count">{itemWords(category.items)}</span>
      </summary>
      <dl className="held-facts">
        <dt>Why</dt>
        <dd>{category.purpose}</dd>
        <dt>Oldest</dt>
        <dd>{category.oldestAt === undefined ? "There is none." : calendarDate(category.oldestAt, Date.now())}</dd>
        <dt>Goes</dt>
        <dd>{category.leaves}</dd>
        <dt>Where</dt>
        <dd>{category.place}</dd>
      </dl>
    </details>
  );
}

function Links({ overview }: { readonly overview: PrivacyOverview }) {
  const { server } = usePhones();
  const policy = serverAddress(overview.policy.url, server);
  const support = serverAddress(overview.supportUrl, server);
  return (
    <nav className="privacy-links" aria-label="Policy and support">
      {policy !== undefined && (
        <a href={policy} target="_blank" rel="noreferrer">
          Privacy policy, version {overview.policy.version}
        </a>
      )}
      {support !== undefined && (
        <a href={support} target="_blank" rel="noreferrer">
          Ask us about your data
        </a>
      )}
    </nav>
  );
}
