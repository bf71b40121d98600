/**
 * Loaded into the server's process before it starts (`node --import`): at `SIGUSR2` its clock goes on by eleven minutes,
 * more than a proof of who asks counts. It says `later <ms>` once it has.
 */
const LATER_MS = 11 * 60_000;
const now = Date.now.bind(Date);
let late = 0;

Date.now = () => now() + late;
process.on("SIGUSR2", () => {
  late += LATER_MS;
  process.stdout.write(`later ${late}\n`);
});
