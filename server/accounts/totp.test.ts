import { describe, expect, it } from "vitest";
import { newTotpSecret, totpEnrolment, totpStep } from "./totp.ts";

/** RFC 6238 appendix B, SHA-1: the ASCII text 12345678901234567890 as base32, times in seconds, the last six digits. */
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const VECTORS = [
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
] as const;

describe("codes of an app", () => {
  it.each(VECTORS)("are those of RFC 6238 at %i s", (seconds, code) => {
    const step = Math.floor(seconds / 30);
    expect(totpStep(SECRET, code, seconds * 1000)).toBe(step);
    expect(totpStep(SECRET, code, (seconds + 30) * 1000)).toBe(step);
    expect(totpStep(SECRET, code, (seconds + 60) * 1000)).toBeUndefined();
    expect(totpStep(SECRET, code, (seconds - 30) * 1000)).toBeUndefined();
  });

  it("are set up with a secret of 160 bits, as a link and as a picture of it", () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const { uri, qrSvg } = totpEnrolment(secret, "a@x.example");
    const link = new URL(uri);
    expect(link.protocol + link.host + link.pathname).toBe("otpauth:totp/Perch:a%40x.example");
    expect(Object.fromEntries(link.searchParams)).toEqual({
      ...{ issuer: "Perch", secret, algorithm: "SHA1", digits: "6", period: "30" },
    });
    expect(qrSvg).toMatch(/^<svg[^>]+viewBox/);
    expect(qrSvg).not.toMatch(/script|href/);
  });
});
