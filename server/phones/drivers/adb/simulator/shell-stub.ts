/**
 * The programs of the simulated phone. `/bin/sh` finds each of them on its PATH as a link to one small Perl script, which
 * asks the simulator over a Unix socket. Perl because it starts in 1 ms, without
 * its modules, and is there wherever Debian is.
 */
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

export interface CommandIo {
  readonly name: string;
  readonly args: readonly string[];
  readonly classPath: string;
  out(value: string | Uint8Array): void;
  err(value: string): void;
  /** What is written to the program, until its end. */
  stdin(): AsyncIterable<Buffer>;
  /** When the program was killed. */
  readonly killed: AbortSignal;
}
export type Command = (io: CommandIo) => number | Promise<number>;

const STDOUT = 1;
const STDERR = 2;
const EXIT = 3;
const WANT_STDIN = 4;
const MAX_ARGS = 4 * 1024 * 1024;

/** Real programs that only read what is given to them; what touches files or the device is the simulator's. */
const BORROWED = [
  "env",
  "sleep",
  "head",
  "tail",
  "wc",
  "grep",
  "tr",
  "sort",
  "cut",
  "base64",
  "seq",
  "xargs",
  "true",
  "false",
];

const script = (socketPath: string) => `#!/usr/bin/perl
my $path = '${socketPath}';
my $address = $^O eq 'darwin' ? pack('CCa104', 106, 1, $path) : pack('Sa108', 1, $path);
my $s; socket($s, 1, 1, 0) && connect($s, $address) || exit 255;
binmode STDIN; binmode STDOUT; binmode STDERR; binmode $s;
sub all { my ($to, $what) = @_; my $at = 0;
  while ($at < length $what) { my $n = syswrite($to, $what, length($what) - $at, $at); exit 255 unless defined $n; $at += $n } }
sub need { my ($count) = @_; my $got = '';
  while (length $got < $count) { my $n = sysread($s, $got, $count - length $got, length $got); exit 255 unless $n } return $got }
my ($name) = $0 =~ m{([^/]*)$};
my $head = join("\\0", $name, $ENV{CLASSPATH} // '', @ARGV);
all($s, pack('N', length $head) . $head);
my $wanted = 0;
while (1) {
  my $set = ''; vec($set, fileno($s), 1) = 1; vec($set, fileno(STDIN), 1) = 1 if $wanted;
  next if select($set, undef, undef, undef) < 1;
  if ($wanted && vec($set, fileno(STDIN), 1)) {
    my $n = sysread(STDIN, my $data, 65536); $n = 0 unless defined $n; $wanted = 0 if $n == 0;
    all($s, pack('N', $n) . ($n ? $data : ''));
  }
  if (vec($set, fileno($s), 1)) {
    my ($type, $size) = unpack('CN', need(5)); my $data = $size ? need($size) : '';
    if ($type == ${STDOUT}) { all(\\*STDOUT, $data) } elsif ($type == ${STDERR}) { all(\\*STDERR, $data) }
    elsif ($type == ${EXIT}) { exit unpack('C', $data) } elsif ($type == ${WANT_STDIN}) { $wanted = 1 }
  }
}
`;

/** The two folders a path of programs is made of. */
export function installStubs(folder: string, socketPath: string, names: Iterable<string>): string {
  mkdirSync(folder, { recursive: true });
  const stub = join(folder, ".stub");
  writeFileSync(stub, script(socketPath));
  chmodSync(stub, 0o755);
  for (const name of names) symlinkSync(stub, join(folder, name));
  for (const name of BORROWED) {
    const real = [`/bin/${name}`, `/usr/bin/${name}`].find((path) => existsSync(path));
    if (real !== undefined) symlinkSync(real, join(folder, name));
  }
  return folder;
}

/** Answers the programs. */
export class StubServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #run: (io: CommandIo) => Promise<number>;

  constructor(run: (io: CommandIo) => Promise<number>) {
    this.#run = run;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(path, resolve);
    });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const killed = new AbortController();
    let ended = false;
    const stdin = new ReadableStream<Buffer>({
      start: (controller) => {
        let held: Buffer = Buffer.alloc(0);
        let head = true;
        const frames = (chunk: Buffer) => {
          held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
          while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
            const size = held.readUInt32BE(0);
            const frame = held.subarray(4, 4 + size);
            held = held.subarray(4 + size);
            if (head) {
              head = false;
              void this.#start(socket, frame.toString("utf8"), stdin, killed.signal);
            } else if (size > 0 && !ended) controller.enqueue(frame);
            else if (!ended) {
              ended = true;
              controller.close();
            }
          }
          if (head && held.length > MAX_ARGS) socket.destroy();
          if ((controller.desiredSize ?? 1) < -64) socket.pause();
        };
        socket.on("data", frames);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          killed.abort();
          if (!ended) controller.close();
          ended = true;
        });
      },
      pull: () => {
        socket.resume();
      },
      cancel: () => {
        ended = true;
        socket.resume();
      },
    });
  }

  async #start(socket: Socket, head: string, stdin: ReadableStream<Buffer>, killed: AbortSignal): Promise<void> {
    const [name = "", classPath = "", ...args] = head.split("\0");
    const frame = (type: number, bytes: Uint8Array) => {
      if (!socket.writable) return;
      const header = Buffer.alloc(5);
      header.writeUInt8(type);
      header.writeUInt32BE(bytes.length, 1);
      socket.write(header);
      if (bytes.length > 0) socket.write(bytes);
    };
    const io: CommandIo = {
      name,
      args,
      classPath,
      killed,
      out: (value) => frame(STDOUT, typeof value === "string" ? Buffer.from(value) : value),
      err: (value) => frame(STDERR, Buffer.from(value)),
      stdin: () => {
        frame(WANT_STDIN, Buffer.alloc(0));
        return stdin;
      },
    };
    const code = await this.#run(io).catch((error: unknown) => {
      io.err(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    });
    frame(EXIT, Buffer.from([code & 0xff]));
    socket.end();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
