/**
 * A device behind a password, as cloud phones with an open ADB port are: a shell that takes `glogin <password>` and nothing
 * before it. How GeeLark's own answers who is not let in is not documented; here it says so and ends.
 */
import type { AdbConnection } from "./adb-connection.ts";
import type { AdbStream } from "./adb-stream.ts";

type Service = (name: string, connection: AdbConnection) => ((stream: AdbStream) => void) | undefined;

/** `password`: the one it takes now; undefined: nobody gets in. Who is in stays in until the connection ends. */
export function behindLogin(service: Service, password: () => string | undefined): Service {
  const inside = new WeakSet<AdbConnection>();
  const say = (words: string) => (stream: AdbStream) => {
    void stream.write(Buffer.from(`${words}\n`));
    stream.end();
  };
  return (name, connection) => {
    const given = /^shell[^:]*:glogin (.*)$/s.exec(name)?.[1];
    if (given !== undefined) {
      if (given !== password()) return say("login failed");
      inside.add(connection);
      return say("login success");
    }
    if (inside.has(connection)) return service(name, connection);
    return name.startsWith("shell") ? say("please login first") : undefined;
  };
}
