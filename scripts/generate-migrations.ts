/** Generates both engines' migrations from the one schema: `npm run db:generate -- <name>`. */
import { spawnSync } from "node:child_process";

const name = process.argv[2];
if (name === undefined) {
  console.error("Say what the migration does: npm run db:generate -- add-phone-tags");
  process.exit(2);
}
for (const [dialect, folder] of [
  ["sqlite", "sqlite"],
  ["postgresql", "postgres"],
]) {
  const result = spawnSync(
    "drizzle-kit",
    [
      "generate",
      "--dialect",
      dialect ?? "",
      "--schema",
      `server/db/schema.${folder}.ts`,
      "--out",
      `migrations/${folder}`,
      "--casing",
      "snake_case",
      "--name",
      name,
    ],
    { stdio: "inherit" },
  );
  if (result.status !== 0) process.exit(result.status ?? 1);
}
