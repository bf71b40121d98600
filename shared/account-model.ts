/** What of accounts a page needs without the schemas: limits and words. Everything else is in `accounts.ts`. */

export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 256;
export const TOTP_DIGITS = 6;

/** How a person proved who they are. `aal` 2 (NIST SP 800-63B): a passkey, or a password and a second factor. */
export const SIGN_IN_METHODS = ["password", "password_totp", "password_backup_code", "passkey", "set_up"] as const;
export type SignInMethod = (typeof SIGN_IN_METHODS)[number];
export const SIGN_IN_WORDS = {
  password: "Password",
  password_totp: "Password and code from an app",
  password_backup_code: "Password and backup code",
  passkey: "Passkey",
  set_up: "Set-up link",
} as const satisfies Record<SignInMethod, string>;
