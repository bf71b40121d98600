/** What a stream can be opened to: AOSP packages/modules/adb/SERVICES.TXT, the local services. */
import type { AdbConnection } from "./adb-connection.ts";
import type { AdbStream } from "./adb-stream.ts";
import { serveSync } from "./adb-sync.ts";
import type { DeviceFiles } from "./device-files.ts";
import type { LocalSockets } from "./local-sockets.ts";
import { serveShell } from "./shell.ts";
import type { ShellHost } from "./shell-host.ts";

export interface ServicePlace {
  readonly shell: ShellHost;
  readonly files: DeviceFiles;
  readonly sockets: LocalSockets;
  readonly reboot: () => void;
}

export function phoneService(place: ServicePlace) {
  return (name: string, connection: AdbConnection): ((stream: AdbStream) => void) | undefined => {
    const colon = name.indexOf(":");
    const [kind, rest] = [name.slice(0, colon), name.slice(colon + 1)];
    const words = kind.split(",");
    switch (words[0]) {
      case "shell":
      case "exec":
        return (stream) => serveShell(stream, words, rest, place.shell);
      case "sync":
        return (stream) => serveSync(stream, place.files);
      case "localabstract":
        return place.sockets.accepting(rest);
      case "tcp":
        return place.sockets.accepting(name);
      case "reverse":
        return (stream) => place.sockets.serve(stream, rest, connection);
      case "reboot":
        return (stream) => {
          stream.end();
          place.reboot();
        };
      default:
        return undefined;
    }
  };
}
