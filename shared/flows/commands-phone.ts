/** Commands on the phone itself: apps, links, place, permissions, modes, media. */
import type { CommandSpec, CommandTable } from "./command-spec.ts";
import { permissionValue, type Template } from "./model.ts";
import { type Fields, present } from "./reader.ts";
import { isNothing } from "./source.ts";

function onApp(name: "stopApp" | "killApp" | "clearState"): CommandSpec {
  return {
    fields: ["appId"],
    short: "appId",
    bare: true,
    example: name,
    read: (fields) => present({ name, appId: fields.text("appId") }),
  };
}

function bare(
  name:
    | "back"
    | "hideKeyboard"
    | "clearKeychain"
    | "toggleDarkMode"
    | "assertDarkMode"
    | "assertLightMode"
    | "toggleAirplaneMode",
): CommandSpec {
  return { fields: [], bare: true, example: name, read: () => ({ name }) };
}

function mode(name: "setDarkMode" | "setAirplaneMode"): CommandSpec {
  return {
    fields: ["value"],
    short: "value",
    bare: false,
    example: `${name}: enabled`,
    read(fields) {
      const value = fields.word("value", ["enabled", "disabled"]);
      if (value !== undefined) return { name, value };
      return fields.node("value") === undefined ? fields.missing("value", "value: enabled") : undefined;
    },
  };
}

/** Each permission with its answer, or with an expression that gives one. */
function readPermissions(fields: Fields): Readonly<Record<string, Template>> | undefined {
  const node = fields.node("permissions");
  if (node === undefined) return undefined;
  const values = fields.texts("permissions");
  if (values === undefined || node.kind !== "map") return undefined;
  const entries = node.entries.map(({ key, value }): [string, Template] => {
    const text = values[key] ?? "";
    const word = text.includes("${") ? text : permissionValue(text);
    if (word === undefined) {
      fields.reader.error(value.place, `The permission \`${key.slice(0, 60)}\` must be allow, deny or unset.`);
    }
    return [key, word ?? "unset"];
  });
  return Object.fromEntries(entries);
}

