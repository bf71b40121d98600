/** Which node this is: an id that lies in the data folder, because what the node keeps lies there too. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type NodeId, newId, nodeId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";

const FILE = "node";

/** Reads it, or makes it at the first start. */
export function readNodeId(dataDir: string): NodeId {
  const file = join(dataDir, FILE);
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, `${newId("node")}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  const read = nodeId.safeParse(readFileSync(file, "utf8").trim());
  if (read.success) return read.data;
  throw new PerchError(
    "unavailable",
    `The file ${file} does not hold the id of a node. Put it back from a copy; without it the phones of this folder belong to nobody.`,
  );
}

/** A name for who gives none: the machine's. */
export function nameOfMachine(): string {
  const plain = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 40);
  return plain === "" ? "node" : plain;
}
