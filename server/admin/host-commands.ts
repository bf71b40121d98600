/** `hosts …`: machines that run phones in containers. */
import { resolve } from "node:path";
import { z } from "zod";
import { PerchError } from "../errors.ts";
import { firewallRules } from "../phones/drivers/adb/containers/egress-guard.ts";
import type { PhoneHostRow } from "../phones/drivers/adb/containers/phone-hosts.repo.ts";
import { hostCapacity, hostName, hostRegion } from "../phones/drivers/adb/containers/phone-hosts.service.ts";
import { preflight } from "../phones/drivers/adb/containers/preflight.ts";
import { type Commands, oneLine, parse, reason, type Work } from "./command.ts";

const NAME = { name: { type: "string", required: true } } as const;
const REASON = { reason: { type: "string", required: true } } as const;
const address = z.string().trim().min(1).max(200);

async function check({ containers, process }: Work, row: PhoneHostRow): Promise<boolean> {
  const engine = await containers.open(row);
  try {
    const findings = await preflight({
      ...{ engine, images: await containers.images(), capacity: row.capacity, instance: containers.instance },
      ...{ servers: containers.servers(), serverPort: process.config().PORT },
    });
    for (const { what, ok, words } of findings) {
      process.out([row.name, ok ? "ok" : "to do", what, oneLine(words)].join("\t"));
    }
    return findings.every(({ ok }) => ok);
  } finally {
    engine.close();
  }
}

export const HOST_COMMANDS: Commands = {
  "hosts add": {
    options: {
      ...{ ...NAME, ...REASON, address: { type: "string", required: true } },
      ...{ certs: { type: "string" }, region: { type: "string" }, phones: { type: "string", required: true } },
    },
    async run(work, options) {
      const { containers, process } = work;
      const { certs } = options;
      const host = {
        name: parse(hostName, "--name", options["name"]),
        address: parse(address, "--address", options["address"]),
        certFolder: typeof certs === "string" ? resolve(certs) : undefined,
        region: parse(hostRegion.default(process.config().REGION), "--region", options["region"]),
        capacity: parse(hostCapacity, "--phones", options["phones"]),
      };
      const row = await containers.hosts.add(host, parse(reason, "--reason", options["reason"]));
      process.out(`${row.id}\t${row.name}`);
      process.out("The running server takes it up within seconds. What it still lacks:");
      await check(work, row);
    },
  },
  "hosts list": {
    options: {},
    async run({ containers, process }) {
      for (const { name, address: at, region, capacity, taken, draining } of await containers.hosts.list()) {
        process.out([name, at, region, `${taken} of ${capacity} phones`, draining ? "draining" : "open"].join("\t"));
      }
    },
  },
  "hosts check": {
    options: { name: { type: "string" } },
    async run(work, options) {
      const { hosts } = work.containers;
      const rows =
        options["name"] === undefined
          ? await hosts.list()
          : [await hosts.get(parse(hostName, "--name", options["name"]))];
      if (rows.length === 0)
        throw new PerchError("not_found", "No host is registered. Add one: npm run admin -- hosts add");
      let fine = true;
      for (const row of rows) fine = (await check(work, row)) && fine;
      if (!fine) throw new PerchError("conflict", "Not every host can run phones yet.");
    },
  },
  "hosts pull": {
    options: { ...NAME, ...REASON, image: { type: "string", required: true } },
    async run({ containers, process, db, audit }, options) {
      const row = await containers.hosts.get(parse(hostName, "--name", options["name"]));
      const why = parse(reason, "--reason", options["reason"]);
      const images = await containers.images();
      const image = images.find(({ id }) => id === options["image"]);
      if (image === undefined) {
        const known = images.map(({ id }) => id).join(", ");
        throw new PerchError("not_found", `--image: the catalogue of ANDROID_IMAGES has ${known || "no images"}.`);
      }
      const engine = await containers.open(row);
      try {
        await engine.pull(image.image, (line) => process.out(oneLine(line)));
      } finally {
        engine.close();
      }
      const detail = { name: row.name, image: image.image, reason: why };
      const entry = {
        chain: "server",
        actor: "operator",
        action: "admin.phone_host_changed",
        object: row.id,
        detail,
      } as const;
      await db.tx((tx) => audit.record(tx, entry));
    },
  },
  "hosts drain": {
    options: { ...NAME, ...REASON },
    run: ({ containers }, options) =>
      containers.hosts.drain(
        parse(hostName, "--name", options["name"]),
        true,
        parse(reason, "--reason", options["reason"]),
      ),
  },
  "hosts undrain": {
    options: { ...NAME, ...REASON },
    run: ({ containers }, options) =>
      containers.hosts.drain(
        parse(hostName, "--name", options["name"]),
        false,
        parse(reason, "--reason", options["reason"]),
      ),
  },
  "hosts remove": {
    options: { ...NAME, ...REASON, destroyed: { type: "boolean" } },
    async run({ containers, process }, options) {
      const name = parse(hostName, "--name", options["name"]);
      const why = parse(reason, "--reason", options["reason"]);
      const lost = await containers.hosts.remove(name, why, options["destroyed"] === true);
      if (lost > 0) process.out(`${lost} phones lost what was on them; they begin anew when they are started.`);
    },
  },
  "hosts firewall": {
    options: {},
    async run({ containers, process }) {
      process.out(firewallRules(containers.servers()).trimEnd());
    },
  },
};
