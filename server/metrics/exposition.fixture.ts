/**
 * A strict reader of Prometheus' text format 0.0.4, for tests: throws at what Prometheus would refuse, and at what its
 * own linter complains about (`promtool check metrics`): a family without HELP or TYPE, in two places, or with a name
 * that does not say its unit.
 */
export interface ReadSample {
  readonly family: string;
  readonly type: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/;
const SUFFIXES = ["_bucket", "_sum", "_count"];

export function readExposition(text: string): ReadSample[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("The last line does not end.");
  const seen = new Set<string>();
  const series = new Set<string>();
  const samples: ReadSample[] = [];
  let family = { name: "", type: "", help: "" };
  for (const line of text.split("\n").slice(0, -1)) {
    const help = /^# HELP (\S+) (.+)$/s.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) {
      const name = help[1] ?? "";
      if (seen.has(name)) throw new Error(`${name} stands in two places.`);
      seen.add(name);
      family = { name, type: "", help: help[2] ?? "" };
    } else if (type !== null) {
      if (type[1] !== family.name) throw new Error(`TYPE of ${type[1]} without its HELP.`);
      family = { ...family, type: type[2] ?? "" };
      demandName(family.name, family.type);
    } else {
      const sample = readSample(line);
      const base = family.type === "histogram" ? SUFFIXES.find((end) => sample.name === family.name + end) : "";
      if (family.type === "" || base === undefined || (base === "" && sample.name !== family.name)) {
        throw new Error(`A sample outside its family: ${line}`);
      }
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (series.has(key)) throw new Error(`Twice: ${line}`);
      series.add(key);
      samples.push({ ...sample, family: family.name, type: family.type });
    }
  }
  return samples;
}

function demandName(name: string, type: string): void {
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${type}.`);
  if (/_(ms|milliseconds|minutes|kb|mb)(_|$)/.test(name)) throw new Error(`${name} is not in a base unit.`);
}

function readSample(line: string): Pick<ReadSample, "name" | "labels" | "value"> {
  const [, name = "", inside = "", number = ""] = SAMPLE.exec(line) ?? [];
  if (name === "") throw new Error(`No sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = inside; rest !== ""; ) {
    const match = LABEL.exec(rest);
    if (match === null) throw new Error(`No label: ${rest}`);
    const [whole, label = "", value = ""] = match;
    labels[label] = value.replaceAll(/\\([\\"n])/g, (_, one: string) => (one === "n" ? "\n" : one));
    rest = rest.slice(whole.length);
  }
  const value =
    number === "+Inf" ? Number.POSITIVE_INFINITY : number === "-Inf" ? Number.NEGATIVE_INFINITY : Number(number);
  if (Number.isNaN(value) && number !== "NaN") throw new Error(`No number: ${line}`);
  return { name, labels, value };
}
