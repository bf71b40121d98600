/** Holds `docs/security/asvs.md` complete, and to the tests, code and documents it names. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hasTest } from "./test-titles.ts";

/** Levels of ASVS 5.0.0, section by section: the third digit of `1.2` is the level of requirement 1.2.3. */
const LEVELS: Readonly<Record<string, string>> = {
  "1.1": "22",
  "1.2": "1111122223",
  "1.3": "112222222223",
  "1.4": "222",
  "1.5": "123",
  "2.1": "122",
  "2.2": "112",
  "2.3": "12223",
  "2.4": "23",
  "3.1": "3",
  "3.2": "113",
  "3.3": "12223",
  "3.4": "11222233",
  "3.5": "11122333",
  "3.6": "3",
  "3.7": "22333",
  "4.1": "12233",
  "4.2": "23333",
  "4.3": "22",
  "4.4": "1222",
  "5.1": "2",
  "5.2": "112333",
  "5.3": "113",
  "5.4": "222",
  "6.1": "122",
  "6.2": "111111112222",
  "6.3": "11223333",
  "6.4": "112233",
  "6.5": "22222333",
  "6.6": "2223",
  "6.7": "33",
  "6.8": "2222",
  "7.1": "222",
  "7.2": "1111",
  "7.3": "22",
  "7.4": "11222",
  "7.5": "223",
  "7.6": "22",
  "8.1": "1233",
  "8.2": "1123",
  "8.3": "133",
  "8.4": "23",
  "9.1": "111",
  "9.2": "1222",
  "10.1": "22",
  "10.2": "223",
  "10.3": "22223",
  "10.4": "1111122222233333",
  "10.5": "22222",
  "10.6": "22",
  "10.7": "222",
  "11.1": "2233",
  "11.2": "22233",
  "11.3": "11233",
  "11.4": "1222",
  "11.5": "23",
  "11.6": "23",
  "11.7": "33",
  "12.1": "12233",
  "12.2": "11",
  "12.3": "22223",
  "13.1": "2333",
  "13.2": "222223",
  "13.3": "2233",
  "13.4": "1222233",
  "14.1": "22",
  "14.2": "12223333",
  "14.3": "122",
  "15.1": "12233",
  "15.2": "12233",
  "15.3": "1222222",
  "15.4": "3333",
  "16.1": "2",
  "16.2": "22222",
  "16.3": "2222",
  "16.4": "222",
  "16.5": "2223",
  "17.1": "23",
  "17.2": "22223333",
  "17.3": "22",
};
const REQUIRED = new Map(
  Object.entries(LEVELS).flatMap(([section, levels]) =>
    [...levels].flatMap((level, index) => (level === "3" ? [] : [[`${section}.${index + 1}`, level] as const])),
  ),
);

const STATES = ["kept", "does not apply", "not kept yet"] as const;
const ROW = /^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| (kept|does not apply|not kept yet) \| ([^|]+) \|$/;
const FILE = /`([\w.-]+(?:\/[\w.-]+)*\.(?:ts|tsx|md|json))`/g;
const TEST = /`([^`]+)` “([^”]+)”/g;

const text = readFileSync("docs/security/asvs.md", "utf8");
const rows = text.split("\n").flatMap((line) => {
  const [, id, level, asks, state, by] = ROW.exec(line) ?? [];
  return id === undefined || level === undefined || state === undefined || by === undefined
    ? []
    : [{ id, level, asks, state, by }];
});

describe("the ASVS ledger", () => {
  it("holds all 253 requirements of levels 1 and 2, once each", () => {
    expect(REQUIRED.size).toBe(253);
    expect(text.split("\n").filter((line) => /^\| \d/.test(line))).toHaveLength(253);
    expect(rows.map(({ id, level }) => `${id} ${level}`)).toEqual([...REQUIRED].map((one) => one.join(" ")));
  });
  it("names tests, files and documents that exist, and at least one for what is kept", () => {
    const wrong = rows.flatMap(({ id, state, by }) => {
      const files = [...by.matchAll(FILE)].map(([, file = ""]) => file);
      const missing = files.filter((file) => !existsSync(file));
      const tests = [...by.matchAll(TEST)];
      return [
        ...missing.map((file) => `${id}: there is no ${file}`),
        ...(state === "kept" && files.length === 0 ? [`${id}: nothing keeps it`] : []),
        ...(tests.length === by.split("“").length - 1 ? [] : [`${id}: a title without its file`]),
        ...tests
          .filter(([, file = "", title = ""]) => existsSync(file) && !hasTest(file, title))
          .map(([, file, title]) => `${id}: no test “${title}” in ${file}`),
      ];
    });
    expect(wrong).toEqual([]);
  });
  it("counts what it holds", () => {
    const counts = new Map<string, number[]>();
    for (const { id, state } of rows) {
      for (const key of [id.split(".")[0] ?? "", "all"]) {
        const [total = 0, ...states] = counts.get(key) ?? [0, 0, 0, 0];
        counts.set(key, [total + 1, ...STATES.map((one, index) => (states[index] ?? 0) + (one === state ? 1 : 0))]);
      }
    }
    const shown = [...text.matchAll(/^\| (?:V(\d+) [^|]+|\*\*(all)\*\*) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$/gm)];
    const read = shown.map(([, chapter, all, ...numbers]) => [chapter ?? all, numbers.map(Number)]);
    expect(read).toEqual([...counts].sort(([a], [b]) => Number(a === "all") - Number(b === "all")));
  });
});
