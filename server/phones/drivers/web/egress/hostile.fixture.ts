/** A page that tries everything a page can to reach a service beside the server, and the service it must never reach. */
import { createSocket } from "node:dgram";
import type { ServerResponse } from "node:http";
import { type Cleanup, startSite, startTcp } from "../../../../egress/internet.fixture.ts";

export interface Victim {
  readonly tcpPort: number;
  readonly udpPort: number;
  /** What arrived, by first line; a connection that said nothing counts as "". */
  readonly hits: string[];
  datagrams(): number;
}

/** A TCP service that welcomes everybody, and a UDP listener, both on loopback. */
export async function startVictim(cleanup: Cleanup): Promise<Victim> {
  const hits: string[] = [];
  const tcpPort = await startTcp(cleanup, (socket) => {
    const index = hits.push("") - 1;
    socket.once("data", (part) => {
      hits[index] = part.toString("latin1").split("\r\n")[0] ?? "";
      socket.end("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 6\r\n\r\nsecret");
    });
  });
  let datagrams = 0;
  const udp = createSocket("udp4", () => {
    datagrams += 1;
  });
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  cleanup.add(() => udp.close());
  return { tcpPort, udpPort: udp.address().port, hits, datagrams: () => datagrams };
}

export interface HostilePage {
  readonly port: number;
  /** Names of the attempts the page made, once it has made them all. */
  readonly done: Promise<readonly string[]>;
}

/** Serves the page on loopback. `hosts` are tried by every means on the victim's TCP port. */
export async function startHostilePage(
  cleanup: Cleanup,
  victim: Victim,
  hosts: readonly string[],
): Promise<HostilePage> {
  let finish: (attempts: readonly string[]) => void = () => {};
  const done = new Promise<readonly string[]>((resolve) => {
    finish = resolve;
  });
  const { port } = await startSite(cleanup, (incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://page.invalid");
    const to = url.searchParams.get("to") ?? "";
    if (url.pathname === "/redirect") return void outgoing.writeHead(302, { location: to }).end();
    if (url.pathname === "/refresh") {
      return html(outgoing, `<meta http-equiv=refresh content="0;url=${to}">`);
    }
    if (url.pathname === "/worker.js")
      return script(
        outgoing,
        `try { importScripts(${JSON.stringify(to)}) } catch {}
      fetch(${JSON.stringify(to)}, { mode: "no-cors" }).catch(() => {}).finally(() => postMessage("tried"))`,
      );
    if (url.pathname === "/service-worker.js") {
      return script(
        outgoing,
        `self.addEventListener("install", (event) => event.waitUntil(Promise.allSettled(
        ${JSON.stringify(hosts)}.map((host) => fetch("http://" + host + ":${victim.tcpPort}/service-worker", { mode: "no-cors" })))))`,
      );
    }
    if (url.pathname === "/done") {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.on("end", () => finish(Buffer.concat(parts).toString().split(",")));
      return void outgoing.end();
    }
    html(outgoing, pageSource(victim, hosts));
  });
  return { port, done };
}

