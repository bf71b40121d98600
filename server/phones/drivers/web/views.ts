/** What the phone itself (not a page) can show, and what a person can answer there. */
import { z } from "zod";

export interface SelectOption {
  readonly label: string;
  readonly selected: boolean;
  readonly disabled: boolean;
  readonly group?: string | undefined;
}
export type ValueKind = "date" | "time" | "month" | "week" | "datetime-local" | "color";

/** A question over the page. */
export type SheetView =
  | {
      readonly kind: "dialog";
      readonly type: "alert" | "confirm" | "prompt" | "beforeunload";
      readonly host: string;
      readonly message: string;
      readonly defaultText: string;
      /** The page has asked too often: offer to stop it. */
      readonly storm: boolean;
    }
  | { readonly kind: "select"; readonly title: string; readonly options: readonly SelectOption[] }
  | {
      readonly kind: "value";
      readonly type: ValueKind;
      readonly title: string;
      readonly value: string;
      readonly min: string;
      readonly max: string;
    }
  | { readonly kind: "files"; readonly multiple: boolean; readonly names: readonly string[] };

export type ProblemAction = "reload" | "wait" | "close";

export type SystemView =
  | {
      readonly screen: "home";
      readonly apps: readonly { readonly name: string; readonly icon?: string | undefined }[];
      readonly files: readonly { readonly name: string; readonly bytes: number }[];
      readonly note: string;
    }
  | {
      readonly screen: "recents";
      readonly tabs: readonly { readonly id: string; readonly title: string; readonly host: string }[];
    }
  | { readonly screen: "opening"; readonly host: string }
  | {
      readonly screen: "problem";
      readonly title: string;
      readonly text: string;
      readonly actions: readonly { readonly action: ProblemAction; readonly label: string }[];
    }
  | { readonly screen: "sheet"; readonly sheet: SheetView; readonly backdrop: string };

const action = z.discriminatedUnion("type", [
  z.object({ type: z.literal("open"), text: z.string().max(8192) }),
  z.object({ type: z.literal("app"), index: z.number().int() }),
  z.object({ type: z.literal("removeApp"), index: z.number().int() }),
  z.object({ type: z.literal("tab"), id: z.string() }),
  z.object({ type: z.literal("closeTab"), id: z.string() }),
  z.object({ type: z.literal("problem"), action: z.enum(["reload", "wait", "close"]) }),
  z.object({ type: z.literal("dialog"), accept: z.boolean(), text: z.string(), silence: z.boolean() }),
  z.object({ type: z.literal("choose"), index: z.number().int().min(0) }),
  z.object({ type: z.literal("value"), value: z.string().max(40) }),
  z.object({ type: z.literal("files"), names: z.array(z.string().max(255)).max(100) }),
  z.object({ type: z.literal("cancel") }),
  z.object({ type: z.literal("keyboard"), open: z.boolean() }),
  z.object({ type: z.literal("copied"), value: z.string() }),
]);
/** What the system page reports: an answer, and the number of the view it was given in. */
export const systemMessage = z.object({ view: z.number().int(), action });
export type SystemAction = z.infer<typeof action>;
