/** Where a run may go: one phone, or phones of a tag together. As values of one list to choose from. */
import type { Phone } from "../../../../shared/phone-model.ts";
import { PHONE_STATE_WORDS } from "../../../components/state-dot.tsx";

/** `each`: on every phone that carries the tag. `any`: once, on whichever of them is free first. */
export interface TagTarget {
  readonly share: "each" | "any";
  readonly tag: string;
}

export interface TargetOption {
  readonly value: string;
  readonly label: string;
}

/** Tags in use, in order of the alphabet, with how many phones carry each. */
export function tagsOf(phones: readonly Pick<Phone, "tags">[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const tag of phones.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
}

/** Phones first, then the tags that more than one phone carries. */
export function targetOptions(phones: readonly Phone[]): readonly TargetOption[] {
  const single = phones.map(({ id, name, state }) => ({ value: id, label: `${name} (${PHONE_STATE_WORDS[state]})` }));
  const shared = [...tagsOf(phones)].flatMap(([tag, count]) =>
    count < 2
      ? []
      : [
          { value: targetValue({ share: "any", tag }), label: `Any free phone of “${tag}”` },
          { value: targetValue({ share: "each", tag }), label: `Every phone of “${tag}” (${count})` },
        ],
  );
  return [...single, ...shared];
}

export function targetValue({ share, tag }: TagTarget): string {
  return `${share} ${tag}`;
}

/** Undefined for a phone's id, which has no space in it. */
export function readTarget(value: string): TagTarget | undefined {
  const [share, tag] = value.split(" ");
  return (share === "each" || share === "any") && tag !== undefined ? { share, tag } : undefined;
}
