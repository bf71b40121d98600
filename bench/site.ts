/** Pages for phones to show: one that moves and carries the time in its pixels, one that answers a touch, one at rest. */
import { createServer } from "node:http";
import { CODE_BITS } from "./time-code.ts";

export interface Site {
  readonly port: number;
  /** Repaints the whole screen in every animation frame; its top strip says when. */
  readonly moving: string;
  /** Turns from red to blue and back at every touch. */
  readonly touch: string;
  /** Green, and nothing moves. */
  readonly still: string;
  close(): Promise<void>;
}

const HEAD = `<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<style>html,body{margin:0;height:100%;overflow:hidden}</style>`;

const PAGES: Readonly<Record<string, string>> = {
  "/moving": `${HEAD}<title>Moving</title><style>
    #code{position:fixed;inset:0 0 auto;height:16px;display:flex;z-index:1}#code i{flex:1;background:#fff}
    article{margin:8px;padding:12px;border-radius:12px;background:#fff;font:14px/1.4 sans-serif}
    body{background:linear-gradient(#dfe8ff,#ffe8df)}#feed{position:absolute;inset:16px 0 auto}</style>
    <div id=code></div><div id=feed></div><script>
    const cells = [...Array(${CODE_BITS})].map(() => document.getElementById("code").appendChild(document.createElement("i")));
    const feed = document.getElementById("feed");
    for (let i = 0; i < 40; i += 1) {
      const card = feed.appendChild(document.createElement("article"));
      card.style.background = "hsl(" + i * 37 + " 70% 88%)";
      card.textContent = "Post " + i + ": the quick brown fox jumps over the lazy dog, again and again, all day long.";
    }
    const paint = () => {
      const now = Date.now();
      feed.style.transform = "translateY(" + -((now / 4) % 2000) + "px)";
      let parity = 0;
      for (let bit = 0; bit < ${CODE_BITS - 1}; bit += 1) {
        const on = Math.floor(now / 2 ** bit) % 2;
        parity ^= on;
        cells[bit].style.background = on ? "#000" : "#fff";
      }
      cells[${CODE_BITS - 1}].style.background = parity ? "#fff" : "#000";
      requestAnimationFrame(paint);
    };
    paint();</script>`,
  "/touch": `${HEAD}<title>Touch</title><body style="background:#f00"><script>
    let red = true;
    addEventListener("touchstart", (event) => {
      event.preventDefault();
      red = !red;
      document.body.style.background = red ? "#f00" : "#00f";
    }, { passive: false });</script>`,
  "/still": `${HEAD}<title>Still</title><body style="background:#0c0"><p style="font:16px sans-serif">Nothing moves here.`,
};

export async function startSite(): Promise<Site> {
  const server = createServer((request, response) => {
    const page = PAGES[request.url ?? ""];
    if (page === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    port: address.port,
    moving: `${origin}/moving`,
    touch: `${origin}/touch`,
    still: `${origin}/still`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
