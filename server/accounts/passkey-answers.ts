/** What browsers send of passkeys (`PublicKeyCredential.toJSON`, WebAuthn Level 3 §5.1), checked for its shape. */
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { z } from "zod";

const base64Url = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[A-Za-z0-9_-]+$/);
/** Longest credential id: 1023 bytes (WebAuthn Level 3 §4). */
const common = {
  id: base64Url(1364),
  rawId: base64Url(1364),
  type: z.literal("public-key"),
  clientExtensionResults: z.object({}).default({}),
};
const transport = z.enum(["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"]);

const registration = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64Url(8_192),
    attestationObject: base64Url(65_536),
    transports: z.array(z.string().max(30)).max(10).default([]),
  }),
});
const authentication = z.object({
  ...common,
  response: z.object({
    clientDataJSON: base64Url(8_192),
    authenticatorData: base64Url(8_192),
    signature: base64Url(8_192),
    userHandle: base64Url(128),
  }),
});

/** `undefined` for anything that is not an answer of a browser. Transports nobody knows yet are left out. */
export function registrationAnswer(text: string): RegistrationResponseJSON | undefined {
  const parsed = registration.safeParse(json(text));
  if (!parsed.success) return undefined;
  const { response, ...rest } = parsed.data;
  const transports = response.transports.flatMap((name) => transport.safeParse(name).data ?? []);
  return { ...rest, response: { ...response, transports } };
}

export function authenticationAnswer(text: string): AuthenticationResponseJSON | undefined {
  return authentication.safeParse(json(text)).data;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
