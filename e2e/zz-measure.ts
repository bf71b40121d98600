import { createServer } from "node:http";
import { ApiClient } from "./harness/api.ts";
import { PerchServer } from "./harness/server.ts";

const nodes = Number(process.argv[2] ?? 1000);
let hit: (() => void) | undefined;
const site = createServer((req, res) => {
  if (req.url === "/hit") {
    hit?.();
    res.writeHead(204).end();
    return;
  }
  res.setHeader("content-type", "text/html");
  res.end(
    `<!doctype html><meta name=viewport content="width=device-width"><body style="margin:0;font-size:6px;line-height:7px"><button id=b style="width:100%;height:60px">0</button>${"<span style='display:inline-block;width:9px'>x</span>".repeat(nodes)}<script>let n=0;addEventListener('pointerdown',()=>{fetch('/hit',{method:'POST',keepalive:true});b.textContent=++n})</script>`,
  );
});
await new Promise<void>((r) => site.listen(0, "127.0.0.1", r));
const port = (site.address() as { port: number }).port;
const server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${port}` } });
const api = await ApiClient.create(server, "m@example.org");
const phone = await api.launch(`http://127.0.0.1:${port}/`);
const screen = await api.watch(phone.id);
await screen.firstFrame();
const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
async function taps(count: number) {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    await sleep(120 + Math.random() * 120);
    const arrived = new Promise<void>((r) => {
      hit = r;
    });
    const at = performance.now();
    screen.send({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.02, seq: screen.seq });
    await arrived;
    times.push(performance.now() - at);
    screen.send({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.02, seq: screen.seq });
  }
  times.sort((a, b) => a - b);
  return `p50 ${times[Math.floor(count / 2)]?.toFixed(1)} p95 ${times[Math.floor(count * 0.95)]?.toFixed(1)}`;
}
await taps(15);
for (let round = 0; round < 2; round += 1) {
  console.log(nodes, "plain    ", await taps(60));
  const { id } = await api.mutate<{ id: string }>("recordings.start", { phoneId: phone.id });
  console.log(nodes, "recording", await taps(60));
  const done = await api.mutate<{ steps: number }>("recordings.pause", { recordingId: id });
  console.log("steps", done.steps);
  await api.mutate("recordings.discard", { recordingId: id });
}
screen.close();
await server.stop();
site.close();
