import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admitAsk } from "./asks.ts";
import { admit } from "./protocol.ts";
import { classifySender } from "./sender.ts";

const own = { id: "perch-id", origin: "chrome-extension://perch-id" };
const sender = (over: Partial<Parameters<typeof classifySender>[0]>) =>
  classifySender(
    { extensionId: own.id, url: undefined, origin: undefined, tabId: undefined, frameId: undefined, ...over },
    own,
  );

describe("classifySender", () => {
  it("knows our own pages and worker", () => {
    expect(sender({})).toBe("extension_page");
    expect(sender({ url: "chrome-extension://perch-id/popup.html", origin: own.origin })).toBe("extension_page");
    expect(sender({ url: "chrome-extension://perch-id/welcome.html", tabId: 3, frameId: 0 })).toBe("extension_page");
  });
  it("takes a script in a web page for what it is, whatever its address says", () => {
    expect(sender({ url: "https://shop.example/", origin: "https://shop.example", tabId: 3 })).toBe("content_script");
    expect(sender({ url: "chrome-extension://perch-id/popup.html", origin: "https://shop.example" })).toBe(
      "content_script",
    );
    expect(sender({ url: "https://shop.example/#chrome-extension://perch-id/" })).toBe("content_script");
    expect(sender({ tabId: 3 })).toBe("unknown");
  });
  it("refuses other extensions and strangers", () => {
    expect(sender({ extensionId: "other-id" })).toBe("other_extension");
    expect(sender({ extensionId: undefined })).toBe("unknown");
  });
});

describe("admit", () => {
  const message = { perch: 1, type: "phones_changed", running: 2 };
  it("lets our pages send declared messages", () => {
    expect(admit(message, "extension_page")).toEqual(message);
  });
  it("lets nobody else send anything", () => {
    for (const kind of ["content_script", "other_extension", "unknown"] as const) {
      expect(admit(message, kind)).toBeUndefined();
    }
  });
  it.each([[{ ...message, perch: 2 }], [{ ...message, extra: true }], [{ perch: 1, type: "eval" }], [null], ["x"]])(
    "drops %j",
    (raw) => {
      expect(admit(raw, "extension_page")).toBeUndefined();
    },
  );
});

describe("any message of any sender", () => {
  const asks = ["page_ready", "rules_changed", "rules_fit", "offer_run", "offer_dismiss"];
  const tells = ["phones_changed", "close_panel"];
  /** Near misses of what is declared: right types with wrong company, and things of no shape at all. */
  const raw = fc.oneof(
    fc.record(
      {
        perch: fc.oneof(fc.constant(1), fc.anything()),
        type: fc.oneof(fc.constantFrom(...asks, ...tells, "fetch", "eval", "token"), fc.anything()),
        tabId: fc.oneof(fc.integer(), fc.anything()),
        running: fc.oneof(fc.integer(), fc.anything()),
        windowId: fc.anything(),
        offerId: fc.oneof(fc.string(), fc.anything()),
        yes: fc.oneof(fc.constantFrom("once", "site"), fc.anything()),
        url: fc.webUrl(),
        token: fc.string(),
      },
      { requiredKeys: [] },
    ),
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
  );

  it("ABUSE-16 from a script in a page is at most that a page is there, and from strangers nothing", () => {
    fc.assert(
      fc.property(raw, fc.constantFrom("content_script", "other_extension", "unknown"), (message, kind) => {
        expect(admit(message, kind)).toBeUndefined();
        const asked = admitAsk(message, kind);
        if (asked === undefined) return;
        expect(kind).toBe("content_script");
        expect(asked).toEqual({ perch: 1, type: "page_ready" });
      }),
      { numRuns: 2_000 },
    );
  });

  it("ABUSE-16 is taken from our own pages only as it is declared, with nothing beside it", () => {
    const fields: Readonly<Record<string, readonly string[]>> = {
      phones_changed: ["running"],
      close_panel: ["windowId"],
      rules_changed: [],
      rules_fit: ["tabId"],
      offer_run: ["offerId", "phoneId", "yes"],
      offer_dismiss: ["offerId"],
    };
    fc.assert(
      fc.property(raw, (message) => {
        for (const taken of [admit(message, "extension_page"), admitAsk(message, "extension_page")]) {
          if (taken === undefined) continue;
          const { perch, type, ...rest } = taken;
          expect(perch).toBe(1);
          for (const name of Object.keys(rest)) expect(fields[type]).toContain(name);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("ABUSE-16 is of our own pages only when the browser says so of address and origin", () => {
    const place = fc.option(
      fc.oneof(fc.webUrl(), fc.constantFrom(own.origin, `${own.origin}/popup.html`, "null", "", "about:blank")),
      { nil: undefined },
    );
    const id = fc.constantFrom(own.id, "other", undefined);
    const number = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(place, place, id, number, (url, origin, extensionId, tabId) => {
        if (sender({ url, origin, extensionId, tabId }) !== "extension_page") return;
        expect(extensionId).toBe(own.id);
        for (const claimed of [url, origin])
          expect(claimed ?? own.origin).toMatch(/^chrome-extension:\/\/perch-id(\/|$)/);
      }),
      { numRuns: 2_000 },
    );
  });
});
