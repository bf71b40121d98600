/**
 * Tells the tests of phones in containers to podman's API service, which answers Docker's calls: with its containers, its
 * bridge and the kernel's packet filter. Android is the simulator behind a stand-in image of toybox, busybox and an init.
 * Needs root on Linux and Debian's podman, runc, containernetworking-plugins or netavark, nftables, toybox, busybox-static.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const NEEDED = ["podman", "runc", "nft", "toybox", "busybox", "tar", "ldd"];
const IMAGE = "localhost/perch/stand-in:1";
const TESTS = ["engine", "podman"].map((name) => `server/phones/drivers/adb/containers/${name}.test.ts`);

/** A machine without CAP_SYS_RESOURCE cannot raise limits, and crun knows no hybrid cgroups. */
const CONTAINERS_CONF = `[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;
/** adbd listens in it and hands on to a socket file in the phone's volume, where the simulator answers. */
const INIT = `#!/bin/sh
/system/bin/toybox nc -s 0.0.0.0 -p 5555 -L /system/bin/toybox nc -U /data/adb.sock &
trap "exit 0" TERM
while :; do /system/bin/toybox sleep 1; done
`;

/** False when a test failed; undefined where this machine cannot run it. */
export async function tellPodman(): Promise<boolean | undefined> {
  const missing = NEEDED.filter((name) => spawnSync("which", [name]).status !== 0);
  if (process.platform !== "linux" || process.getuid?.() !== 0 || missing.length > 0) {
    console.log(`podman: left out, it needs root on Linux${missing.map((name) => `, ${name}`).join("")}`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "podman-"));
  const socket = join(folder, "podman.sock");
  writeFileSync(join(folder, "containers.conf"), CONTAINERS_CONF);
  writeFileSync(
    join(folder, "storage.conf"),
    `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/root"\nrunroot = "${folder}/run"\n`,
  );
  const env = {
    ...process.env,
    CONTAINERS_CONF: join(folder, "containers.conf"),
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
  };
  const podman = (...args: string[]) => {
    const { status, stderr } = spawnSync("podman", args, { env, encoding: "utf8" });
    if (status !== 0) throw new Error(`podman ${args[0]}: ${stderr.trim()}`);
  };
  makeRootfs(join(folder, "rootfs"));
  spawnSync("tar", ["-C", join(folder, "rootfs"), "-cf", join(folder, "rootfs.tar"), "."]);
  const service = spawn("podman", ["system", "service", "--time=0", `unix://${socket}`], { env, stdio: "ignore" });
  try {
    podman("import", "-c", 'ENTRYPOINT ["/init"]', join(folder, "rootfs.tar"), IMAGE);
    for (let tries = 0; !existsSync(socket) && tries < 100; tries += 1) await sleep(100);
    const counterpart = {
      TEST_DOCKER_HOST: `unix://${socket}`,
      TEST_DOCKER_IMAGE: IMAGE,
      TEST_DOCKER_VOLUMES: join(folder, "root/volumes"),
    };
    const { status } = spawnSync("vitest", ["run", "--project", "server", ...TESTS], {
      env: { ...env, ...counterpart },
      stdio: "inherit",
    });
    console.log(status === 0 ? "podman: all tests of phones in containers passed" : "podman: failed");
    return status === 0;
  } finally {
    spawnSync("podman", ["rm", "-fa"], { env });
    spawnSync("podman", ["network", "rm", "-f", "perch-phones"], { env });
    const ended = once(service, "exit");
    service.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeRootfs(root: string): void {
  for (const name of ["system/bin", "bin", "data", "proc", "sys", "dev", "tmp"]) {
    mkdirSync(join(root, name), { recursive: true });
  }
  const toybox = spawnSync("which", ["toybox"], { encoding: "utf8" }).stdout.trim();
  const busybox = spawnSync("which", ["busybox"], { encoding: "utf8" }).stdout.trim();
  copyFileSync(toybox, join(root, "system/bin/toybox"));
  copyFileSync(busybox, join(root, "bin/busybox"));
  for (const library of spawnSync("ldd", [toybox], { encoding: "utf8" }).stdout.match(/\/\S+/g) ?? []) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  for (const name of ["system/bin/sh", "bin/sh"]) symlinkSync("/bin/busybox", join(root, name));
  writeFileSync(join(root, "system/bin/getprop"), "#!/bin/sh\necho 1\n");
  writeFileSync(join(root, "init"), INIT);
  for (const name of ["system/bin/getprop", "init"]) chmodSync(join(root, name), 0o755);
}
