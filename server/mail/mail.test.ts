import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import { SAMPLES } from "./mail.fixture.ts";
import { renderMail } from "./mail.render.ts";
import { MAIL_KINDS } from "./mail.tables.ts";
import { createSmtpTransport } from "./smtp.ts";

describe("mail templates", () => {
  it.each(MAIL_KINDS)("%s is whole, plain, and loads and tracks nothing", async (kind) => {
    const { subject, text, html } = await renderMail(kind, SAMPLES[kind]);
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text).not.toMatch(/undefined|\[object/);
    expect(html).not.toMatch(/<img|<script|<link|src=|url\(|@import/i);
    for (const link of html.matchAll(/href="([^"]*)"/g)) expect(link[1]).toMatch(/^https:\/\/perch\.example\//);
    expect(html).not.toContain("<b>");
  });
});

/** A mail server as far as a test needs one (RFC 5321): takes messages, or answers the recipient with `refuseWith`. */
async function startMailServer(): Promise<{
  port: number;
  messages: string[];
  refuseWith: (answer: string | undefined) => void;
  server: Server;
}> {
  const messages: string[] = [];
  let refusal: string | undefined;
  const server = createServer((socket) => {
    let inData = false;
    let body = "";
    let buffer = "";
    socket.write("220 test\r\n");
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      buffer += chunk.toString("utf8");
      for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        if (inData && line === ".") {
          inData = false;
          messages.push(body);
          body = "";
          socket.write("250 taken\r\n");
        } else if (inData) body += `${line}\n`;
        else if (line === "DATA") {
          inData = true;
          socket.write("354 go on\r\n");
        } else if (line.startsWith("RCPT") && refusal !== undefined) socket.write(`${refusal}\r\n`);
        else if (line === "QUIT") socket.end("221 bye\r\n");
        else socket.write("250 ok\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    messages,
    server,
    refuseWith: (answer) => {
      refusal = answer;
    },
  };
}

describe.each(TEST_ENGINES)("mail over SMTP on $name", (engine) => {
  let test: TestDatabase;
  let mailServer: Awaited<ReturnType<typeof startMailServer>>;
  let pages: TestPages;
  beforeAll(async () => {
    [test, mailServer] = await Promise.all([engine.open(), startMailServer()]);
    pages = startPages(test.db, { smtpUrl: `smtp://127.0.0.1:${mailServer.port}` });
    await pages.jobs.start(pages.services.jobs, []);
  });
  afterAll(async () => {
    await pages.jobs.stop();
    mailServer.server.close();
    await test.dispose();
  });
  const outbox = async (recipient: string) =>
    (await test.db.read.select().from(test.db.t.mailOutbox)).filter((mail) => mail.recipient === recipient);

  it("sends what was queued once, and forgets the links", async () => {
    await pages.accounts.signUp({ email: "Smtp@x.example", password: "blaue gurken tanzen" }, requestInfo());
    await expect.poll(() => mailServer.messages.length).toBe(1);
    const [message = ""] = mailServer.messages;
    expect(message).toMatch(/^To: Smtp@x\.example$/m);
    expect(message).toMatch(/^Subject: Confirm your Perch account$/m);
    expect(message).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(message.replaceAll("=\n", "")).toMatch(/\/confirm\?token=/);
    await expect.poll(async () => (await outbox("Smtp@x.example"))[0]).toMatchObject({ state: "sent", data: null });
  });

  it("gives up on a mail the server refuses for good, and only then", async () => {
    mailServer.refuseWith("550 no such mailbox");
    await pages.accounts.signUp({ email: "gone@x.example", password: "blaue gurken tanzen" }, requestInfo());
    await expect.poll(async () => (await outbox("gone@x.example"))[0]).toMatchObject({ state: "failed", data: null });
    mailServer.refuseWith("451 try later");
    await pages.accounts.signUp({ email: "later@x.example", password: "blaue gurken tanzen" }, requestInfo());
    const { jobs } = test.db.t;
    const retried = async () =>
      (await test.db.read.select().from(jobs)).some((job) => job.state === "ready" && job.attempt === 1);
    await expect.poll(retried).toBe(true);
    expect((await outbox("later@x.example"))[0]).toMatchObject({ state: "waiting" });
    mailServer.refuseWith(undefined);
    pages.clock.advance(10_000);
    pages.jobs.wake();
    await expect.poll(async () => (await outbox("later@x.example"))[0]?.state).toBe("sent");
  });
});

describe("SMTP transport", () => {
  it("never talks plain to another machine, and says what a URL looks like", async () => {
    expect(() => createSmtpTransport({ url: "http://x.example", from: "a@x.example" })).toThrow(
      /SMTP_URL must look like/,
    );
    const mailServer = await startMailServer();
    const secure = createSmtpTransport({ url: `smtps://127.0.0.1:${mailServer.port}`, from: "a@x.example" });
    await expect(secure.send({ id: "1", to: "b@x.example", subject: "s", text: "t", html: "h" })).rejects.toThrow();
    expect(mailServer.messages).toEqual([]);
    secure.close();
    mailServer.server.close();
  });
});
