/**
 * Starts the shells of a simulated phone. A fork of a process as large as a test's takes ten milliseconds and more, and
 * holds it up meanwhile; one of a small Perl script takes none, so that one forks for it. Each shell connects its standard
 * streams to the simulator's Unix socket before it becomes `/bin/sh`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";

const START = "S";
const KILL = "K";
const FORGET = "F";
/** Instead of a status, for what could not be started. */
const NOT_STARTED = 0xffff_ffff;

/**
 * Takes [length][id][START and a line | KILL | FORGET] and gives [id][status of waitpid]. A shell and what it leaves in the
 * background are a group of their own. A child that ends breaks `select` off; one that ends just before it is seen by the
 * next look.
 */
const script = (socketPath: string) => `
my $path = '${socketPath}';
my $address = $^O eq 'darwin' ? pack('CCa104', 106, 1, $path) : pack('Sa108', 1, $path);
open(my $report, '>&', STDOUT);
my (%id, %group); my $held = '';
$SIG{CHLD} = sub {};
sub start { my ($id, $line) = @_; my $pid = fork;
  if (!defined $pid) { syswrite STDOUT, pack('NN', $id, ${NOT_STARTED}); return }
  if ($pid) { setpgrp($pid, $pid); $id{$pid} = $id; $group{$id} = $pid; return }
  setpgrp(0, 0); $SIG{CHLD} = 'DEFAULT'; my @s;
  for my $fd (0, 1, 2) { my $s; socket($s, 1, 1, 0) && connect($s, $address) || exit 255; syswrite $s, pack('NC', $id, $fd); push @s, $s }
  open(STDIN, '<&', $s[0]); open(STDOUT, '>&', $s[1]); open(STDERR, '>&', $s[2]);
  exec { '/bin/sh' } $line eq '' ? ('sh') : ('sh', '-c', $line);
  syswrite $report, pack('NN', $id, ${NOT_STARTED}); kill 'KILL', $$ }
while (1) {
  my $set = ''; vec($set, 0, 1) = 1;
  my $ready = select($set, undef, undef, %id ? 0.05 : undef);
  while ((my $pid = waitpid(-1, 1)) > 0) { my $id = delete $id{$pid}; syswrite STDOUT, pack('NN', $id, $?) if defined $id }
  next if $ready < 1;
  last unless sysread(STDIN, $held, 65536, length $held);
  while (length $held >= 4 && length $held >= 4 + unpack('N', $held)) {
    my $size = unpack('N', $held); my ($id, $what, $line) = unpack('Na1a*', substr($held, 4, $size)); $held = substr($held, 4 + $size);
    if ($what eq '${START}') { start($id, $line) } elsif ($what eq '${KILL}') { kill 'KILL', -$group{$id} if $group{$id} } else { delete $group{$id} }
  }
}
kill 'KILL', map { -$_ } values %group;
`;

export interface Shell {
  readonly stdin: Promise<Socket>;
  /** The exit code, or 128 and the number of the signal; `undefined` when it could not be started. */
  readonly exited: Promise<number | undefined>;
  readonly stdout: Promise<Socket>;
  readonly stderr: Promise<Socket>;
  /** Ends it and all it started. */
  kill(): void;
  /** Nothing is left of it. */
  forget(): void;
}

interface Starting {
  readonly streams: readonly PromiseWithResolvers<Socket>[];
  readonly exited: PromiseWithResolvers<number | undefined>;
}

export class ShellHost {
  readonly #shells = new Map<number, Starting>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #perl: ChildProcess | undefined;
  #ids = 0;

  constructor() {
    this.#server = createServer((socket) => this.#connected(socket));
  }

  /** `path`: of the PATH; `root`: the folder shells begin in. */
  async listen(socketPath: string, path: string, root: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(socketPath, resolve);
    });
    const env = {
      PATH: path,
      ANDROID_ROOT: "/system",
      ANDROID_DATA: "/data",
      EXTERNAL_STORAGE: "/sdcard",
      TMPDIR: "/data/local/tmp",
      USER: "shell",
      LC_ALL: "C.UTF-8",
    };
    const perl = spawn("/usr/bin/perl", ["-e", script(socketPath)], {
      cwd: root,
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#perl = perl;
    perl.stdin.on("error", () => undefined);
    let held = Buffer.alloc(0);
    perl.stdout.on("data", (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (; held.length >= 8; held = held.subarray(8)) this.#exited(held.readUInt32BE(0), held.readUInt32BE(4));
    });
  }

  /** @throws Error for a line no program can be given */
  start(line: string): Shell {
    if (line.includes("\0")) throw new Error("a line of a shell has no NUL");
    this.#ids += 1;
    const id = this.#ids;
    const starting = {
      streams: [0, 1, 2].map(() => Promise.withResolvers<Socket>()),
      exited: Promise.withResolvers<number | undefined>(),
    };
    this.#shells.set(id, starting);
    this.#tell(id, START, line);
    const [stdin, stdout, stderr] = starting.streams.map(({ promise }) => promise);
    if (stdin === undefined || stdout === undefined || stderr === undefined) throw new Error("three streams");
    return {
      ...{ stdin, stdout, stderr },
      exited: starting.exited.promise,
      kill: () => this.#tell(id, KILL),
      forget: () => {
        this.#shells.delete(id);
        this.#tell(id, FORGET);
      },
    };
  }

  #tell(id: number, what: string, line = ""): void {
    const head = Buffer.alloc(9);
    const rest = Buffer.from(line);
    head.writeUInt32BE(5 + rest.length);
    head.writeUInt32BE(id, 4);
    head.write(what, 8);
    this.#perl?.stdin?.write(Buffer.concat([head, rest]));
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    const whose = () => {
      const head: Buffer | null = socket.read(5);
      if (head === null) return;
      socket.off("readable", whose);
      const stream = this.#shells.get(head.readUInt32BE(0))?.streams[head.readUInt8(4)];
      if (stream === undefined) socket.destroy();
      else stream.resolve(socket);
    };
    socket.on("readable", whose);
  }

  #exited(id: number, status: number): void {
    const [signal, code] = [status & 0x7f, (status >> 8) & 0xff];
    this.#shells.get(id)?.exited.resolve(status === NOT_STARTED ? undefined : signal === 0 ? code : 128 + signal);
  }

  async close(): Promise<void> {
    const perl = this.#perl;
    this.#perl = undefined;
    if (perl !== undefined && perl.exitCode === null && perl.signalCode === null) {
      const ended = new Promise((resolve) => perl.once("exit", resolve));
      perl.stdin?.end();
      await ended;
    }
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
