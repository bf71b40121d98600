/** Files of a run: pictures to show and reports to save. */
import type { RunReport } from "../../shared/automation-model.ts";
import type { RunId } from "../../shared/id-values.ts";
import type { App } from "../state/compose-app.ts";
import { authorization, PRIVATE_REQUEST } from "./client.ts";

export type RunFile =
  | { readonly kind: "artifact"; readonly runId: RunId; readonly name: string }
  | { readonly kind: "report"; readonly runId: RunId; readonly report: RunReport };

/** The bytes; undefined when the server does not give them. */
export async function readRunFile(app: App, server: string, file: RunFile): Promise<Blob | undefined> {
  const path = file.kind === "report" ? file.report : `artifacts/${encodeURIComponent(file.name)}`;
  const token = (await app.tokens.get(server))?.token;
  try {
    const response = await fetch(`${server}/runs/${file.runId}/${path}`, {
      ...PRIVATE_REQUEST,
      headers: authorization(token),
    });
    return response.ok ? await response.blob() : undefined;
  } catch {
    return undefined;
  }
}
