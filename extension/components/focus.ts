/** Which of the elements has the focus; -1 when none has. */
export function focusedIndex(elements: readonly (Element | null)[]): number {
  return elements.indexOf(document.activeElement);
}
