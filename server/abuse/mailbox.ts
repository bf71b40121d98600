/** Which mailbox an address leads to, and whether its domain gives mailboxes away for minutes. */

/** These ignore dots in the name and are one domain (Gmail's help, "Dots don't matter"). */
const DOTLESS: ReadonlySet<string> = new Set(["gmail.com", "googlemail.com"]);

/**
 * The mailbox behind an address: lower case, without `+tag` (RFC 5233), dots left out where the provider ignores them.
 * Only for counting; accounts are told apart by their whole address.
 */
export function mailboxOf(email: string): string {
  const address = email.trim().normalize("NFKC").toLowerCase();
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1).replace(/\.$/, "");
  const name = address.slice(0, at).split("+")[0] ?? "";
  return DOTLESS.has(domain) ? `${name.replaceAll(".", "")}@gmail.com` : `${name}@${domain}`;
}

/** The domains of throw-away addresses; read once, when they are first needed. */
export interface DisposableDomains {
  /** Whether the domain of an address is listed, or lies below one that is. */
  has(email: string): boolean;
}

export async function disposableDomains(): Promise<DisposableDomains> {
  listed ??= import("disposable-email-domains-js").then(({ disposableEmailBlocklistSet }) =>
    disposableEmailBlocklistSet(),
  );
  const domains = await listed;
  return {
    has(email) {
      const domain = mailboxOf(email).split("@")[1] ?? "";
      const labels = domain.split(".");
      return labels.slice(0, -1).some((_, index) => domains.has(labels.slice(index).join(".")));
    },
  };
}

let listed: Promise<ReadonlySet<string>> | undefined;