function readArguments(fields: Fields): Readonly<Record<string, string | number | boolean>> | undefined {
  const node = fields.node("arguments");
  const values = fields.texts("arguments");
  if (values === undefined || node?.kind !== "map") return undefined;
  const entries = node.entries.map(({ key, value }): [string, string | number | boolean] => {
    const text = values[key] ?? "";
    const plain = value.kind === "scalar" && value.plain;
    if (plain && /^(true|false)$/i.test(text)) return [key, text.toLowerCase() === "true"];
    if (plain && /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return [key, Number(text)];
    return [key, text];
  });
  return Object.fromEntries(entries);
}

const ORIENTATIONS = ["PORTRAIT", "LANDSCAPE_LEFT", "LANDSCAPE_RIGHT", "UPSIDE_DOWN"] as const;

export const PHONE_COMMANDS: CommandTable = {
  launchApp: {
    fields: ["appId", "url", "clearState", "clearKeychain", "stopApp", "permissions", "arguments"],
    short: "appId",
    bare: true,
    example: "launchApp",
    mistakes: { clearstate: "Did you mean `clearState`?", launchArguments: "Did you mean `arguments`?" },
    read: (fields) => {
      fields.flag("clearKeychain");
      return present({
        name: "launchApp",
        appId: fields.text("appId") ?? fields.text("url"),
        clearState: fields.flag("clearState"),
        stopApp: fields.flag("stopApp"),
        permissions: readPermissions(fields),
        arguments: readArguments(fields),
      });
    },
  },
  stopApp: onApp("stopApp"),
  killApp: onApp("killApp"),
  clearState: onApp("clearState"),
  openLink: {
    fields: ["link", "browser", "autoVerify"],
    short: "link",
    bare: false,
    example: "openLink: https://example.com",
    mistakes: { url: "Did you mean `link`?" },
    read(fields) {
      fields.flag("autoVerify");
      const link = fields.needed("link", "link: https://example.com");
      return link === undefined ? undefined : present({ name: "openLink", link, browser: fields.flag("browser") });
    },
  },
  back: bare("back"),
  hideKeyboard: bare("hideKeyboard"),
  clearKeychain: bare("clearKeychain"),
  setLocation: {
    fields: ["latitude", "longitude"],
    bare: false,
    example: "setLocation: {latitude: 52.52, longitude: 13.4}",
    mistakes: { lat: "Did you mean `latitude`?", lon: "Did you mean `longitude`?", lng: "Did you mean `longitude`?" },
    read(fields) {
      if (fields.node("latitude") === undefined) return fields.missing("latitude", "latitude: 52.52");
      if (fields.node("longitude") === undefined) return fields.missing("longitude", "longitude: 13.4");
      const latitude = fields.numberText("latitude", { min: -90, max: 90, whole: false }, "expressions");
      const longitude = fields.numberText("longitude", { min: -180, max: 180, whole: false }, "expressions");
      return latitude === undefined || longitude === undefined
        ? undefined
        : { name: "setLocation", latitude, longitude };
    },
  },
  travel: {
    fields: ["points", "speed"],
    bare: false,
    example: 'travel: {points: ["52.5,13.4", "52.6,13.5"], speed: 20}',
    read(fields) {
      const node = fields.node("points");
      if (node === undefined) return fields.missing("points", 'points: ["52.5,13.4", "52.6,13.5"]');
      const points = fields.reader.list(node, fields.what("points"))?.map((item) => {
        const point = fields.reader.text(item, "A point of `travel`") ?? "";
        if (point.includes("${")) fields.reader.portable = false;
        else if (!/^\s*-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?\s*$/.test(point) && point !== "") {
          fields.reader.error(item.place, 'A point of `travel` is latitude and longitude, `"52.52,13.4"`.');
        }
        return point;
      });
      return (
        points &&
        present({ name: "travel", points, speed: fields.number("speed", { min: 0, max: 1_000_000, whole: false }) })
      );
    },
  },
  setOrientation: {
    fields: ["orientation"],
    short: "orientation",
    bare: false,
    example: "setOrientation: LANDSCAPE_LEFT",
    read(fields) {
      const text = fields.needed("orientation", "orientation: LANDSCAPE_LEFT");
      if (text === undefined || text.includes("${"))
        return text === undefined ? undefined : { name: "setOrientation", orientation: text };
      const orientation = fields.word("orientation", ORIENTATIONS);
      return orientation && { name: "setOrientation", orientation };
    },
  },
  setPermissions: {
    fields: ["appId", "url", "permissions"],
    bare: false,
    example: "setPermissions: {permissions: {all: deny}}",
    read(fields) {
      if (fields.node("permissions") === undefined) return fields.missing("permissions", "permissions: {all: deny}");
      const permissions = readPermissions(fields);
      const appId = fields.text("appId") ?? fields.text("url");
      return permissions && present({ name: "setPermissions", appId, permissions });
    },
  },
  setDarkMode: mode("setDarkMode"),
  toggleDarkMode: bare("toggleDarkMode"),
  assertDarkMode: bare("assertDarkMode"),
  assertLightMode: bare("assertLightMode"),
  setAirplaneMode: mode("setAirplaneMode"),
  toggleAirplaneMode: bare("toggleAirplaneMode"),
  addMedia: {
    fields: ["files"],
    short: "files",
    shortTakes: "list",
    bare: false,
    example: 'addMedia: ["cat.png"]',
    read(fields) {
      const node = fields.node("files");
      if (node === undefined) return fields.missing("files", "files: [cat.png]");
      const items = fields.reader.list(node, fields.what("files"));
      const files = items?.flatMap(
        (item) =>
          (isNothing(item)
            ? fields.reader.error(item.place, "A file of `addMedia` has no name.")
            : fields.reader.text(item, "A file of `addMedia`")) ?? [],
      );
      return files && { name: "addMedia", files };
    },
  },
};
