/** Removing the extension ends its session, and the address that does it can do nothing else. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import type { Actor } from "../teams/team-scope.ts";

const PASSWORD = "blaue gurken tanzen";

describe.each(TEST_ENGINES)("removing the extension on $name", (engine) => {
  let test: TestDatabase;
  let server: TestPages;
  beforeAll(async () => {
    test = await engine.open();
    server = startPages(test.db);
    await server.accounts.create({ email: "u@x.example", password: PASSWORD }, "operator");
  });
  afterAll(() => test.dispose());

  const signedIn = async (): Promise<{ actor: Actor; token: string }> => {
    const { token } = await server.signedIn("u@x.example", PASSWORD);
    const actor = await server.sessions.find(token, requestInfo());
    if (actor === undefined || actor === "ended") throw new Error("no session");
    return { actor, token };
  };
  const sessionOf = ({ credential }: Actor) => {
    if (credential.kind !== "session") throw new Error("no session");
    return credential.id;
  };
  const pathOf = (actor: Actor) => {
    const { pathname, search } = new URL(server.uninstall.link(actor).url);
    return pathname + search;
  };

  it("ends that session and no other, once, and says where it was", async () => {
    const [gone, stays] = [await signedIn(), await signedIn()];
    const told: unknown[] = [];
    const forget = server.sessions.onEnded((id) => told.push(id));
    const path = pathOf(gone.actor);
    const page = await server.browser().get(path);
    expect(page.headers.get("cache-control")).toBe("no-store");
    const text = await page.text();
    expect(text).toContain("You are signed out in <strong>Chrome 156</strong> on <strong>Linux</strong>");
    expect(text).not.toContain(gone.actor.credential.id);
    expect(await server.sessions.find(gone.token, requestInfo())).toBe("ended");
    expect(await server.sessions.find(stays.token, requestInfo())).toMatchObject({ userId: stays.actor.userId });
    // Opening it again changes nothing: no second end, no second row in the log.
    await server.browser().get(path);
    expect(told).toEqual([gone.actor.credential.id]);
    const { auditLog } = test.db.t;
    const rows = await test.db.read.select().from(auditLog);
    const ended = rows.filter(({ object }) => object === gone.actor.credential.id);
    expect(ended.filter(({ action }) => action === "session.revoked")).toHaveLength(1);
    forget();
  });

  it("stays the same address under a renewed token, and holds no token of the session", async () => {
    const { actor, token } = await signedIn();
    const link = server.uninstall.link(actor).url;
    expect(link).not.toContain(token);
    await test.db.tx((tx) =>
      server.sessions.renew(
        tx,
        { userId: actor.userId, id: sessionOf(actor) },
        { authenticatedAt: new Date(server.clock.now()), method: "password" },
      ),
    );
    expect(server.uninstall.link(actor).url).toBe(link);
  });

  it("does nothing for a token that was changed, cut, or made up", async () => {
    const { actor, token } = await signedIn();
    const path = pathOf(actor);
    const other = pathOf((await signedIn()).actor);
    const swapped = `${path.split(".")[0]}.${other.split(".")[1]}`;
    for (const wrong of [path.slice(0, -1), `${path}A`, swapped, "/uninstalled?token=.", "/uninstalled?token=x.y"]) {
      expect(await (await server.browser().get(wrong)).text()).toContain("ends by itself within 14 days");
    }
    expect(await server.sessions.find(token, requestInfo())).toMatchObject({ userId: actor.userId });
  });

  it("is refused to an API token", async () => {
    const { actor } = await signedIn();
    const credential = { kind: "token", id: newId("apiToken") } as const;
    expect(() => server.uninstall.link({ ...actor, credential })).toThrow("belongs to no browser");
  });
});
