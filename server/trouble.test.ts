import { describe, expect, it } from "vitest";
import { PerchError } from "./errors.ts";
import { isAway, troubleInWords, troubleOf } from "./trouble.ts";

const coded = (code: string, message = "", cause?: unknown) => Object.assign(new Error(message, { cause }), { code });
const query = (cause: unknown) => new Error("Failed query: insert into users\nparams: Anna", { cause });
const words = (said: unknown) => (said instanceof PerchError ? said.message : "");

describe("trouble of the database and its disk", () => {
  it.each([
    ["SQLite's full disk", coded("SQLITE_FULL"), /disk is full. Nothing was saved/],
    ["a full disk below a file", coded("ENOSPC"), /disk is full/],
    ["PostgreSQL's full disk", query(coded("53100")), /disk is full/],
    ["SQLite's disk that only reads", coded("SQLITE_READONLY_DBMOVED"), /takes no changes/],
    ["a disk that only reads", coded("EROFS"), /cannot write to its disk/],
    ["a failing disk", query(coded("SQLITE_IOERR_WRITE")), /cannot read or write its disk/],
    ["a PostgreSQL that shuts down", query(coded("57P01")), /does not answer at present/],
    ["a refused connection", query(coded("ECONNREFUSED")), /does not answer at present/],
    ["a connection that was cut", query(new Error("Connection terminated unexpectedly")), /does not answer at present/],
    ["several refused addresses", query(new AggregateError([coded("ECONNREFUSED")])), /does not answer at present/],
  ])("%s is told in words, and shows nothing of the query", (_what, error, expected) => {
    const said = troubleInWords(error);
    expect(said).toMatchObject({ code: "unavailable", message: expect.stringMatching(expected), cause: error });
    expect(words(said)).not.toContain("Anna");
  });

  it("lets through what a query failed with that is words already", () => {
    const said = new PerchError("account_closing", "This account is being deleted.");
    expect(troubleInWords(query(said))).toBe(said);
  });

  it.each([
    ["a fault of ours", new TypeError("x is not a function")],
    ["a broken rule of the database", query(coded("23505"))],
    ["another service that is away", coded("ECONNREFUSED")],
    ["what is words already", new PerchError("unavailable", "Stripe is away.", { cause: coded("ENOSPC") })],
    ["no error at all", "full"],
  ])("%s stays as it is", (_what, error) => expect(troubleInWords(error)).toBe(error));

  it("is a connection's own where nothing else can have thrown it", () => {
    expect(words(troubleOf(coded("ECONNREFUSED")))).toContain("does not answer");
    expect(isAway(new PerchError("unavailable", "PostgreSQL does not answer.", { cause: coded("57P03") }))).toBe(true);
    expect(isAway(new PerchError("unavailable", "Wrong password.", { cause: coded("28P01") }))).toBe(false);
  });
});
