/** A phone with a real browser that is parked on one node and goes on on another, through the bucket. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import { type TestDatabase, testSqlite } from "../../../db/testing.ts";
import { openBlobs } from "../../../files/compose.ts";
import { type FakeS3, startFakeS3 } from "../../../files/testing/fake-s3.ts";
import { silentLog } from "../../../log.ts";
import { createPhoneArchivesRepo } from "../../phone-archives.repo.ts";
import { type ArchiveKeeper, createProfileArchive, type ParkedPhones } from "../../profile-archive.ts";
import { FakeDriver } from "../../testing/fake-driver.ts";
import { composePhones, newTeam } from "../../testing/harness.ts";
import { type Bench, Hand, openBench, type Site, serveSite, until } from "./web.fixture.ts";

describe("a phone of another node", () => {
  let test: TestDatabase;
  let fake: FakeS3;
  let site: Site;
  let nodes: { readonly bench: Bench; readonly archive: () => ArchiveKeeper }[];
  beforeAll(async () => {
    test = await testSqlite.open();
    const clock = new ManualClock();
    fake = await startFakeS3(clock);
    site = await serveSite({
      "/": "<script>report(document.cookie || 'nobody'); document.cookie = 'signed=in; max-age=9999'; report('set')</script>",
    });
    const key = randomBytes(32);
    const config = parseConfig({
      ...{ S3_ENDPOINT: fake.access.endpoint, S3_REGION: fake.access.region, S3_BUCKET: fake.access.bucket },
      ...{ S3_ACCESS_KEY_ID: fake.access.accessKeyId, S3_SECRET_ACCESS_KEY: fake.access.secretAccessKey },
    });
    const open = async () => {
      let archive: ArchiveKeeper | undefined;
      const make = (parked: ParkedPhones) => {
        const { phones: shelf } = openBlobs({ config, clock });
        if (shelf === undefined) throw new Error("There is no bucket.");
        const repo = createPhoneArchivesRepo(test.db);
        archive = createProfileArchive({ ...{ db: test.db, repo, shelf, parked, key, clock }, log: silentLog });
        return archive;
      };
      const bench = await openBench({ key, spares: 0, archive: make });
      return {
        bench,
        archive() {
          if (archive === undefined) throw new Error("There is no archive.");
          return archive;
        },
      };
    };
    nodes = [await open(), await open()];
  });
  afterAll(async () => {
    for (const { bench } of nodes) await bench.close();
    await site.close();
    await fake.close();
    await test.dispose();
  });

  it("is signed in as it was, and is gone from both and from the bucket when it is removed", async () => {
    const [a, b] = nodes;
    if (a === undefined || b === undefined) throw new Error("There are no nodes.");
    const at = composePhones(test, new ManualClock(), new FakeDriver());
    const { id } = await at.phones.launch(await newTeam(at), { idempotencyKey: "the-phone" });
    const spec = { ...new Hand(a.bench.driver).spec, id };
    await a.bench.driver.create(spec);
    await a.bench.driver.start(spec, `${site.base}/`);
    await until("the cookie", () => (site.reports.includes("set") ? true : undefined));
    await a.bench.driver.park(id);
    await a.archive().archive(id);
    expect(fake.objects.size).toBe(1);

    expect(await b.bench.driver.state(id)).toBe("parked");
    await b.bench.driver.start(spec);
    await until("the page again", () => (site.reports.includes("signed=in") ? true : undefined));
    expect(site.reports.slice(0, 3)).toEqual(["nobody", "set", "signed=in"]);
    expect(await b.archive().has(id)).toBe(false);

    await b.bench.driver.park(id);
    await b.archive().archive(id);
    expect(await a.bench.driver.remove(id)).toMatchObject({ verifiedAbsent: true });
    expect(fake.objects.size).toBe(0);
    expect(await a.bench.driver.state(id)).toBe("absent");
  });
});