function html(outgoing: ServerResponse, body: string): void {
  outgoing.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html>${body}`);
}

function script(outgoing: ServerResponse, body: string): void {
  outgoing.writeHead(200, { "content-type": "text/javascript" }).end(body);
}

function pageSource({ tcpPort, udpPort }: Victim, hosts: readonly string[]): string {
  return `<title>hostile</title><body><script>
const hosts = ${JSON.stringify(hosts)};
const tried = new Set();
const waits = [];
const settled = (name, promise) => {
  tried.add(name);
  waits.push(Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 4000))]).catch(() => {}));
};
const loaded = (element) => new Promise((resolve) => { element.onload = element.onerror = resolve; });
const add = (name, tag, properties) => {
  const element = document.createElement(tag);
  const wait = loaded(element);
  for (const [key, value] of Object.entries(properties)) element[key] = value;
  document.body.append(element);
  settled(name, wait);
  return element;
};
const attempt = (name, run) => { try { run(name) } catch { tried.add(name) } };
for (const host of hosts) {
  const at = host + ":${tcpPort}";
  const http = (path) => "http://" + at + "/" + path;
  attempt("fetch", (name) => settled(name, fetch(http(name), { mode: "no-cors" })));
  attempt("fetch-cors", (name) => settled(name, fetch(http(name))));
  attempt("fetch-https", (name) => settled(name, fetch("https://" + at + "/" + name, { mode: "no-cors" })));
  attempt("post", (name) => settled(name, fetch(http(name), { method: "POST", mode: "no-cors", body: "x" })));
  attempt("keepalive", (name) => settled(name, fetch(http(name), { keepalive: true, mode: "no-cors" })));
  attempt("xhr", (name) => settled(name, new Promise((resolve) => {
    const asked = new XMLHttpRequest(); asked.onloadend = resolve; asked.open("GET", http(name)); asked.send();
  })));
  attempt("beacon", (name) => { tried.add(name); navigator.sendBeacon(http(name), "x") });
  attempt("image", (name) => add(name, "img", { src: http(name) }));
  attempt("script", (name) => add(name, "script", { src: http(name) }));
  attempt("frame", (name) => add(name, "iframe", { src: http(name) }));
  attempt("object", (name) => add(name, "object", { data: http(name) }));
  attempt("video", (name) => { tried.add(name); add(name, "video", { src: http(name), preload: "auto" }) });
  attempt("style", (name) => add(name, "link", { rel: "stylesheet", href: http(name) }));
  for (const rel of ["prefetch", "preload", "preconnect", "dns-prefetch", "modulepreload", "icon", "manifest"]) {
    attempt(rel, (name) => { tried.add(name); document.head.append(Object.assign(document.createElement("link"), { rel, href: http(name), as: "image" })) });
  }
  attempt("speculation", (name) => {
    tried.add(name);
    const rules = document.createElement("script");
    rules.type = "speculationrules";
    rules.textContent = JSON.stringify({ prefetch: [{ urls: [http(name)] }], prerender: [{ urls: [http(name)] }] });
    document.head.append(rules);
  });
  attempt("css-url", (name) => { const box = add(name, "div", {}); box.style.background = "url(" + http(name) + ")"; box.textContent = "x" });
  attempt("font", (name) => settled(name, new FontFace("f", "url(" + http(name) + ")").load()));
  attempt("websocket", (name) => settled(name, new Promise((resolve) => { new WebSocket("ws://" + at + "/" + name).onclose = resolve })));
  attempt("websocket-tls", (name) => settled(name, new Promise((resolve) => { new WebSocket("wss://" + at + "/" + name).onclose = resolve })));
  attempt("event-source", (name) => settled(name, new Promise((resolve) => { const source = new EventSource(http(name)); source.onerror = () => { source.close(); resolve() } })));
  attempt("web-transport", (name) => settled(name, new WebTransport("https://" + at + "/" + name).ready));
  attempt("web-transport-udp", (name) => settled(name, new WebTransport("https://" + host + ":${udpPort}/" + name).ready));
  attempt("redirect", (name) => settled(name, fetch("/redirect?to=" + encodeURIComponent(http(name)), { mode: "no-cors" })));
  attempt("redirect-frame", (name) => add(name, "iframe", { src: "/redirect?to=" + encodeURIComponent(http(name)) }));
  attempt("refresh", (name) => add(name, "iframe", { src: "/refresh?to=" + encodeURIComponent(http(name)) }));
  attempt("form", (name) => {
    const frame = add(name, "iframe", { name: "form " + at });
    const form = document.createElement("form");
    Object.assign(form, { action: http(name), method: "post", target: frame.name });
    document.body.append(form);
    form.submit();
  });
  attempt("ping", (name) => { tried.add(name); const link = Object.assign(document.createElement("a"), { href: "#", ping: http(name) }); document.body.append(link); link.click() });
  attempt("popup", (name) => { tried.add(name); open(http(name)) });
  attempt("worker", (name) => settled(name, new Promise((resolve) => { new Worker("/worker.js?to=" + encodeURIComponent(http(name))).onmessage = resolve })));
}
attempt("service-worker", (name) => settled(name, navigator.serviceWorker.register("/service-worker.js").then((registration) =>
  new Promise((resolve) => { const worker = registration.installing; worker.onstatechange = () => worker.state === "activated" && resolve() }))));
attempt("stun", (name) => settled(name, ice([{ urls: "stun:127.0.0.1:${udpPort}" }])));
attempt("turn-udp", (name) => settled(name, ice([{ urls: "turn:127.0.0.1:${udpPort}", username: "a", credential: "b" }])));
attempt("turn-tcp", (name) => settled(name, ice([{ urls: "turn:127.0.0.1:${tcpPort}?transport=tcp", username: "a", credential: "b" }])));
attempt("ice-peer", (name) => settled(name, (async () => {
  const [one, two] = [new RTCPeerConnection(), new RTCPeerConnection()];
  one.createDataChannel("x");
  await one.setLocalDescription();
  await two.setRemoteDescription(one.localDescription);
  await two.setLocalDescription();
  await one.setRemoteDescription(two.localDescription);
  await one.addIceCandidate({ sdpMid: "0", candidate: "candidate:1 1 udp 2122260223 127.0.0.1 ${udpPort} typ host" });
  await one.addIceCandidate({ sdpMid: "0", candidate: "candidate:2 1 tcp 1518280447 127.0.0.1 ${tcpPort} typ host tcptype passive" });
  await new Promise((resolve) => setTimeout(resolve, 1500));
})()));
async function ice(iceServers) {
  const peer = new RTCPeerConnection({ iceServers });
  peer.createDataChannel("x");
  await peer.setLocalDescription();
  await new Promise((resolve) => { peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && resolve() });
}
Promise.all(waits).then(() => fetch("/done", { method: "POST", body: [...tried].join() }));
</script>`;
}
