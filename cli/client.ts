/** Calls to the server: tRPC over plain fetch, and a run's events as they happen. */
import type { RunDetail, RunEvent, RunSummary } from "../shared/automation-model.ts";
import type { Phone } from "../shared/phone-model.ts";

/** What the server, or the way to it, refused; `message` is a sentence. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface PerchClient {
  phones(): Promise<readonly Phone[]>;
  launchPhone(name: string): Promise<Phone>;
  removePhone(id: string): Promise<void>;
  startRun(input: {
    readonly source: string;
    readonly files: readonly { readonly path: string; readonly base64: string }[];
    readonly phoneId: string;
    readonly inputs: Readonly<Record<string, string>>;
  }): Promise<string>;
  run(id: string): Promise<RunDetail>;
  cancelRun(id: string): Promise<RunSummary>;
  /** Every event of a run from its first to its last; a broken line is taken up again where it broke. */
  events(id: string, signal: AbortSignal): AsyncGenerator<RunEvent, void, undefined>;
  /** A report or an artifact. */
  file(run: string, path: string): Promise<Buffer>;
}

const CALL_MS = 60_000;
/** The server says something every 15 s. */
const SILENCE_MS = 40_000;
const MOST_BREAKS = 20;
const BREAK_MS = 500;

export function perchClient(server: string, token: string): PerchClient {
  const headers = { authorization: `Bearer ${token}` };

  async function reach(url: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(url, { ...init, headers: { ...headers, ...init.headers } });
    } catch (error) {
      if (init.signal?.aborted === true && init.signal.reason !== SILENT) throw init.signal.reason;
      const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : "";
      throw new Refusal(
        "unreachable",
        `${server} does not answer${cause}. Is the server running, and is --server right?`,
      );
    }
  }

  async function answered<T>(response: Response): Promise<T> {
    const body = (await response.json().catch(() => undefined)) as
      | { result?: { data: T }; error?: { message: string; data?: { perch?: { code?: string } } } }
      | undefined;
    if (body?.result !== undefined) return body.result.data;
    const code = body?.error?.data?.perch?.code ?? String(response.status);
    if (response.status === 401) {
      throw new Refusal(code, "The server does not know this token. Make one with: npm run admin -- token create");
    }
    const words = body?.error?.message ?? `${server} answered with status ${response.status} and no reason.`;
    throw new Refusal(code, words);
  }

  const call = async <T>(path: string, input: unknown): Promise<T> =>
    answered(
      await reach(`${server}/trpc/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(CALL_MS),
      }),
    );
  const ask = async <T>(path: string, input?: unknown): Promise<T> =>
    answered(await reach(`${server}/trpc/${path}${inputQuery(input)}`, { signal: AbortSignal.timeout(CALL_MS) }));

  /** One line of events, until it ends or breaks. */
  async function* line(id: string, after: number, signal: AbortSignal) {
    const silent = new AbortController();
    const both = AbortSignal.any([signal, silent.signal]);
    let timer: NodeJS.Timeout | undefined;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silent.abort(SILENT), SILENCE_MS);
    };
    try {
      heard();
      const response = await reach(
        `${server}/trpc/runs.events${inputQuery({ runId: id, lastEventId: String(after) })}`,
        {
          headers: { accept: "text/event-stream" },
          signal: both,
        },
      );
      if (!response.ok || response.body === null) return void (await answered(response));
      let text = "";
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        heard();
        text += chunk.replaceAll("\r\n", "\n");
        for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
          const message = readMessage(text.slice(0, end));
          text = text.slice(end + 2);
          if (message.event === "serialized-error") throw new Refusal("stream", "The stream of events broke.");
          if (message.event === "" && message.data !== "") {
            yield { seq: Number(message.id), event: JSON.parse(message.data) as RunEvent };
          }
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    phones: () => ask("phones.list"),
    launchPhone: (name) => call("phones.launch", { name, driver: "web", idempotencyKey: crypto.randomUUID() }),
    removePhone: async (phoneId) =>
      void (await call("phones.remove", { phoneId, idempotencyKey: crypto.randomUUID() })),
    async startRun({ files, ...input }) {
      const key = crypto.randomUUID();
      const whole = { ...input, ...(files.length > 0 && { files }), idempotencyKey: key };
      return (await call<{ runId: string }>("runs.start", whole)).runId;
    },
    run: (runId) => ask("runs.get", { runId }),
    cancelRun: (runId) => call("runs.cancel", { runId }),
    async *events(id, signal) {
      let after = 0;
      for (let breaks = 0; ; ) {
        try {
          for await (const { seq, event } of line(id, after, signal)) {
            breaks = 0;
            after = seq;
            yield event;
            if (event.type === "run" && ENDED.has(event.state)) return;
          }
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof Refusal && !["unreachable", "stream"].includes(error.code)) throw error;
        }
        breaks += 1;
        if (breaks > MOST_BREAKS) throw new Refusal("unreachable", `${server} was lost while the run went on.`);
        await new Promise((resolve) => setTimeout(resolve, BREAK_MS));
        signal.throwIfAborted();
      }
    },
    async file(run, path) {
      const response = await reach(`${server}/runs/${run}/${path}`, { signal: AbortSignal.timeout(CALL_MS) });
      if (!response.ok) throw new Refusal(String(response.status), `The server does not give ${path} of the run.`);
      return Buffer.from(await response.arrayBuffer());
    },
  };
}

const SILENT = new Error("The server has said nothing for a while.");
const ENDED: ReadonlySet<string> = new Set(["passed", "warned", "failed", "cancelled", "timed_out", "interrupted"]);

function inputQuery(input: unknown): string {
  return input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
}

/** One message of server-sent events (HTML §9.2.6). */
function readMessage(block: string): { event: string; data: string; id: string } {
  const message = { event: "", data: "", id: "" };
  for (const line of block.split("\n")) {
    const [, name, value = ""] = /^(event|data|id):? ?(.*)$/.exec(line) ?? [];
    if (name === "event" || name === "id") message[name] = value;
    if (name === "data") message.data += message.data === "" ? value : `\n${value}`;
  }
  return message;
}
