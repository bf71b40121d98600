import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../limits/idempotency.ts";
import { createReceipts, signedReceipt, verifyReceipt } from "./receipts.ts";

/** RFC 8032 §7.1, test 1; its thumbprint is that of RFC 8037 A.3. */
const RFC_SEED = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
const RFC_PUBLIC = Buffer.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "hex");

const receipts = createReceipts(RFC_SEED);
const statement = { number: "DR-2026-0001", kind: "delete", counts: { runs: 4, phones: 2 }, kept: [] };

describe("receipts", () => {
  it("derive from a seed the key that RFC 8032 and RFC 8037 give for it", () => {
    expect(receipts.key.publicKey).toBe(RFC_PUBLIC.toString("base64url"));
    expect(receipts.key.keyId).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    expect(receipts.key.pem).toMatch(/^-----BEGIN PUBLIC KEY-----\n[\w+/=]+\n-----END PUBLIC KEY-----\n$/);
  });

  it("sign the canonical form of RFC 8785, whatever the order of what they are given", () => {
    const signed = receipts.sign({ b: 1, a: "ö", "10": 1e21, "2": [true, null], "\u20ac": 0.1, "\u000f": "\u000f" });
    // Computed apart: `openssl pkeyutl -sign -rawin` over the canonical text, keys in order of UTF-16 units.
    const text = '{"\\u000f":"\\u000f","10":1e+21,"2":[true,null],"a":"ö","b":1,"€":0.1}';
    expect(signed.signature).toBe(
      "OVdpiMqrjsMVXTDScjhlPC5Dzpde3z3SKsH0Xv4ZpwSt5WrnGm3pW5gdJ8l4KUmG9falafoUzqgVWuqCtotiAg",
    );
    expect(text).not.toBe(canonicalJson(signed.statement));
    const other = receipts.sign({ "2": [true, null], "\u000f": "\u000f", a: "ö", "10": 1e21, "\u20ac": 0.1, b: 1 });
    expect(other).toEqual(signed);
  });

  it("can be checked with the published key alone", () => {
    const signed = receipts.sign(statement);
    expect(receipts.verify(signed)).toBe(true);
    expect(verifyReceipt(JSON.parse(JSON.stringify(signed)), receipts.key.publicKey)).toBe(true);
    expect(verifyReceipt(signed, createReceipts(Buffer.alloc(32, 7)).key.publicKey)).toBe(false);
    expect(verifyReceipt(signed, "")).toBe(false);
  });

  it("stand for any JSON, after being stored and read again", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (given) => {
        const signed = receipts.sign(given);
        return receipts.verify(JSON.parse(JSON.stringify(signed)));
      }),
      { numRuns: 200 },
    );
  });

  it("refuse what was changed in any place", () => {
    const signed = receipts.sign(statement);
    const changed = [
      { ...signed, statement: { ...statement, kind: "access" } },
      { ...signed, statement: { ...statement, more: 1 } },
      { ...signed, statement: { ...statement, counts: { runs: 4 } } },
      { ...signed, keyId: createReceipts(Buffer.alloc(32, 7)).key.keyId },
      { ...signed, signature: "" },
      { ...signed, signature: `${signed.signature}==` },
      { ...signed, signature: createReceipts(Buffer.alloc(32, 7)).sign(statement).signature },
      { ...signed, statement: { number: "\ud800" } },
    ];
    for (const one of changed) expect(receipts.verify(one)).toBe(false);
    fc.assert(
      fc.property(fc.nat(63), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const bytes = Buffer.from(signed.signature, "base64url");
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        return !receipts.verify({ ...signed, signature: bytes.toString("base64url") });
      }),
      { numRuns: 100 },
    );
  });

  it("are never made for what JSON cannot say", () => {
    expect(() => receipts.sign({ a: Number.NaN })).toThrow("NaN");
    expect(() => receipts.sign({ a: "\ud800" })).toThrow("surrogate");
    expect(receipts.sign({ a: 1, b: undefined }).statement).toEqual({ a: 1 });
    expect(signedReceipt.safeParse({ ...receipts.sign(statement), more: 1 }).success).toBe(false);
  });
});
