import { describe, expect, it } from "vitest";
import type { SecurityOverview } from "../../../../shared/accounts.ts";
import { newId } from "../../../../shared/ids.ts";
import { endsWords, grouped, protectionWords } from "./account-words.ts";

const NOW = Date.UTC(2026, 10, 26, 9);
const inMs = (ms: number) => new Date(NOW + ms).toISOString();
const bare: SecurityOverview = {
  password: { changedAt: inMs(-1) },
  totp: null,
  backupCodesLeft: 0,
  passkeys: [],
  pendingEmail: null,
  passkeysPage: "/account/passkeys",
};
const passkey = { id: newId("passkey"), name: "Laptop", createdAt: inMs(-1), backedUp: true };

describe("words of the account", () => {
  it.each([
    [-1, "ended"],
    [60_000, "ends within the hour"],
    [5 * 3_600_000, "ends in 5 h"],
    [30 * 86_400_000, "ends in 30 days"],
  ])("say when something ends (%i ms ahead)", (ms, words) => {
    expect(endsWords(inMs(ms), NOW)).toBe(words);
  });

  it("say what protects the account, and when that is little", () => {
    expect(protectionWords(bare)).toEqual({ words: "A password alone protects your account", weak: true });
    expect(protectionWords({ ...bare, totp: { since: inMs(-1) }, passkeys: [passkey] })).toEqual({
      words: "Password, codes from an app, 1 passkey",
      weak: false,
    });
    expect(protectionWords({ ...bare, password: null, passkeys: [passkey, passkey] }).words).toBe("2 passkeys");
  });

  it("group a key by four without a blank at the end", () => {
    expect(grouped("JBSWY3DPEHPK3PXP")).toBe("JBSW Y3DP EHPK 3PXP");
  });
});
