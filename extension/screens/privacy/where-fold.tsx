/** Where the data lives: this server, and whoever works for it. */
import type { ProcessorView } from "../../../shared/privacy.ts";
import { Fold } from "../../components/fold.tsx";
import { Icon } from "../../components/icon.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { timeAgo } from "../phone/model/run-time.ts";

export function WhereFold({
  processors,
  now,
}: {
  readonly processors: readonly ProcessorView[];
  readonly now: number;
}) {
  const names = processors.map(({ name }) => name);
  const others = names.length > 1 ? `and ${names.length} others` : names[0] && `and ${names[0]}`;
  const glance = ["This server", others].filter(Boolean).join(" ");
  return (
    <Fold icon="server" title="Where it lives" glance={glance}>
      {() => (
        <List label="Where it lives">
          <ListRow
            lead={<Icon name="server" size={20} />}
            title="This server"
            detail={names.length === 0 ? "Nobody else: everything stays on it." : "Everything else stays on it."}
          />
          {processors.map((processor) => (
            <ListRow
              key={processor.id}
              lead={<Icon name="globe" size={20} />}
              title={processor.name}
              detail={<Processor processor={processor} now={now} />}
            />
          ))}
        </List>
      )}
    </Fold>
  );
}

function Processor({ processor, now }: { readonly processor: ProcessorView; readonly now: number }) {
  const { purpose, region, retentionDays, agreement, lastContactAt } = processor;
  const kept = retentionDays === 0 ? "keeps nothing" : `keeps it up to ${retentionDays} d after we delete it`;
  const contact = lastContactAt === undefined ? "no contact yet" : `last contact ${timeAgo(lastContactAt, now)}`;
  return (
    <>
      <span className="block">{purpose}</span>
      <span className="block">
        {region} · {kept}
      </span>
      <span className="block">
        {agreement ? "Data processing agreement" : <strong>No agreement named</strong>} · {contact}
      </span>
    </>
  );
}
