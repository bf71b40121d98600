/**
 * Whether a condition holds, from its evaluated text: everything but blank, "false", "undefined", "null" and zero
 * (Maestro's Orchestra.evaluateCondition).
 */
export function isTruthy(text: string | undefined): boolean {
  const word = (text ?? "").trim();
  return word !== "" && !/^(?:false|undefined|null)$/i.test(word) && Number(word) !== 0;
}
