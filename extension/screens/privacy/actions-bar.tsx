/** The four things a person can always do with their data. */
import { Icon, type IconName } from "../../components/icon.tsx";

export type PrivacyAction = "download" | "correct" | "delete" | "everywhere";

const ACTIONS: readonly { readonly id: PrivacyAction; readonly icon: IconName; readonly label: string }[] = [
  { id: "download", icon: "download", label: "Download" },
  { id: "correct", icon: "edit", label: "Correct" },
  { id: "delete", icon: "trash", label: "Delete" },
  { id: "everywhere", icon: "signOut", label: "Sign out everywhere" },
];

export interface ActionsBarProps {
  /** The deletion was asked for already. */
  readonly closing: boolean;
  readonly onAction: (action: PrivacyAction) => void;
}

export function ActionsBar({ closing, onAction }: ActionsBarProps) {
  return (
    <ul className="privacy-actions" aria-label="Your rights">
      {ACTIONS.map(({ id, icon, label }) => (
        <li key={id}>
          <button
            type="button"
            className="privacy-action"
            disabled={closing && id === "delete"}
            onClick={() => onAction(id)}
          >
            <Icon name={icon} size={20} />
            <span>{label}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
