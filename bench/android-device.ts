/** A simulated Android in a process of its own, so that its encoder and its drawing are nobody else's processor time. */
import type { App, Area } from "../server/phones/drivers/adb/simulator/app.ts";
import { startSimulator } from "../server/phones/drivers/adb/simulator/simulator.ts";
import type { View } from "../server/phones/drivers/adb/simulator/view.ts";
import { CODE_BITS, codeCells } from "./time-code.ts";

const ROWS = 20;
const COLUMNS = 9;

/** Every piece of the screen has another colour in every picture; the first row is the time it was drawn. */
class MovingApp implements App {
  readonly package = "com.example.moving";
  readonly activity = ".MovingActivity";
  readonly label = "Moving";
  readonly colour = 0x00695c;
  readonly moving = true;

  clear(): void {
    // It keeps nothing.
  }
  view({ rect, atMs }: Area): View {
    const height = Math.ceil(rect.height / ROWS);
    const width = Math.ceil(rect.width / COLUMNS);
    const step = Math.floor(atMs / 33);
    return {
      kind: "FrameLayout",
      bounds: rect,
      fill: 0x000000,
      children: [
        ...Array.from({ length: ROWS * COLUMNS }, (_, piece) => ({
          kind: "View" as const,
          fill: Math.imul(piece * 31 + step, 0x9e3779b1) & 0xffffff,
          bounds: {
            x: rect.x + (piece % COLUMNS) * width,
            y: rect.y + Math.floor(piece / COLUMNS) * height,
            width,
            height,
          },
        })),
        ...codeCells(Date.now()).map((dark, cell) => {
          const x = rect.x + Math.round((cell * rect.width) / CODE_BITS);
          const end = rect.x + Math.round(((cell + 1) * rect.width) / CODE_BITS);
          const bounds = { x, y: rect.y, width: end - x, height };
          return { kind: "View" as const, fill: dark ? 0x000000 : 0xffffff, bounds };
        }),
      ],
    };
  }
}

const [width = 720, height = 1280, density = 320] = process.argv.slice(2).map(Number);
const simulator = await startSimulator({ width, height, density });
const moving = new MovingApp();
simulator.phone.packages.add(moving);
process.on("message", (app: unknown) => {
  simulator.phone.launch(app === "moving" ? moving.package : simulator.apps.counter.package);
});
process.on("disconnect", () => void simulator.close().then(() => process.exit(0)));
process.send?.(simulator.port);
