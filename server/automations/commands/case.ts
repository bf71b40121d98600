/** One behaviour of the language: a flow on a page, and what the page says happened to it. */
export interface Case {
  readonly name: string;
  /** Of `PAGES`; the flow begins with it open. */
  readonly page: string;
  /** YAML of the steps after `launchApp`; `SITE` and `OTHER` stand for the origins of two sites. */
  readonly steps: string;
  /** More lines of the header. */
  readonly header?: string;
  /** What the page says, in this order and nothing else; a pattern for what differs from run to run. */
  readonly says?: readonly (string | RegExp)[];
  /** Absent: passed. */
  readonly ends?: "warned" | "failed";
  /** Part of the error, or of a step's remark. */
  readonly words?: RegExp;
}
