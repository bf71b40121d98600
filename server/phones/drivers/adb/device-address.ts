/** How a registered device is reached, as it stands in its row: `server:<serial>` or `tcp:<host>:<port>`. */
import { parseAuthority } from "../../../egress/host.ts";
import { type Address, addressText } from "./connect/dial-device.ts";

export type DeviceAddress =
  | { readonly by: "server"; readonly serial: string }
  | { readonly by: "tcp"; readonly to: Address };

/** ADB's own port, where a device is called without one. */
const ADB_PORT = 5555;

/** A serial as `adb devices` prints it: it stands in a request to the server, behind a colon. */
export function serialText(text: string): string | undefined {
  return /^[\w.:[\]-]{1,100}$/.test(text) ? text : undefined;
}

export function parseDeviceAddress(text: string): DeviceAddress | undefined {
  const [, by, rest = ""] = /^(server|tcp):(.*)$/s.exec(text) ?? [];
  if (by === "server") {
    const serial = serialText(rest);
    return serial === undefined ? undefined : { by, serial };
  }
  const target = by === "tcp" ? parseAuthority(rest, ADB_PORT) : undefined;
  return target === undefined || target.port === 0
    ? undefined
    : { by: "tcp", to: { host: target.host, port: target.port } };
}

export function deviceAddressText(address: DeviceAddress): string {
  return address.by === "server" ? `server:${address.serial}` : `tcp:${addressText(address.to)}`;
}
