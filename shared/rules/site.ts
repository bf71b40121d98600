/** Which host names belong to the same owner, judged without the public suffix list and therefore always too narrowly. */

const SHARED_SECOND_LEVEL = new Set(
  "ac asso biz co com edu gob gouv gov go gen id info ltd me mil museum name ne net nhs nic nom or org plc pro sch tm web".split(
    " ",
  ),
);
const SAME_SITE_LABELS = new Set(["www", "m", "mobile", "amp"]);

/** Whether a name looks like one under which anybody can register: `com`, `co.uk`. */
export function isPublicSuffix(host: string): boolean {
  const labels = host.split(".");
  if (labels.length === 1) return host !== "localhost";
  const [second = "", top = ""] = labels;
  return labels.length === 2 && top.length === 2 && SHARED_SECOND_LEVEL.has(second);
}

/** Whether two hosts are one site: equal once `www`, `m`, `mobile` and `amp` in front of the registrable name are gone. */
export function isSameSite(a: string, b: string): boolean {
  return a === b || bare(a) === bare(b);
}

function bare(host: string): string {
  if (/^[\d.]+$|^\[/.test(host)) return host;
  const labels = host.split(".");
  const kept = isPublicSuffix(labels.slice(-2).join(".")) ? 3 : 2;
  const front = labels.slice(0, -kept).filter((label) => !SAME_SITE_LABELS.has(label));
  return [...front, ...labels.slice(-kept)].join(".");
}
