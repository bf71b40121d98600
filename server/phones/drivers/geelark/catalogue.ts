/** What phones at the partner can be made of. ADB opens on these versions ("Set ADB status"); Android 10 is not among them. */
import type { PhoneModel } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";

export const SOURCE_NAME = "geelark";
export const ANDROID_VERSIONS = ["9", "11", "12", "13", "14", "15"] as const;
export type AndroidVersion = (typeof ANDROID_VERSIONS)[number];
export const REGIONS = ["cn", "sgp"] as const;
export type Region = (typeof REGIONS)[number];

const REGION_WORDS = { cn: "China", sgp: "Singapore" } as const satisfies Record<Region, string>;

export function modelsOf(
  versions: readonly AndroidVersion[],
  region: Region | undefined,
  unavailable: string | undefined,
): PhoneModel[] {
  return versions.map((version) => ({
    id: `${SOURCE_NAME}:android-${version}`,
    driver: "geelark",
    label: `Android ${version} at GeeLark`,
    detail: region === undefined ? "In the partner's cloud" : `In the partner's cloud, ${REGION_WORDS[region]}`,
    ...(unavailable !== undefined && { unavailable }),
  }));
}

/** The partner's name of a model: "Android 14". */
export function vendorType(model: string | undefined, versions: readonly AndroidVersion[]): string {
  const version = model === undefined ? versions[0] : versions.find((one) => `${SOURCE_NAME}:android-${one}` === model);
  if (version === undefined)
    throw new PerchError("bad_input", "The cloud-phone partner has no such model. Choose another one.");
  return `Android ${version}`;
}
