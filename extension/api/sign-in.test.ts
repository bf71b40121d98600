import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { connectQuery } from "../../shared/accounts.ts";
import { base64Url } from "../../shared/ids.ts";
import { codeFrom, connectUrl } from "./sign-in.ts";

const redirectUri = "https://abcdefghijklmnop.chromiumapp.org/";
const verifier = base64Url(new Uint8Array(32).fill(7));
const state = base64Url(new Uint8Array(32).fill(9));
const code = "c".repeat(43);

describe("connectUrl", () => {
  it("asks for a code in the terms the server takes, with the verifier hashed", async () => {
    const url = new URL(await connectUrl("https://phones.example.org", { redirectUri, verifier, state }));
    expect(url.origin + url.pathname).toBe("https://phones.example.org/connect");
    const query = connectQuery.parse(Object.fromEntries(url.searchParams));
    expect(query.code_challenge).toBe(createHash("sha256").update(verifier).digest("base64url"));
    expect(url.href).not.toContain(verifier);
  });
});

describe("codeFrom", () => {
  it("takes the code of the answer to this request", () => {
    expect(codeFrom(`${redirectUri}?code=${code}&state=${state}`, redirectUri, state)).toBe(code);
  });
  it.each([
    ["another request's state", `${redirectUri}?code=${code}&state=${"x".repeat(43)}`],
    ["no state", `${redirectUri}?code=${code}`],
    ["no code", `${redirectUri}?error=access_denied&state=${state}`],
    ["another address", `https://evil.example/?code=${code}&state=${state}`],
  ])("refuses %s", (_, address) => {
    expect(codeFrom(address, redirectUri, state)).toBeUndefined();
  });
});
