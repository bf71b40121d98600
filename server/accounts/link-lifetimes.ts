/** How long links in mails work, whatever provider stands behind them. */
export const SIGN_UP_LINK_MS = 24 * 60 * 60_000;
export const RESET_LINK_MS = 30 * 60_000;
