/** `android …`: devices of the operator's that can be phones. */
import { z } from "zod";
import { idSchema } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import { type DeviceAddress, parseDeviceAddress } from "../phones/drivers/adb/device-address.ts";
import { type Commands, type Options, oneLine, parse, reason } from "./command.ts";

const REASON = { reason: { type: "string", required: true } } as const;
const deviceId = idSchema("androidDevice");
const label = z.string().trim().min(1, "Write what people call it.").max(60, "Use at most 60 characters.").optional();
const region = z
  .string()
  .trim()
  .regex(/^[\w-]{1,20}$/, "Use up to 20 letters, digits and hyphens.")
  .optional();

export const ANDROID_COMMANDS: Commands = {
  "android setup": {
    options: {},
    async run({ android, process }) {
      for (const { ready, words } of await android.setup()) process.out(`${ready ? "ready  " : "missing"}\t${words}`);
    },
  },
  "android key": {
    options: {},
    async run({ android, process }) {
      process.out(await android.key());
    },
  },
  "android devices": {
    options: {},
    async run({ android, process }) {
      const { registered, seen } = await android.devices();
      for (const { row, health } of registered) {
        process.out([row.id, row.endpoint, row.label, row.region ?? "–", health].map(oneLine).join("\t"));
      }
      for (const { serial, state, model } of seen) {
        process.out(["not registered", `server:${serial}`, model ?? "–", "–", state].map(oneLine).join("\t"));
      }
      if (registered.length + seen.length === 0) process.out("There are no devices. See: android setup.");
    },
  },
  "android add": {
    options: {
      ...{ serial: { type: "string" }, address: { type: "string" }, label: { type: "string" } },
      ...{ region: { type: "string" }, ...REASON },
    },
    async run({ android, process }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const device = {
        address: addressOf(options),
        label: parse(label, "--label", options["label"]),
        region: parse(region, "--region", options["region"]),
      };
      process.error("Looking for the device. If it asks on its screen whether to allow USB debugging, allow it.");
      const { id, label: name, facts } = await android.add(device, why);
      process.out([id, name, `Android ${facts.release}`, `${facts.width} × ${facts.height}`].map(oneLine).join("\t"));
    },
  },
  "android forget": {
    options: { device: { type: "string", required: true }, ...REASON },
    async run({ android, process }, options) {
      const id = parse(deviceId, "--device", options["device"]);
      await android.forget(id, parse(reason, "--reason", options["reason"]));
      process.out("It is forgotten.");
    },
  },
};

function addressOf({ serial, address }: Options): DeviceAddress {
  if ((serial === undefined) === (address === undefined)) {
    throw new PerchError(
      "bad_input",
      "Give --serial as adb devices prints it, or --address of a device to call directly.",
    );
  }
  const parsed = parseDeviceAddress(serial === undefined ? `tcp:${address}` : `server:${serial}`);
  if (parsed !== undefined) return parsed;
  throw new PerchError(
    "bad_input",
    serial === undefined
      ? "--address: Write an address like 192.168.1.20:5555."
      : "--serial: Write it as adb devices prints it.",
  );
}
