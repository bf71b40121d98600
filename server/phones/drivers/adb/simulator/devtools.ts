/**
 * The DevTools socket of an app on the phone: a way to those of a real Chromium on this machine, which says what one on an
 * Android says besides (`devtools_http_handler.cc`: `Android-Package`; `aw_devtools_manager_delegate.cc`: descriptions).
 */
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { pipeline } from "node:stream";
import { json } from "node:stream/consumers";
import type { LocalSockets } from "./local-sockets.ts";
import { duplexOf } from "./stream-duplex.ts";

export interface DevtoolsOf {
  readonly port: number;
  /** Whose it is. */
  readonly package: string;
  /** Of every page, as WebViews have one. */
  readonly description?: string;
  /** What is asked is told here. */
  readonly asked?: (url: string) => void;
}

export function serveDevtools(sockets: LocalSockets, name: string, browser: DevtoolsOf): () => void {
  const { port, description = "" } = browser;
  const onward = (url: string) =>
    new Promise<unknown>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: url }, (answer) => json(answer).then(resolve, reject))
        .on("error", reject)
        .end();
    });
  const http = createServer((asked, answer) => {
    const url = asked.url ?? "";
    browser.asked?.(url);
    onward(url).then(
      (said) => {
        const more = Array.isArray(said)
          ? said.map((target: object) => ({ ...target, description }))
          : { ...Object(said), "Android-Package": browser.package };
        answer.writeHead(200, { "content-type": "application/json; charset=UTF-8" });
        answer.end(JSON.stringify(more));
      },
      () => answer.writeHead(500).end(),
    );
  });
  http.on("upgrade", (asked, socket, head) => {
    browser.asked?.(asked.url ?? "");
    const chromium = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
      const headers = Object.entries(asked.headers).map(([header, value]) => `${header}: ${String(value)}\r\n`);
      chromium.write(`GET ${asked.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      chromium.write(head);
    });
    pipeline(socket, chromium, () => undefined);
    pipeline(chromium, socket, () => undefined);
  });
  return sockets.listen(name, (stream) => http.emit("connection", duplexOf(stream)));
}
