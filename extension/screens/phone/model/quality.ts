/** What a person can choose: the most the picture may cost, as levels of the screen protocol (0 … 4). */
export const QUALITIES = [
  { id: "auto", label: "Sharp", detail: "As sharp as the connection allows", max: 4 },
  { id: "balanced", label: "Balanced", detail: "Good for slower connections", max: 2 },
  { id: "saver", label: "Save data", detail: "Small pictures", max: 0 },
] as const;
export type Quality = (typeof QUALITIES)[number];
