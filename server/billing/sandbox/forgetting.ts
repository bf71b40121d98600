/** Takes what leads to a person out of an object as Stripe has it: their address and id, and the name beside the address. */
const BESIDE = /^(customer_)?(email|name|address|phone)$/;

export interface Forgotten {
  readonly email: string;
  readonly userId: string;
}

/** `data`: JSON. Gives it as it was when nothing of the person is in it. */
export function without(data: string, who: Forgotten): string {
  return mentions(data, who) ? JSON.stringify(cleared(JSON.parse(data), who)) : data;
}

function mentions(text: string, { email, userId }: Forgotten): boolean {
  return (email !== "" && text.toLowerCase().includes(email.toLowerCase())) || text.includes(userId);
}

function cleared(value: unknown, who: Forgotten): unknown {
  if (typeof value === "string") return mentions(value, who) ? clearedText(value, who) : value;
  if (Array.isArray(value)) return value.map((one) => cleared(one, who));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const isTheirs = entries.some(([, one]) => typeof one === "string" && one.toLowerCase() === who.email.toLowerCase());
  return Object.fromEntries(
    entries.map(([key, one]) => [key, isTheirs && BESIDE.test(key) ? null : cleared(one, who)]),
  );
}

/** Answers kept for a call that is made again, and events on their way, are JSON in a text. */
function clearedText(text: string, who: Forgotten): string {
  try {
    return JSON.stringify(cleared(JSON.parse(text), who));
  } catch {
    return "";
  }
}
