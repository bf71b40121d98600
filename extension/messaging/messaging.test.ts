import { describe, expect, it } from "vitest";
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
