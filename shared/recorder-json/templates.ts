/** Fixed text as a flow writes it, where `${…}` is an expression and `\${` stands for itself. */

export function literal(text: string): string {
  return text.replaceAll("${", "\\${");
}

/** The text a template stands for; undefined when it depends on values of a run. */
export function plain(template: string): string | undefined {
  const text = template.replaceAll("\\${", "\0");
  if (text.includes("${") || template.includes("\0")) return undefined;
  return text.replaceAll("\0", "${");
}
