/** APKs as far as a phone looks at them here: a zip with a manifest. Signatures and code are not looked at. */
import { strToU8, unzipSync, zipSync } from "fflate";
import { decodeXml, type Element, encodeXml } from "./axml.ts";

export interface ApkFacts {
  readonly package: string;
  readonly label: string;
  readonly versionCode: number;
  readonly versionName: string;
  readonly minSdk: number;
  readonly permissions: readonly string[];
}

export interface ApkOptions {
  readonly package: string;
  readonly label?: string;
  readonly versionCode?: number;
  readonly versionName?: string;
  readonly minSdk?: number;
  readonly permissions?: readonly string[];
  /** Bytes that mean nothing, for an APK of some size. */
  readonly ballast?: Uint8Array;
}

/** An APK with nothing in it but what says whose it is. */
export function makeApk(options: ApkOptions): Uint8Array {
  const { versionCode = 1, versionName = "1.0", minSdk = 24, permissions = [] } = options;
  const named = (name: string, value: string): Element => ({
    name,
    attributes: { "android:name": value },
    children: [],
  });
  const manifest: Element = {
    name: "manifest",
    attributes: { "android:versionCode": versionCode, "android:versionName": versionName, package: options.package },
    children: [
      { name: "uses-sdk", attributes: { "android:minSdkVersion": minSdk }, children: [] },
      ...permissions.map((permission) => named("uses-permission", permission)),
      {
        name: "application",
        attributes: { "android:label": options.label ?? options.package },
        children: [
          {
            name: "activity",
            attributes: { "android:name": ".MainActivity" },
            children: [
              {
                name: "intent-filter",
                attributes: {},
                children: [
                  named("action", "android.intent.action.MAIN"),
                  named("category", "android.intent.category.LAUNCHER"),
                ],
              },
            ],
          },
        ],
      },
    ],
  };
  return zipSync(
    {
      "AndroidManifest.xml": encodeXml(manifest),
      "classes.dex": strToU8("dex\n035\0"),
      ...(options.ballast === undefined ? {} : { "assets/ballast": options.ballast }),
    },
    { level: 0 },
  );
}

const PARSE_FAILED = "INSTALL_PARSE_FAILED_NOT_APK: Failed to parse /data/app/vmdl1.tmp/base.apk";
const MANIFEST_FAILED = "INSTALL_PARSE_FAILED_MANIFEST_MALFORMED: Failed parse during installPackageLI";
const BAD_NAME = "INSTALL_PARSE_FAILED_BAD_PACKAGE_NAME: Invalid manifest package";
const MAX_MANIFEST = 1024 * 1024;

/** What the APK says about itself, or Android's code for why it is none. */
export function readApk(bytes: Uint8Array): ApkFacts | string {
  let manifest: Uint8Array | undefined;
  try {
    manifest = unzipSync(bytes, {
      filter: ({ name, originalSize }) => name === "AndroidManifest.xml" && originalSize <= MAX_MANIFEST,
    })["AndroidManifest.xml"];
  } catch {
    return PARSE_FAILED;
  }
  if (manifest === undefined) return PARSE_FAILED;
  try {
    const root = decodeXml(Buffer.from(manifest));
    const name = String(root.attributes["package"] ?? "");
    if (!/^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/.test(name)) return BAD_NAME;
    const child = (kind: string) => root.children.filter((element) => element.name === kind);
    return {
      package: name,
      label: String(child("application")[0]?.attributes["android:label"] ?? name),
      versionCode: Number(root.attributes["android:versionCode"] ?? 0),
      versionName: String(root.attributes["android:versionName"] ?? ""),
      minSdk: Number(child("uses-sdk")[0]?.attributes["android:minSdkVersion"] ?? 1),
      permissions: child("uses-permission").map((element) => String(element.attributes["android:name"] ?? "")),
    };
  } catch {
    return MANIFEST_FAILED;
  }
}
