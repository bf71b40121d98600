import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { selfSigned } from "../automations/script/certificate.fixture.ts";
import { openPostgres } from "./postgres-open.ts";
import { postgresConfig } from "./postgres-url.ts";
import { MIGRATIONS } from "./testing.ts";

/** Answers as a PostgreSQL server does when asked for TLS, and speaks no newer TLS than `maxVersion`. */
async function standIn(maxVersion: "TLSv1.2" | "TLSv1.3" | undefined) {
  const said: string[] = [];
  const { key, cert } = selfSigned("db.example");
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(maxVersion === undefined ? "N" : "S");
      if (maxVersion === undefined) return;
      const secure = new TLSSocket(socket, { isServer: true, key, cert, maxVersion, minVersion: "TLSv1.2" });
      secure.on("error", () => {});
      secure.on("data", (chunk: Buffer) => said.push(chunk.toString("latin1")));
    });
  });
  // Any address but 127.0.0.1 is another machine to us.
  server.listen(0, "127.0.0.2");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { said, url: `postgres://anna:hunter22@127.0.0.2:${port}/perch`, close: () => server.close() };
}

describe("PostgreSQL on another machine", () => {
  it.each(["TLSv1.2", undefined] as const)(
    "is refused with a sentence when it speaks %s, and hears nothing",
    async (version) => {
      const server = await standIn(version);
      const opening = openPostgres({ url: server.url, migrationsFolder: MIGRATIONS });
      await expect(opening).rejects.toThrow("does not speak TLS 1.3");
      expect(server.said.join("")).toBe("");
      server.close();
    },
  );

  it("hears nothing either without a certificate that somebody vouches for", async () => {
    const server = await standIn("TLSv1.3");
    await expect(openPostgres({ url: server.url, migrationsFolder: MIGRATIONS })).rejects.toThrow(
      "refuses the connection",
    );
    expect(server.said.join("")).toBe("");
    server.close();
  });

  it("is not asked for less by its address", () => {
    for (const mode of ["disable", "prefer", "no-verify", "nonsense"]) {
      expect(() => postgresConfig(`postgres://u:p@db.example/x?sslmode=${mode}`)).toThrow("less than TLS 1.3");
    }
    expect(postgresConfig("postgres://u:p@db.example/x?sslmode=require")).toMatchObject({
      connectionString: "postgres://u:p@db.example/x",
      ssl: { minVersion: "TLSv1.3", rejectUnauthorized: true, servername: "db.example" },
    });
    expect(() => postgresConfig("postgres://u@db.example/x?sslrootcert=/nowhere.pem")).toThrow("cannot be read");
    expect(postgresConfig("postgres://u@localhost/x?sslmode=disable")).not.toHaveProperty("ssl");
  });
});
