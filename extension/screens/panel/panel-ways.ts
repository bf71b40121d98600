/** Ways that lead out of any screen of the panel: to a fresh proof of who one is, and to places under Account. */
import { createContext, useContext } from "react";

export type AccountView = "home" | "security" | "sessions" | "tokens" | "team" | "billing" | "activity" | "standing";

export interface PanelWays {
  /** Has the person confirm who they are; false when they rather leave things as they are. */
  confirmIdentity(): Promise<boolean>;
  toAccount(view: AccountView): void;
  toPrivacy(): void;
}

const NOWHERE: PanelWays = { confirmIdentity: async () => false, toAccount() {}, toPrivacy() {} };

export const PanelWaysContext = createContext<PanelWays>(NOWHERE);

export function usePanelWays(): PanelWays {
  return useContext(PanelWaysContext);
}
