/**
 * Keeps phones in containers away from everything but the public internet: the network they live on, the rules for their
 * host's packet filter, and the look from inside a phone that shows whether the rules hold. Fails closed: what could not be
 * looked at counts as open.
 */
import { isIPv4 } from "node:net";
import { PerchError } from "../../../../errors.ts";
import type { Engine } from "./engine.ts";

export const PHONES_NETWORK = "perch-phones";

/**
 * A bridge of its own under a name the rules can use. No phone reaches another (`enable_icc`), nothing is published but on
 * loopback, and there is no IPv6, which would be a second way out.
 */
export const PHONES_NETWORK_PLAN = {
  Driver: "bridge",
  EnableIPv6: false,
  Internal: false,
  Attachable: false,
  Options: {
    "com.docker.network.bridge.name": PHONES_NETWORK,
    "com.docker.network.bridge.enable_icc": "false",
    "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
  },
  Labels: { "perch.network": "phones" },
} as const;

/** Every IPv4 address `isPublicAddress` says no to; the test of this file holds them together. */
export const NOT_PUBLIC_V4: readonly string[] = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"],
  ...["192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"],
];

/** For `nft -f` on the host. `servers`: addresses of this server, which are no place for phones even where public. */
export function firewallRules(servers: readonly string[]): string {
  const own = servers.filter((address) => isIPv4(address));
  const serverRule = own.length === 0 ? "" : `\n    ip daddr { ${own.join(", ")} } drop`;
  return `#!/usr/sbin/nft -f
# Phones of Perch reach the public internet and nothing nearer. Load at every start of the host, before its phones:
# save as /etc/nftables.d/perch-phones.nft and include it from /etc/nftables.conf.
table inet perch_phones
delete table inet perch_phones
table inet perch_phones {
  set not_public {
    type ipv4_addr
    flags interval
    elements = {
      ${NOT_PUBLIC_V4.join(",\n      ")}
    }
  }
  # To the host itself, by whichever of its addresses.
  chain to_host {
    type filter hook input priority -10; policy accept;
    iifname != "${PHONES_NETWORK}" accept
    ct state established,related accept
    drop
  }
  # Through the host.
  chain through_host {
    type filter hook forward priority -10; policy accept;
    iifname != "${PHONES_NETWORK}" accept
    ct state established,related accept
    meta nfproto ipv6 drop${serverRule}
    ip daddr @not_public drop
    oifname "${PHONES_NETWORK}" drop
  }
}
`;
}

export interface ForbiddenTarget {
  readonly address: string;
  readonly port: number;
  /** For the operator: what stands there. */
  readonly what: string;
}

/** Asked for by every cloud's virtual machines (AWS, Google, Azure, OpenStack): credentials of the host. */
const METADATA = { address: "169.254.169.254", port: 80, what: "the cloud's metadata service" } as const;
const SSH_AND_DOCKER = [22, 2375, 2376] as const;

export function forbiddenTargets(options: {
  readonly gateways: readonly string[];
  readonly servers: readonly string[];
  readonly serverPort: number;
}): readonly ForbiddenTarget[] {
  const { gateways, servers, serverPort } = options;
  return [
    ...gateways.flatMap((address) =>
      [...SSH_AND_DOCKER, serverPort].map((port) => ({ address, port, what: "the host itself" })),
    ),
    METADATA,
    ...servers.map((address) => ({ address, port: serverPort, what: "this server" })),
  ];
}

export const TOYBOX = "/system/bin/toybox";
const LOOK_MS = 8_000;
/** ADB of the phone itself: it must answer, or the look says nothing. */
const OWN_ADB = "127.0.0.1:5555";

/**
 * Targets are its arguments, so nothing is spliced into it. toybox's nc has no `-z`: a connection ends with the end of stdin,
 * of which there is none here. What a service says goes nowhere; what nc complains of is the answer.
 */
const LOOK = `for t in "$@"; do
  ( m=$(${TOYBOX} timeout 3 ${TOYBOX} nc -w 1 -q 1 "\${t%:*}" "\${t##*:}" 2>&1 >/dev/null </dev/null); echo "$t $? $m" ) &
done
wait`;
const ANSWER = /^(\S+) (\d{1,3}) ?(.*)$/;

/** Asks all at once, from inside a phone. */
export function lookArguments(targets: readonly string[]): readonly [string, ...string[]] {
  return ["/system/bin/sh", "-c", LOOK, "look", ...targets];
}

type Answers = ReadonlyMap<string, { readonly exitCode: number; readonly complaint: string }>;

function readAnswers(stdout: string): Answers {
  const answers = stdout.split("\n").flatMap((line) => {
    const [, target, exitCode, complaint = ""] = ANSWER.exec(line) ?? [];
    return target === undefined ? [] : [[target, { exitCode: Number(exitCode), complaint }] as const];
  });
  return new Map(answers);
}

export const targetName = ({ address, port }: ForbiddenTarget) => `${address}:${port}`;

/**
 * The first of `targets` that can be reached. An answer of any kind counts, a refused connection too: the packet was there.
 * Only silence and a network that says there is no way are closed; of what nothing was said, nothing is known.
 */
export function firstOpen(stdout: string, targets: readonly ForbiddenTarget[]): ForbiddenTarget | undefined {
  const answers = readAnswers(stdout);
  return targets.find((target) => {
    const answer = answers.get(targetName(target));
    return answer?.exitCode !== 1 || !CLOSED.test(answer.complaint);
  });
}

/** The first of `targets` this phone reaches. */
export async function openTarget(
  engine: Engine,
  id: string,
  targets: readonly ForbiddenTarget[],
  signal: AbortSignal,
): Promise<ForbiddenTarget | undefined> {
  const argv = lookArguments(targets.map(targetName));
  const { stdout } = await engine.exec(id, argv, { timeoutMs: LOOK_MS, signal });
  return firstOpen(stdout, targets);
}

/** toybox's own alarm says `nc: Timeout`; the rest are the kernel's words (strerror). */
const CLOSED =
  /no route to host|network is unreachable|host is unreachable|timed? ?out|permission denied|operation not permitted/i;

/** That the look works at all. */
export async function canLook(engine: Engine, id: string, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await engine.exec(id, lookArguments([OWN_ADB]), { timeoutMs: LOOK_MS, signal });
  return readAnswers(stdout).get(OWN_ADB)?.exitCode === 0;
}

/** For people; what exactly was open is for who runs the server, in the log and in `hosts check`. */
export function guardIsOpen(): PerchError {
  return new PerchError(
    "phone_unavailable",
    "The phone was stopped: its machine lets phones into its own network. Who runs the server has to load the rules of: npm run admin -- hosts firewall",
  );
}
export function guardIsBlind(): PerchError {
  return new PerchError(
    "phone_unavailable",
    "The phone was stopped: nobody could look whether its machine keeps it out of its own network. Who runs the server has to see: npm run admin -- hosts check",
  );
}
