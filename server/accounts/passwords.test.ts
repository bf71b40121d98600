import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { passwordProblem } from "./password-rules.ts";
import { ARGON2, createPasswords, createSemaphore, isWeaker } from "./passwords.ts";

const about = { email: "marianne.weber@example.org", fullName: "Marianne Weber" };

describe("password rules", () => {
  it.each([
    ["short", "kurz und gut"],
    ["elf zeichen", ""],
  ])("accepts or refuses by length: %s", (text) => {
    expect(passwordProblem(text, about)).toMatch(/at least 12/);
  });

  it("counts characters as people do and has an upper end", () => {
    expect(passwordProblem("é".repeat(11), about)).toMatch(/at least 12/);
    expect(passwordProblem("x7🐦k".repeat(60), about)).toMatch(/repeats/);
    expect(passwordProblem(`${"wie ".repeat(64)}.`, about)).toMatch(/at most 256/);
  });

  it.each([
    "passwordpassword",
    "Password1234",
    "P@ssw0rd1234!!",
    "correct horse battery staple",
    "CorrectHorseBatteryStaple1",
    "iloveyouforever",
    "letmein-letmein",
    "qwerty123456",
    "admin admin admin",
    "thisismypassword",
    "MerryChristmas2025!",
    "adminpassword1",
    // Of the list of leaks: whole, with digits around, with signs inside, two of it, one twice.
    "leavemealone",
    "Christopher1!",
    "p030710p$e4o",
    "Michael Jackson",
    "gfhjkmgfhjkm",
  ])("refuses the common password %s", (text) => {
    expect(passwordProblem(text, about)).toMatch(/tried first/);
  });

  it.each(["aaaaaaaaaaaa", "abcabcabcabc", "121212121212", "xyxyxyxyxyxyx"])("refuses the repeated %s", (text) => {
    expect(passwordProblem(text, about)).toMatch(/repeats|tried first/);
  });

  it.each(["123456789012", "qwertyuiopas", "zyxwvutsrqponm", "1qaz2wsx3edc4", "0987654321098", "asdfghjklqwertyu"])(
    "refuses the walk %s",
    (text) => {
      expect(passwordProblem(text, about)).toMatch(/keyboard|tried first|repeats/);
    },
  );

  it.each(["marianne.weber@example.org", "MarianneWeber12", "weber-marianne!", "perchmarianne1", "mariannePerch2"])(
    "refuses the person's own words in %s",
    (text) => {
      expect(passwordProblem(text, about)).toMatch(/mostly your e-mail/);
    },
  );

  it("refuses the names of the person's teams", () => {
    const inTeam = { ...about, teams: ["Nordlicht-Werkstatt"] };
    expect(passwordProblem("Werkstatt!Nordlicht9", inTeam)).toMatch(/your team's/);
    expect(passwordProblem("Werkstatt!Nordlicht9", about)).toBeUndefined();
  });

  it.each([
    "blaue gurken tanzen",
    "k9#Vt2!pLq7z",
    "über den Wolken 7",
    "marianne liebt kühle Seen",
    "日本語のパスワードは長くて良い",
  ])("accepts %s", (text) => {
    expect(passwordProblem(text, about)).toBeUndefined();
  });

  it("never throws and is deterministic", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.emailAddress(), (text, email) => {
        expect(passwordProblem(text, { email })).toBe(passwordProblem(text, { email }));
      }),
    );
  });
});

describe("password hashing", () => {
  const passwords = createPasswords();

  it("stores argon2id at the floor the policy promises and tells right from wrong", async () => {
    const phc = await passwords.hash("blaue gurken tanzen");
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.verify(phc, "blaue gurken tanzen")).toBe("right");
    expect(await passwords.verify(phc, "blaue gurken tanzeN")).toBe("wrong");
  });

  it("knows one password however its accents were typed", async () => {
    const phc = await passwords.hash("cafe\u0301 unter B\u00e4umen");
    expect(await passwords.verify(phc, "caf\u00e9 unter Ba\u0308umen")).toBe("right");
  });

  it("asks for a new hash when the parameters rose", async () => {
    const old = await createPasswords({ memoryCost: 8 * 1024, timeCost: 1, parallelism: 1 }).hash("blaue gurken");
    expect(await passwords.verify(old, "blaue gurken")).toBe("rehash");
    expect(isWeaker(old, ARGON2)).toBe(true);
    expect(isWeaker("$2b$12$abcdefghijklmnopqrstuv", ARGON2)).toBe(true);
  });

  it("never agrees for nobody", async () => {
    expect(await passwords.verifyNothing("blaue gurken")).toBe("wrong");
  });

  it("runs at most as many at once as allowed, and frees the place of one that fails", async () => {
    const limited = createSemaphore(2, 3);
    let now = 0;
    let most = 0;
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const work = gates.map((gate, index) =>
      limited(async () => {
        most = Math.max(most, ++now);
        await gate.promise;
        now -= 1;
        if (index === 0) throw new Error("one fails");
      }),
    );
    const settled = Promise.allSettled(work);
    for (const gate of gates) gate.resolve();
    const results = await settled;
    expect(most).toBe(2);
    expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(4);
  });

  it("ABUSE-01 refuses at once, with a time to come back, when too many wait", async () => {
    const limited = createSemaphore(1, 2);
    const gate = Promise.withResolvers<void>();
    const admitted = [1, 2, 3].map(() => limited(() => gate.promise));
    await expect(limited(async () => "never")).rejects.toMatchObject({ code: "unavailable", retryAfterMs: 5_000 });
    gate.resolve();
    await Promise.all(admitted);
    expect(await limited(async () => "again")).toBe("again");
  });
});
