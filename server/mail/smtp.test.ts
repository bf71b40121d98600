import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, it } from "vitest";
import { selfSigned } from "../automations/script/certificate.fixture.ts";
import { createSmtpTransport } from "./smtp.ts";

/** Speaks SMTP and no TLS, and takes whatever it is given. Any address but 127.0.0.1 is another machine to us. */
async function plainServer(address: string) {
  const said: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("220 plain\r\n");
    socket.on("data", (chunk) => {
      said.push(chunk.toString());
      socket.write(chunk.toString().startsWith("STARTTLS") ? "454 no TLS now\r\n" : "250 ok\r\n");
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { said, url: `smtp://anna:hunter22@${address}:${port}`, close: () => server.close() };
}

describe("mail to a server without TLS", () => {
  it("does not leave, nor does the password, when it is another machine", async () => {
    const server = await plainServer("127.0.0.2");
    const transport = createSmtpTransport({ url: server.url, from: "a@x.example" });
    const mail = { id: "1", to: "b@x.example", subject: "Subject", text: "letter", html: "<p>letter</p>" };
    await expect(transport.send(mail)).rejects.toThrow();
    expect(server.said.join("")).not.toMatch(/AUTH|MAIL|letter/);
    transport.close();
    server.close();
  });
});

describe("mail to a server that speaks nothing newer than TLS 1.2", () => {
  it("does not leave, and the operator reads why", async () => {
    const said: string[] = [];
    const server = createTlsServer({ ...selfSigned("mail.example"), maxVersion: "TLSv1.2" }, (socket) =>
      socket.on("data", (chunk: Buffer) => said.push(chunk.toString())),
    );
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.2");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const transport = createSmtpTransport({ url: `smtps://anna:hunter22@127.0.0.2:${port}`, from: "a@x.example" });
    const mail = { id: "1", to: "b@x.example", subject: "Subject", text: "letter", html: "<p>letter</p>" };
    await expect(transport.send(mail)).rejects.toThrow("does not speak TLS 1.3");
    expect(said).toEqual([]);
    transport.close();
    server.close();
  });
});
