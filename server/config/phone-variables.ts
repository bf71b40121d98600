/** Settings of phones: web phones, Androids over ADB and in containers, the cloud-phone partner. */
import { z } from "zod";
import { ANDROID_VERSIONS, REGIONS } from "../phones/drivers/geelark/catalogue.ts";
import { count, egressAllow, hostAndPort, minutes, nodeLabels, origin, wholeNumber } from "./kinds.ts";

export const PHONE_VARIABLES = {
  CHROME_PATH: { schema: z.string().min(1).optional(), about: "Browser for web phones instead of the bundled one." },
  PHONE_SANDBOX: {
    schema: z.enum(["on", "off"], { error: "Write on or off." }).default("on"),
    about: "off runs phone browsers without Chromium's sandbox. Only where the system cannot do it.",
  },
  EGRESS_ALLOW: {
    schema: z.string().default("").transform(egressAllow),
    about: "Private addresses phones may reach all the same, as host:port,host:port.",
  },
  PHONES_PER_TEAM: {
    schema: wholeNumber(1, 10_000).optional(),
    about:
      "Most phones a team may keep, whatever its plan. Default: what the plan has room for; 10 where nobody is billed.",
  },
  RUNNING_PER_TEAM: {
    schema: wholeNumber(1, 1_000).optional(),
    about:
      "Most phones a team may run at once, whatever its plan. Default: what the plan says; 4 where nobody is billed.",
  },
  RUNNING_PHONES: { schema: count(20, 10_000), about: "Most web phones this machine runs at once." },
  MOVING_PHONES: {
    schema: count(6, 1_000),
    about: "Most watched, moving web phones before this machine takes no more.",
  },
  IDLE_MINUTES: { schema: minutes(30), about: "A phone nobody uses is parked after this long." },
  LONGEST_SESSION_MINUTES: { schema: minutes(720), about: "A phone is parked after running this long." },
  PHONE_MEMORY_MB: { schema: count(1024, 65_536), about: "Most memory one phone may use." },
  PHONE_DISK_MB: { schema: count(512, 65_536), about: "Most disk one phone may use." },
  WARM_PHONES: {
    schema: z
      .enum(["0", "1"], { error: "Write 0 or 1." })
      .default("1")
      .transform((text): 0 | 1 => (text === "1" ? 1 : 0)),
    about: "Phones kept ready for an instant launch: 0 or 1.",
  },
  ADB_SERVER: {
    schema: z
      .string()
      .default("127.0.0.1:5037")
      .transform((text, context) => (text === "off" ? undefined : hostAndPort(text, context))),
    about:
      "ADB server whose Android devices can be phones, as host:port, or off. It is never started or stopped from here.",
  },
  ANDROID_IMAGES: {
    schema: z.string().min(1).optional(),
    about:
      "JSON with the Android images phones in containers are made of; see docs/android-hosts.md. Unset: there are none.",
  },
  DOCKER_HOST: {
    schema: z.string().min(1).optional(),
    about:
      "Docker Engine that runs phones in containers: unix:///var/run/docker.sock, or tcp://host:2376. More: npm run admin -- hosts add.",
  },
  DOCKER_CERT_PATH: {
    schema: z.string().min(1).optional(),
    about: "Folder with ca.pem, cert.pem and key.pem for DOCKER_HOST, where that is another machine.",
  },
  DOCKER_PHONES: { schema: count(4, 1_000), about: "Phones the machine of DOCKER_HOST keeps, parked ones too." },
  KUBERNETES_CONFIG: {
    schema: z.string().min(1).optional(),
    about:
      "Kubernetes cluster that runs phones as pods: a kubeconfig file, or cluster where this server is a pod of it. See docs/deploy.md.",
  },
  KUBERNETES_NAMESPACE: {
    schema: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "Write the name of a namespace: small letters, digits, hyphens.")
      .default("perch-phones"),
    about: "Namespace for phones and nothing else, made by deploy/kubernetes/phones.yaml.",
  },
  KUBERNETES_PHONES: { schema: count(100, 10_000), about: "Phones the cluster keeps, parked ones too." },
  KUBERNETES_NODES: {
    schema: z.string().default("perch.phones=yes").transform(nodeLabels),
    about: "Labels of the cluster's nodes that phones may be put on, as name=value,name=value.",
  },
  KUBERNETES_STORAGE_CLASS: {
    schema: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "Write the name of a storage class.")
      .optional(),
    about: "Storage class for what phones store, encrypted, with reclaimPolicy Delete. Default: the cluster's.",
  },
  KUBERNETES_DISK_GB: { schema: count(16, 10_000), about: "Disk each phone of the cluster gets." },
  ANDROID_DEVICES: {
    schema: z.enum(["registered", "discovered"], { error: "Write registered or discovered." }).default("registered"),
    about:
      "registered: only devices added with npm run admin -- android add are phones. discovered: all of the ADB server's.",
  },
  SCRCPY_SERVER_PATH: {
    schema: z.string().min(1).optional(),
    about: "The file scrcpy-server of scrcpy 3.3.3, for live video of Android phones. Without it they show pictures.",
  },
  SCRCPY_SERVER_SHA256: {
    schema: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/, "Write the 64 hexadecimal digits that sha256sum prints.")
      .transform((text) => text.toLowerCase())
      .optional(),
    about: "SHA-256 of SCRCPY_SERVER_PATH where it is a build of your own. That of the release is known.",
  },
  UIAUTOMATOR_SERVER_PATH: {
    schema: z.string().min(1).optional(),
    about:
      "The folder apks of the npm package appium-uiautomator2-server 10.6.6, so that flows read Android screens that never rest.",
  },
  UIAUTOMATOR_SERVER_SHA256: {
    schema: z
      .string()
      .regex(/^[0-9a-fA-F]{64},[0-9a-fA-F]{64}$/, "Write both files' 64 hexadecimal digits, with a comma between.")
      .transform((text) => text.toLowerCase().split(","))
      .optional(),
    about:
      "SHA-256 of the two files in UIAUTOMATOR_SERVER_PATH, the server's and the androidTest, where they are of another version.",
  },
  GEELARK_APP_ID: {
    schema: z
      .string()
      .regex(/^\w{8,64}$/, "Write the appId of your team at GeeLark.")
      .optional(),
    about: "Cloud phones of GeeLark: the appId of your team there, with GEELARK_API_KEY and GEELARK_PROXY.",
  },
  GEELARK_API_KEY: {
    secret: true,
    schema: z
      .string()
      .regex(/^\w{16,128}$/, "Write the API key of your team at GeeLark.")
      .optional(),
    about: "The API key that belongs to GEELARK_APP_ID. Calls are signed with it; it is never sent.",
  },
  GEELARK_TOKEN: {
    secret: true,
    schema: z
      .string()
      .regex(/^\S{16,2000}$/, "Write the API token of GeeLark's client, without blanks.")
      .optional(),
    about: "GeeLark's API token, instead of GEELARK_APP_ID and GEELARK_API_KEY, or where its webhooks come with it.",
  },
  GEELARK_API_BASE: {
    schema: origin.default("https://openapi.geelark.com"),
    about: "Another address for GeeLark's API, as of npm run partner:emulator.",
  },
  GEELARK_MODELS: {
    schema: z
      .string()
      .default("android-14")
      .transform((text) => text.split(",").map((one) => one.trim().replace(/^android-/, "")))
      .pipe(
        z
          .array(z.enum(ANDROID_VERSIONS, { error: `Write android-${ANDROID_VERSIONS.join(", android-")}, or some.` }))
          .min(1),
      ),
    about: "Androids phones at GeeLark are made of, the usual one first: android-14,android-13.",
  },
  GEELARK_REGION: {
    schema: z.enum(REGIONS, { error: `Write ${REGIONS.join(" or ")}.` }).optional(),
    about: "Where phones at GeeLark stand: sgp is Singapore, cn is China. Default: GeeLark's own choice.",
  },
  GEELARK_PROXY: {
    secret: true,
    schema: z
      .string()
      .regex(
        /^(\d{1,9}|(socks5|https?):\/\/\S{1,500})$/,
        "Write the number of a proxy saved at GeeLark, or socks5://….",
      )
      .optional(),
    about:
      "Through which phones at GeeLark reach the internet: the number of a proxy saved there. It makes none without.",
  },
} as const;
