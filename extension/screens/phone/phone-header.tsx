/** The top line: which phone, how it is, and what can be done with it as a whole. */
import type { PhoneId } from "../../../shared/ids.ts";
import type { Phone } from "../../../shared/phones.ts";
import { IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { phoneStateWord, StateDot } from "../../components/state-dot.tsx";
import { useNow } from "../../components/use-now.ts";
import { kindWords, sortedPhones } from "./model/phone-list.ts";
import { runTime } from "./model/run-time.ts";

export interface PhoneHeaderProps {
  readonly phones: readonly Phone[];
  readonly phone: Phone | undefined;
  readonly mayControl: boolean;
  readonly onChoose: (id: PhoneId) => void;
  readonly onNew: () => void;
  /** Items of the ⋯ menu. */
  readonly menu: readonly (MenuItem | "separator")[];
}

export function PhoneHeader({ phones, phone, mayControl, onChoose, onNew, menu }: PhoneHeaderProps) {
  const choices: (MenuItem | "separator")[] = sortedPhones(phones).map((each) => ({
    id: each.id,
    label: each.name,
    detail: `${phoneStateWord(each)} · ${kindWords(each)}`,
    checked: each.id === phone?.id,
    onSelect: () => onChoose(each.id),
  }));
  if (mayControl) choices.push("separator", { id: "new", label: "New phone", icon: "plus", onSelect: onNew });
  return (
    <header className="phone-header">
      <Menu
        label="Phones"
        align="start"
        items={choices}
        trigger={(props) => (
          <button {...props} type="button" className="phone-switch" title="Switch phones">
            <span className="truncate">{phone?.name ?? "No phone"}</span>
            <Icon name="chevronDown" />
          </button>
        )}
      />
      {phone !== undefined && <PhoneState phone={phone} />}
      {phone !== undefined && (
        <Menu
          label={`${phone.name}: more`}
          items={menu}
          trigger={(props) => <IconButton {...props} icon="more" label="More about this phone" tooltip="left" />}
        />
      )}
    </header>
  );
}

function PhoneState({ phone }: { readonly phone: Phone }) {
  return (
    <span className="phone-state secondary">
      <StateDot {...phone} />
      {phone.state === "running" && phone.startedAt !== undefined && phone.unreachableSince === undefined ? (
        <>
          <span className="sr-only">running for</span>
          <RunTime startedAt={phone.startedAt} />
        </>
      ) : (
        phoneStateWord(phone)
      )}
    </span>
  );
}

function RunTime({ startedAt }: { readonly startedAt: string }) {
  const now = useNow(true);
  return <span className="tabular">{runTime(startedAt, now)}</span>;
}
