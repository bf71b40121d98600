import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import type { RequestKind } from "../../../shared/privacy.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { requestInfo } from "../../http/pages/testing.ts";
import { createTestTeams, type TestTeams } from "../../teams/testing.ts";
import type { TestPerson } from "../../testing.ts";
import { signedReceipt } from "../receipts.ts";
import { REQUESTS_JOB } from "./request-upkeep.ts";

const DAY_MS = 24 * 60 * 60_000;
const WHY = "ticket 7";

describe.each(TEST_ENGINES)("requests about data, on $name", (engine) => {
  let test: TestDatabase;
  let world: TestTeams;
  let anna: TestPerson;
  let key = 0;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    // Each test has a clock of its own; mail of earlier ones would be from the future.
    await test.db.tx((tx) => tx.delete(test.db.t.mailOutbox));
    world = createTestTeams(test.db, { supportEmail: "help@perch.example" });
    anna = await world.person();
  });

  const parts = () => world.pages.asked;
  const make = async (kind: RequestKind, text?: string, person = anna) =>
    parts().requests.make(await world.actor(person), { kind, text, idempotencyKey: `the-key-${key++}` });
  const mailsTo = async (address: string) =>
    (await world.pages.mail.preview()).filter(({ recipient }) => recipient === address);
  const mailTo = async (address: string, subject: string) =>
    (await mailsTo(address)).find((mail) => mail.subject.includes(subject))?.text;
  const tokenIn = (text: string) => /token=([\w.%-]+)/.exec(text)?.[1] ?? "";
  const linkTo = async (address: string, number = "") =>
    tokenIn((await mailTo(address, `Confirm your request ${number}`)) ?? "");
  const about = (n = 0) => requestInfo({ ip: `198.51.100.${n}` });
  const write = async (kind: RequestKind, email: string, n = 0) =>
    parts().intake.receive({ kind, email, text: "please" }, about(n));
  const rowOf = async (number: string) => {
    const { dataRequests } = test.db.t;
    const [row] = await test.db.read.select().from(dataRequests).where(eq(dataRequests.number, number));
    if (row === undefined) throw new Error(`There is no ${number}.`);
    return row;
  };
  /** What the hourly job does. */
  const upkeep = async () => {
    const handler = parts().jobs[REQUESTS_JOB];
    await handler?.({}, {
      finish: (work: (tx: never) => Promise<void>) => test.db.tx((tx) => work(tx as never)),
    } as never);
  };
  const actionsAbout = async ({ userId }: TestPerson) => {
    const { auditLog } = test.db.t;
    const rows = await test.db.read.select().from(auditLog).where(eq(auditLog.object, userId));
    return rows.map(({ action, detail }) => [action, detail?.["reason"] ?? ""]);
  };
  const address = () => world.address(anna);

  describe("of who is signed in", () => {
    it("do at once what can be done at once, with a number and a receipt anybody can check", async () => {
      const access = await make("access");
      expect(access).toMatchObject({ state: "fulfilled", kind: "access", channel: "panel" });
      expect(access.number).toMatch(/^DR-2026-\d{4}$/);
      expect(access.closedAt).toBe(access.receivedAt);
      const receipt = signedReceipt.parse(access.receipt);
      expect(parts().receipts.verify(receipt)).toBe(true);
      expect(receipt.statement).toMatchObject({ number: access.number, state: "fulfilled", kind: "access" });
      expect(JSON.stringify(receipt)).not.toContain(anna.userId);
      expect(JSON.stringify(receipt)).not.toContain("x.example");
      expect(parts().receipts.verify({ ...receipt, statement: { ...receipt.statement, state: "denied" } })).toBe(false);

      expect(await make("restrict")).toMatchObject({ state: "fulfilled" });
      expect((await world.actor(anna)).standing).toBe("restricted");
      expect(await make("object")).toMatchObject({ state: "fulfilled" });
      expect(await parts().preferences.of(anna.userId)).toEqual({ restricted: true, metrics: false });
      const numbers = (await parts().requests.list(anna.userId)).map(({ number }) => Number(number.slice(8)));
      const [first = 0] = numbers.toReversed();
      expect(numbers).toEqual([first + 2, first + 1, first]);
      expect(await mailsTo(address())).toEqual([]);
    });

    it("leave a correction to the operator, who answers it, and say at once by when", async () => {
      await expect(make("rectify")).rejects.toThrow("Write what is wrong");
      await expect(make("rectify", "my card 4242 4242 4242 4242")).rejects.toThrow("card number");
      const asked = await make("rectify", "I never launched this phone.");
      expect(asked).toMatchObject({ state: "in_progress", dueAt: "2026-01-31T00:00:00.000Z" });
      expect(await mailTo(address(), `Your request ${asked.number} about your data`)).toContain("31 January 2026");
      await parts().desk.answer(asked.number, "It was somebody else; we corrected it.", WHY);
      const [view] = await parts().requests.list(anna.userId);
      expect(view).toMatchObject({ state: "fulfilled", answer: "It was somebody else; we corrected it." });
      expect(await mailTo(address(), "is answered")).toContain("It was somebody else; we corrected it.");
      await expect(parts().desk.answer(asked.number, "Again", WHY)).rejects.toThrow("answered already");
      expect(await actionsAbout(anna)).toContainEqual(["admin.request_answered", WHY]);
    });

    it("are made once for one key, and only once", async () => {
      const actor = await world.actor(anna);
      const input = { kind: "rectify", text: "x", idempotencyKey: "once-only" } as const;
      const [one, two] = await Promise.all([parts().requests.make(actor, input), parts().requests.make(actor, input)]);
      expect(two.number).toBe(one.number);
      expect(await mailsTo(address())).toHaveLength(1);
      await expect(parts().requests.make(actor, { ...input, text: "y" })).rejects.toMatchObject({
        code: "idempotency_mismatch",
      });
      const other = await world.actor(await world.person());
      expect((await parts().requests.make(other, input)).number).not.toBe(one.number);
    });

    it("can be taken back by who made them, and by nobody else", async () => {
      const asked = await make("rectify", "x");
      const stranger = await world.actor(await world.person());
      await expect(parts().requests.revoke(stranger, asked.id)).rejects.toMatchObject({ code: "not_found" });
      await parts().requests.revoke(await world.actor(anna), asked.id);
      expect(await rowOf(asked.number)).toMatchObject({ state: "revoked" });
      await expect(parts().requests.revoke(await world.actor(anna), asked.id)).rejects.toThrow("taken back already");
    });

    it("are taken up by the export or deletion that fulfils them", async () => {
      const asked = await make("export");
      expect(asked).toMatchObject({ state: "in_progress" });
      const { opened, fulfilled, revoked } = parts().requests;
      const about = { userId: anna.userId, kind: "export" } as const;
      const first = await test.db.tx((tx) => opened(tx, about));
      expect(first.number).toBe(asked.number);
      const receipt = await test.db.tx((tx) => fulfilled(tx, first.id, "The copy is ready."));
      expect(parts().receipts.verify(receipt)).toBe(true);
      const second = await test.db.tx((tx) => opened(tx, about));
      expect(second.number).not.toBe(first.number);
      expect(await rowOf(second.number)).toMatchObject({ state: "in_progress", channel: "panel" });
      await test.db.tx((tx) => revoked(tx, second.id));
      expect((await parts().requests.list(anna.userId)).map(({ state }) => state)).toEqual(["revoked", "fulfilled"]);
    });

    it("start a copy, and never a deletion: that takes more than being signed in", async () => {
      const started: string[] = [];
      const start =
        async (_tx: unknown, { id }: { id: string }) =>
        () =>
          void started.push(id);
      parts().requests.startWith({ delete: start, export: start });
      expect(await make("delete")).toMatchObject({ state: "in_progress" });
      const copy = await make("export");
      expect(started).toEqual([copy.id]);
    });

    it("are not taken back behind the back of a deletion at work on them", async () => {
      const asked = await make("delete");
      const at = new Date(world.pages.clock.now());
      const erasure = { id: newId("erasure"), userId: anna.userId, requestId: asked.id, askedAt: at, purgeAt: at };
      await test.db.tx((tx) => tx.insert(test.db.t.erasures).values({ ...erasure, state: "grace" }));
      await expect(parts().requests.revoke(await world.actor(anna), asked.id)).rejects.toThrow(
        "Take the deletion back",
      );
    });
  });

  describe("through the page of who is not signed in", () => {
    it("do nothing before the mailed link is used, then what was asked, once", async () => {
      const asked = await write("restrict", address());
      expect(asked).toMatchObject({ state: "in_progress", reason: "need_user_verification", channel: "web" });
      expect((await world.actor(anna)).standing).toBe("active");
      expect(await parts().requests.list(anna.userId)).toEqual([]);
      await expect(parts().desk.answer(asked.number, "Done", WHY)).rejects.toThrow("Nobody has confirmed yet");
      const token = await linkTo(address());
      expect((await parts().intake.find(token))?.number).toBe(asked.number);
      expect(await parts().intake.confirm(token, about())).toMatchObject({ state: "fulfilled" });
      expect((await world.actor(anna)).standing).toBe("restricted");
      expect(await parts().requests.list(anna.userId)).toMatchObject([{ number: asked.number, state: "fulfilled" }]);
      await expect(parts().intake.confirm(token, about())).rejects.toMatchObject({ code: "not_found" });
      expect(await actionsAbout(anna)).toContainEqual(["privacy.request_verified", ""]);
    });

    it("answer every address alike, and ask for its account only once it is confirmed", async () => {
      const stranger = `${newId("user").toLowerCase()}@nobody.example`;
      const [mine, theirs] = [await write("delete", address(), 1), await write("delete", stranger, 2)];
      const shape = ({ number, id, receipt, ...rest }: typeof mine) => rest;
      expect(shape(mine)).toEqual(shape(theirs));
      const letters = [await mailsTo(address()), await mailsTo(stranger)].map(([letter]) =>
        letter?.text.replace(/token=\S+/, "").replaceAll(/DR-\d+-\d+/g, ""),
      );
      expect(letters[0]).toBe(letters[1]);
      expect([await rowOf(mine.number), await rowOf(theirs.number)]).toMatchObject([
        { userId: null },
        { userId: null },
      ]);
      await parts().intake.confirm(await linkTo(address()), about(3));
      await parts().intake.confirm(await linkTo(stranger), about(4));
      // Deleting is started by what deletes; without it a person does. An address without an account: a person looks.
      expect(await rowOf(mine.number)).toMatchObject({ state: "in_progress", reason: null, userId: anna.userId });
      expect(await rowOf(theirs.number)).toMatchObject({ state: "in_progress", reason: null, userId: null });
    });

    it("start copies and deletions in the transaction that confirms them", async () => {
      const started: string[] = [];
      parts().requests.startWith({
        delete:
          async (_tx, { id, userId }) =>
          () =>
            started.push(`${id} ${userId}`),
        export: () => Promise.reject(new Error("Full.")),
      });
      const asked = await write("delete", address(), 1);
      await parts().intake.confirm(await linkTo(address()), about());
      expect(started).toEqual([`${asked.id} ${anna.userId}`]);
      const copy = await write("export", address(), 2);
      const token = await linkTo(address(), copy.number);
      await expect(parts().intake.confirm(token, about())).rejects.toThrow("Full.");
      expect(await rowOf(copy.number)).toMatchObject({ reason: "need_user_verification" });
    });

    it("that nobody confirmed neither block, nor replace, nor count as a duplicate of what is somebody's for sure", async () => {
      const address = world.address(anna);
      const fakes = [await write("export", address, 5), await write("delete", address, 6)];
      world.pages.clock.advance(DAY_MS);
      const asked = await make("export");
      expect(fakes.map(({ number }) => number)).not.toContain(asked.number);
      expect(asked).toMatchObject({ state: "in_progress" });
      fakes.push(await write("export", address, 7));
      const { opened } = parts().requests;
      const taken = await test.db.tx((tx) => opened(tx, { userId: anna.userId, kind: "export" }));
      expect(taken.number).toBe(asked.number);
      const deletion = await test.db.tx((tx) => opened(tx, { userId: anna.userId, kind: "delete" }));
      expect(fakes.map(({ number }) => number)).not.toContain(deletion.number);
      world.pages.clock.advance(14 * DAY_MS);
      await upkeep();
      expect(await rowOf(fakes[0]?.number ?? "")).toMatchObject({ state: "expired", email: null, text: null });
      expect(await rowOf(asked.number)).toMatchObject({ state: "in_progress", email: address });
      expect(await rowOf(deletion.number)).toMatchObject({ state: "in_progress" });
    });

    it("are limited, by network and by address", async () => {
      const nobody = `${newId("user").toLowerCase()}@nobody.example`;
      for (let n = 0; n < 3; n += 1) await write("access", nobody, 20 + n);
      await expect(write("access", nobody, 30)).rejects.toMatchObject({ code: "rate_limited" });
      for (let n = 0; n < 5; n += 1) await write("access", `${n}${nobody}`, 40);
      await expect(write("access", `z${nobody}`, 40)).rejects.toMatchObject({ code: "rate_limited" });
    });

    it("expire after 14 days, and their link with them", async () => {
      const asked = await write("restrict", address());
      const token = await linkTo(address());
      world.pages.clock.advance(14 * DAY_MS - 1);
      await upkeep();
      expect(await parts().intake.find(token)).toBeDefined();
      world.pages.clock.advance(1);
      // Whether the job came or not.
      await expect(parts().intake.confirm(token, about())).rejects.toMatchObject({ code: "not_found" });
      world.pages.clock.advance(1);
      await upkeep();
      const row = await rowOf(asked.number);
      expect(row).toMatchObject({ state: "expired", reason: null, email: null, text: null, verifyHash: null });
      expect(row.receipt?.statement).toMatchObject({ state: "expired" });
    });
  });

  describe("at the operator's desk", () => {
    const enter = (receivedAt: string, kind: RequestKind = "delete", email = address()) =>
      parts().desk.enter({ kind, channel: "post", email, receivedAt: new Date(receivedAt), text: "Dear all" }, WHY);

    it("keep their true arrival, never one to come, and ask their sender", async () => {
      await expect(enter("2026-01-02")).rejects.toThrow("in the future");
      const row = await enter("2025-12-20");
      expect(row.receivedAt.toISOString()).toBe("2025-12-20T00:00:00.000Z");
      expect(row.enteredAt.toISOString()).toBe("2026-01-01T00:00:00.000Z");
      expect(row.dueAt.toISOString()).toBe("2026-01-19T00:00:00.000Z");
      expect(row).toMatchObject({
        state: "in_progress",
        reason: "need_user_verification",
        userId: null,
        remindedDay: 7,
      });
      expect((await mailsTo(address()))[0]?.subject).toContain(`Confirm your request ${row.number}`);
      expect(await parts().desk.show(row.number.toLowerCase(), WHY)).toMatchObject({ text: "Dear all" });
      // Entered, then looked at: the person sees both, though the request is not theirs for sure yet.
      expect(await actionsAbout(anna)).toEqual([
        ["admin.request_entered", WHY],
        ["admin.requests_read", WHY],
      ]);
    });

    it("are confirmed by judgement, do what needs no person, and leave seeing to an answer", async () => {
      const restrict = await enter("2025-12-31", "restrict");
      expect(await parts().desk.confirm(restrict.number, WHY)).toMatchObject({
        atWork: false,
        row: { state: "fulfilled", userId: anna.userId },
      });
      expect((await world.actor(anna)).standing).toBe("restricted");
      expect(await mailTo(address(), "is answered")).toContain("Your data is only kept from now on");
      const access = await enter("2025-12-31", "access");
      expect((await parts().desk.confirm(access.number, WHY)).row).toMatchObject({
        state: "in_progress",
        reason: null,
      });
      await expect(parts().desk.confirm(access.number, WHY)).rejects.toThrow("being worked on");
      expect(await actionsAbout(anna)).toContainEqual(["admin.request_verified", WHY]);
    });

    it("are denied with a reason and where one may complain", async () => {
      const row = await enter("2025-12-31");
      const denied = await parts().desk.deny(row.number, "insufficient_verification", "The letter had no name.", WHY);
      expect(denied).toMatchObject({ state: "denied", reason: "insufficient_verification" });
      const mail = await mailTo(address(), "is answered");
      expect(mail).toContain("We could not make sure that this request is yours. The letter had no name.");
      expect(mail).toContain("complain to the data protection authority");
      expect(denied.receipt?.statement).toMatchObject({ state: "denied", reason: "insufficient_verification" });
      await expect(parts().desk.close("DR-1999-0001", WHY)).rejects.toMatchObject({ code: "not_found" });
    });

    it("remind on the days of the list, hour by hour, once each, and name nobody", async () => {
      for (const open of await parts().desk.queue(WHY)) await parts().desk.close(open.number, WHY);
      const asked = await make("rectify", "x");
      const other = await write("access", `q${address()}`, 9);
      const start = world.pages.clock.now();
      const seen = new Map<number, string>();
      for (let hour = 0; hour <= 32 * 24; hour += 4) {
        const known = (await mailsTo("help@perch.example")).length;
        await upkeep();
        const mails = await mailsTo("help@perch.example");
        if (mails.length > known) seen.set(hour / 24, mails[0]?.text ?? "");
        world.pages.clock.advance(4 * 60 * 60_000);
      }
      expect([...seen.keys()]).toEqual([7, 14, 21, 25, 28, 30, 31, 32]);
      for (const text of seen.values()) {
        expect(text).toContain(`${asked.number} (rectify)`);
        expect(text).not.toContain(other.number);
        expect(text).not.toContain("x.example");
      }
      expect(seen.get(28)).toContain("due 31 January 2026, 2 days left");
      expect(seen.get(31)).toContain("overdue since 31 January 2026");
      const [queued] = (await parts().desk.queue(WHY)).filter(({ number }) => number === asked.number);
      expect(queued).toMatchObject({ daysLeft: -3, remindedDay: 32 });
      expect(start + 30 * DAY_MS).toBe(new Date(asked.dueAt).getTime());
    });

    it("after forty days away are reminded of once, and forgotten in parts 30 days after the answer", async () => {
      const asked = await make("rectify", "x");
      const letter = await enter("2025-12-31", "access", `old${address()}`);
      await parts().desk.deny(letter.number, "no_match", undefined, WHY);
      world.pages.clock.advance(40 * DAY_MS);
      const before = (await mailsTo("help@perch.example")).length;
      await upkeep();
      await upkeep();
      expect((await mailsTo("help@perch.example")).length).toBe(before + 1);
      expect(await rowOf(letter.number)).toMatchObject({ state: "denied", email: null, text: null, answer: null });
      expect(await rowOf(asked.number)).toMatchObject({ email: address(), text: "x" });
    });
  });

  it("show a receipt to who has its link, and to nobody else", async () => {
    const { number, id } = await make("access");
    const { book } = parts();
    const token = book.receiptToken({ id });
    expect((await book.findByReceiptToken(token))?.number).toBe(number);
    const other = book.receiptToken({ id: newId("dataRequest") });
    for (const wrong of ["", id, `${id}.`, `${id}.${other.split(".")[1]}`, `${token}x`, other]) {
      expect(await book.findByReceiptToken(wrong)).toBeUndefined();
    }
  });
});
