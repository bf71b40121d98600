import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { curlExample } from "./webhook-words.ts";

describe("the call to copy", () => {
  it("is the one of the guide, with this webhook's address and this automation's inputs", () => {
    const guide = /```sh\n([\s\S]*?)```/.exec(readFileSync("docs/webhooks.md", "utf8"))?.[1];
    const example = curlExample("https://perch.example/hooks/hook_1", [{ name: "ORDER_ID" }]);
    expect(
      example
        .replace("'https://perch.example/hooks/hook_1'", '"$HOOK_URL"')
        .replace('{"ORDER_ID":"…"}', '{"ORDER_ID": "42"}'),
    ).toBe(guide);
  });
});
