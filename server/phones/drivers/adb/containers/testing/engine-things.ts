/** What the test Engine keeps. */
export interface FakeDevice {
  /** Of ADB, on loopback. */
  readonly port: number;
  close(): Promise<void> | void;
}
export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Record<string, string>;
  readonly argv: readonly string[];
  readonly binds: readonly string[];
  readonly plan: CreateBody;
  running: boolean;
  exitCode: number;
  outOfMemory: boolean;
  output: string;
  pollsUntilBooted: number;
  device: FakeDevice | undefined;
}
export interface FakeVolume {
  readonly labels: Record<string, string>;
  /** Sizes by name. */
  readonly files: Map<string, number>;
}
export interface CreateBody {
  readonly Image: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Labels?: Record<string, string>;
  readonly ExposedPorts?: Record<string, object>;
  readonly HostConfig?: {
    readonly Privileged?: boolean;
    readonly Binds?: readonly string[];
    readonly NetworkMode?: string;
    readonly PortBindings?: Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>;
    readonly [field: string]: unknown;
  };
}
export interface Exec {
  readonly id: string;
  readonly container: FakeContainer;
  readonly argv: readonly string[];
  running: boolean;
  exitCode: number | null;
}
