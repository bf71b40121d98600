/** Who processes personal data on the operator's behalf, given the configuration. Embedded defaults: nobody. */
export interface Processor {
  readonly id: "mail" | "database";
  readonly name: string;
  readonly purpose: string;
  readonly region: string;
  readonly retentionDays: number;
  readonly agreement: boolean;
}

const UNSTATED = { region: "not stated", retentionDays: 14, agreement: false } as const;

export function processorsOf(config: {
  readonly SMTP_URL?: string | undefined;
  readonly DATABASE_URL?: string | undefined;
}): Processor[] {
  return [
    ...(config.DATABASE_URL === undefined
      ? []
      : [
          {
            id: "database",
            name: `PostgreSQL at ${new URL(config.DATABASE_URL).hostname}`,
            purpose: "keeps the database",
            ...UNSTATED,
          } as const,
        ]),
    ...(config.SMTP_URL === undefined
      ? []
      : [
          {
            id: "mail",
            name: `Mail server ${new URL(config.SMTP_URL).hostname}`,
            purpose: "delivers mail about your account",
            ...UNSTATED,
          } as const,
        ]),
  ];
}
