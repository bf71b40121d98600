import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readExposition } from "./exposition.fixture.ts";
import { createCounter, createHistogram, exposition, type Family } from "./exposition.ts";
import { createMeters, endpointClass } from "./meters.ts";

describe("the text of metrics", () => {
  it("is what Prometheus documents", () => {
    const requests = createHistogram({ name: "perch_seconds", help: "Time." }, [0.1, 1]);
    requests.observe(0.1, { class: "call" });
    requests.observe(0.5, { class: "call" });
    requests.observe(7, { class: "call" });
    const retries = createCounter({ name: "perch_retries_total", help: "Tries.\nA \\ line." });
    retries.add();
    retries.add({ why: 'a "b" \\ \n' }, 2);
    const nothing: Family = { name: "perch_none", help: "", type: "gauge", samples: [] };
    expect(exposition([requests.family(), retries.family(), nothing])).toBe(
      [
        "# HELP perch_seconds Time.",
        "# TYPE perch_seconds histogram",
        'perch_seconds_bucket{class="call",le="0.1"} 1',
        'perch_seconds_bucket{class="call",le="1"} 2',
        'perch_seconds_bucket{class="call",le="+Inf"} 3',
        'perch_seconds_sum{class="call"} 7.6',
        'perch_seconds_count{class="call"} 3',
        "# HELP perch_retries_total Tries.\\nA \\\\ line.",
        "# TYPE perch_retries_total counter",
        "perch_retries_total 1",
        'perch_retries_total{why="a \\"b\\" \\\\ \\n"} 2',
        "",
      ].join("\n"),
    );
  });

  it("reads back as what was counted, whatever labels and values are", () => {
    const label = fc.string({ unit: "binary" });
    // No count is minus zero.
    const value = fc.oneof(fc.double(), fc.constant(Number.POSITIVE_INFINITY), fc.integer()).map((one) => one + 0);
    fc.assert(
      fc.property(fc.uniqueArray(fc.record({ label, value }), { selector: (one) => one.label }), (given) => {
        const samples = given.map((one) => ({ labels: { a: one.label }, value: one.value }));
        const text = exposition([{ name: "perch_any", help: "Any.", type: "gauge", samples }]);
        const read = readExposition(text);
        expect(read.map(({ labels, value }) => ({ labels, value }))).toEqual(samples);
      }),
    );
  });

  it("has buckets that never fall and end at the count", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true })), (values) => {
        const histogram = createHistogram({ name: "perch_h", help: "H." }, [0.5, 1, 10, 50]);
        for (const one of values) histogram.observe(one);
        const buckets = readExposition(exposition([histogram.family()])).filter(
          ({ name }) => name === "perch_h_bucket",
        );
        expect(buckets.map(({ value }) => value)).toEqual([...buckets.map(({ value }) => value)].sort((a, b) => a - b));
        const below = (bound: number) => values.filter((one) => one <= bound).length;
        const counts = [0.5, 1, 10, 50, Number.POSITIVE_INFINITY].map(below);
        expect(buckets.map(({ value }) => value)).toEqual(values.length === 0 ? [] : counts);
      }),
    );
  });
});

describe("kinds of endpoints", () => {
  it.each([
    ["/trpc/phones.list", null, "call"],
    ["/trpc/runs.events", "text/event-stream", "stream"],
    ["/files/phones/ph_x/a.txt", "application/octet-stream", "file"],
    ["/webhooks/stripe", "application/json", "hook"],
    ["/hooks/x", null, "hook"],
    ["/readyz", null, "health"],
    ["/sign-in", "text/html", "page"],
    ["/nothing/like/this", null, "page"],
  ])("%s is %3$s", (path, type, kind) => expect(endpointClass(path, type)).toBe(kind));
});

describe("what the process counts", () => {
  it("starts at zero where a rate is taken of it, and takes each kind", () => {
    const meters = createMeters();
    const value = (name: string, labels: Record<string, string> = {}) =>
      readExposition(exposition(meters.families())).find(
        (one) => one.name === name && JSON.stringify(one.labels) === JSON.stringify(labels),
      )?.value;
    expect(value("perch_database_retries_total")).toBe(0);
    expect(value("perch_webhooks_received_total", { source: "stripe", result: "refused" })).toBe(0);
    meters.transaction("ok", 3, 0.2);
    meters.transaction("failed", 0, 0.2);
    meters.hook("stripe", false);
    meters.answered("call", 503, 0.01);
    expect(value("perch_database_retries_total")).toBe(2);
    expect(value("perch_webhooks_received_total", { source: "stripe", result: "refused" })).toBe(1);
    expect(value("perch_http_request_duration_seconds_count", { class: "call", status: "5xx" })).toBe(1);
  });
});
