import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { POLICY } from "./policy-v1.ts";

/** What each sentence of the published promise turns on; a clause must carry it. */
const PROMISES: readonly (readonly [id: string, ...words: RegExp[]])[] = [
  ["P0.1", /19 April 2026/],
  ["P1.1", /least we need/],
  ["P1.2", /e-mail/, /full name if/, /password as a hash/],
  ["P1.3", /Stripe/, /never store your card number/],
  ["P1.4", /cloud phones you create/, /how long they run/, /automation tasks/, /team/],
  ["P1.5", /IP address/, /user agent/, /time zone/, /security/],
  ["P2.0", /nothing else/],
  ["P2.1", /sign you in/, /session secure/],
  ["P2.2", /provide, run and bill/, /add to them/],
  ["P2.3", /invitations, receipts and security alerts/],
  ["P2.4", /fraud and abuse/],
  ["P2.5", /reliable/, /anonymised/],
  ["P2.6", /not sell/, /rent/, /advertisers/],
  ["P3.1", /short list/, /data processing agreement/],
  ["P3.2", /Supabase/, /sign-in, database and file storage/],
  ["P3.3", /Stripe/, /payments and billing/],
  ["P3.4", /infrastructure partner/],
  ["P3.5", /e-mail/, /account/],
  ["P3.6", /contract/, /confidential/],
  ["P4.1", /as long as the account is active/],
  ["P4.2", /purged within 30 days/],
  ["P4.3", /billing records/, /up to 7 years/],
  ["P4.4", /anonymised/, /90 days/],
  ["P5.1", /access/],
  ["P5.2", /corrected/],
  ["P5.3", /deleted/],
  ["P5.4", /exported/],
  ["P5.5", /any time/, /support channel/, /home page/],
  ["P5.6", /30 days/],
  ["P6.1", /essential/, /signed in/],
  ["P6.2", /remember/, /interface/],
  ["P6.3", /no advertising/, /across sites/],
  ["P7.1", /TLS 1\.3/],
  ["P7.2", /encrypted where it is stored/],
  ["P7.3", /hashed with modern algorithms/],
  ["P7.4", /restricted/],
  ["P7.5", /audited/],
  ["P7.6", /72 hours/],
  ["P8.1", /may change/],
  ["P8.2", /e-mail/, /notice in the dashboard/, /at least 14 days before/],
  ["P9.1", /contact link on our home page/],
];

describe("privacy policy, version 1", () => {
  it("stands as it was published; a change is a new version", () => {
    const digest = createHash("sha256").update(JSON.stringify(POLICY)).digest("hex");
    expect({ version: POLICY.version, effectiveAt: POLICY.effectiveAt, digest }).toEqual({
      version: 1,
      effectiveAt: "2026-04-19",
      digest: "29499c0d5b92715711e854e1cc73f4b91e004d80ab84a5310ed67d5e449ecc2f",
    });
  });

  it("holds every promise, one clause each", () => {
    expect(POLICY.clauses.map(({ id }) => id)).toEqual(PROMISES.map(([id]) => id));
    for (const [id, ...words] of PROMISES) {
      const text = POLICY.clauses.find((clause) => clause.id === id)?.text;
      for (const word of words) expect(text, id).toMatch(word);
    }
  });

  it("says when it took effect in the text as in the data", () => {
    const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" }).format(
      new Date(`${POLICY.effectiveAt}T00:00:00Z`),
    );
    expect(POLICY.clauses[0]?.text).toContain(day);
  });
});
