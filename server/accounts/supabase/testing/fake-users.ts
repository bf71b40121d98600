/** People of the stand-in for GoTrue, and how it shows them. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { verify as verifyArgon2 } from "@node-rs/argon2";

export interface FakeFactor {
  readonly id: string;
  readonly factor_type: string;
  readonly friendly_name: string;
  readonly secret: string;
  readonly created_at: string;
  updated_at: string;
  status: "verified" | "unverified";
}
export interface FakeUser {
  readonly id: string;
  email: string;
  email_confirmed_at: string | undefined;
  banned_until: string | undefined;
  passwordHash: string;
  factors: FakeFactor[];
  recoveryToken: string | undefined;
  readonly created_at: string;
}
/** The person as it shows them; empty moments are left out. */
export function view({ passwordHash: _hash, recoveryToken: _token, factors, ...user }: FakeUser) {
  const shown = factors.map(({ secret: _secret, ...factor }) => ({ ...factor, phone: "", last_challenged_at: null }));
  return {
    ...{ ...user, aud: "authenticated", role: "authenticated", phone: "", identities: [], is_anonymous: false },
    ...{ app_metadata: { provider: "email", providers: ["email"] }, user_metadata: {}, updated_at: user.created_at },
    ...(shown.length > 0 && { factors: shown }),
  };
}

export function hashOf(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

export async function isPassword(hash: string, password: string): Promise<boolean> {
  return hash.startsWith("$argon2") ? verifyArgon2(hash, password) : hash === hashOf(password);
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
