/** What an operator can look at and change on their pages. Each is a service's; nothing is done here. */
import { z } from "zod";
import { email as emailSchema } from "../../../../shared/accounts.ts";
import { announcementId } from "../../../../shared/announcements.ts";
import { decisionId, idSchema, phoneId, teamId, userId } from "../../../../shared/ids.ts";
import { parse, reason } from "../../../admin/command.ts";
import { LIGHT_JOB } from "../../../billing/stripe/reconcile.ts";
import { nodeName } from "../../../nodes/nodes.service.ts";
import type { OperatorDesks } from "../../../operator/seat.ts";
import type { Html } from "../layout.ts";
import { announcementsContent } from "./announcements-part.ts";
import { SECTIONS, type Section } from "./parts.ts";
import {
  auditContent,
  billingContent,
  decisionsContent,
  findingsContent,
  logContent,
  machinesContent,
  peopleContent,
  personContent,
  settingsContent,
  workContent,
} from "./sections.ts";

export const LEADS: Readonly<Record<Section, string>> = {
  "": "",
  people: "One at a time, by their address, and with a reason they can read.",
  machines: "Where phones run, and how much room there is.",
  work: "What the server does by itself: jobs, mail, and what Stripe told.",
  announcements: "One line for everybody, in the panel and on these pages, until they close it.",
  billing: "Where the books do not fit.",
  log: "What operators did, and why.",
  settings: "As they were read at the start. Secrets say only whether they are set.",
};

const jobId = idSchema("job");
type Action = (desks: OperatorDesks, target: string, reason: string) => Promise<unknown>;

export const ACTIONS = {
  "node.drain": ({ nodes }, name, why) => nodes.drain(parse(nodeName, "target", name), why),
  "node.undrain": ({ nodes }, name, why) => nodes.undrain(parse(nodeName, "target", name), why),
  "host.drain": ({ hosts }, name, why) => hosts.drain(name, true, why),
  "host.undrain": ({ hosts }, name, why) => hosts.drain(name, false, why),
  "job.run": ({ console }, id, why) => console.runJob(parse(jobId, "target", id), why),
  "phone.stop": ({ console }, id, why) => console.stopPhone(parse(phoneId, "target", id), why),
  "person.sign_out": ({ console }, id, why) => console.signOut(parse(userId, "target", id), why),
  "person.suspend": ({ console }, id, why) => console.suspend({ userId: parse(userId, "target", id) }, why),
  "person.lift": ({ console }, id, why) => console.liftSuspension({ userId: parse(userId, "target", id) }, why),
  "team.suspend": ({ console }, id, why) => console.suspend({ teamId: parse(teamId, "target", id) }, why),
  "team.lift": ({ console }, id, why) => console.liftSuspension({ teamId: parse(teamId, "target", id) }, why),
  "decision.lift": ({ standing }, id, why) => standing.review(parse(decisionId, "target", id), "lifted", why),
  "decision.uphold": ({ standing }, id, why) => standing.review(parse(decisionId, "target", id), "upheld", why),
  "announcement.end": ({ announcements }, id, why) => announcements.end(parse(announcementId, "target", id), why),
  "finding.resolve": ({ billing }, id, why) => billing.resolve(id, why),
  "webhooks.replay": ({ billing }, _target, why) =>
    billing.leave({ kind: LIGHT_JOB, input: {}, dedupeKey: `asked:${LIGHT_JOB}` }, "admin.billing_reconciled", why),
} as const satisfies Readonly<Record<string, Action>>;

const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>) => Object.keys(record) as [K, ...K[]];

export const changes = z.strictObject({
  action: z.enum(keysOf(ACTIONS)),
  target: z.string().min(1).max(300),
  section: z.enum(keysOf(SECTIONS)),
  reason,
});

/** What names somebody, and on which page it is asked for. */
export const LOOKS = {
  person: "people",
  decisions: "people",
  log: "log",
  findings: "billing",
} as const satisfies Record<string, Section>;
export const looks = z.discriminatedUnion("look", [
  z.strictObject({ look: z.literal("person"), email: emailSchema, reason }),
  z.strictObject({ look: z.literal("decisions"), reason }),
  z.strictObject({ look: z.literal("log"), reason }),
  z.strictObject({ look: z.literal("findings"), reason }),
]);

export async function looked(
  { console, billing, standing }: OperatorDesks,
  wanted: z.output<typeof looks>,
): Promise<Html> {
  switch (wanted.look) {
    case "person":
      return personContent(await console.person(wanted.email, wanted.reason));
    case "decisions":
      return decisionsContent(await standing.listOpen(wanted.reason));
    case "log":
      return auditContent(await console.auditLog(wanted.reason));
    case "findings":
      return findingsContent(await billing.findings(wanted.reason));
  }
}

/** `change`: whether the visitor may do anything but look. */
export async function sectionContent(
  { console, bills, announcements }: OperatorDesks,
  section: Exclude<Section, "">,
  change: boolean,
  now: Date,
): Promise<Html> {
  switch (section) {
    case "people":
      return peopleContent({ change });
    case "machines":
      return machinesContent(await console.overview(), { change });
    case "work":
      return workContent(
        await console.jobs(),
        await console.inbox(),
        await console.overview(),
        await console.faults(),
        {
          ...{ change, bills },
        },
      );
    case "announcements":
      return announcementsContent(await announcements.all(), { change, now });
    case "billing":
      return billingContent({ change, bills });
    case "log":
      return logContent({ change });
    case "settings":
      return settingsContent(console.configuration());
  }
}
