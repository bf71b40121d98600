/** The operator's catalogue of Android images: the file ANDROID_IMAGES names, and what a container is started with. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PerchError } from "../../../../errors.ts";

const MB = 1024 * 1024;
const whole = (least: number, most: number) => z.number().int().min(least).max(most);

const entry = z.strictObject({
  /** Names the model: `container:<id>`. */
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, "Use up to 40 small letters, digits, dots, hyphens."),
  label: z.string().trim().min(1).max(60),
  /** Pinned by digest where it can be: `redroid/redroid@sha256:…`. */
  image: z
    .string()
    .max(250)
    .regex(
      /^[a-z0-9][a-z0-9._:/-]*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/i,
      "Write an image like redroid/redroid:14.0.0-latest.",
    ),
  /** For people: `14`. */
  android: z.string().regex(/^\d{1,2}(\.\d{1,2}){0,2}$/, "Write a version of Android like 14."),
  width: whole(240, 4096).default(720),
  height: whole(240, 4096).default(1280),
  dpi: whole(80, 800).default(320),
  fps: whole(1, 120).default(30),
  /** As redroid names them: `guest` draws with the CPU and works everywhere. */
  gpu: z.enum(["auto", "host", "guest"]).default("guest"),
  memoryMb: whole(512, 65_536).default(3_072),
  cpus: z.number().min(0.25).max(64).default(2),
  /** A first boot with Google's apps was seen above 1,500. */
  pids: whole(512, 65_536).default(4_096),
  /** Only hosts of this region have it. */
  region: z
    .string()
    .regex(/^[\w-]{1,20}$/)
    .optional(),
});
export type CatalogueImage = z.output<typeof entry>;
const catalogue = z
  .strictObject({ images: z.array(entry).min(1).max(100) })
  .refine(({ images }) => new Set(images.map(({ id }) => id)).size === images.length, "Two images have the same id.");

/** What is in no file: nothing. @throws PerchError that names what to correct */
export async function readCatalogue(file: string | undefined): Promise<readonly CatalogueImage[]> {
  if (file === undefined) return [];
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new PerchError("bad_input", `ANDROID_IMAGES: ${file} cannot be read.`, { cause });
  });
  return parseCatalogue(text, file);
}

export function parseCatalogue(text: string, name: string): readonly CatalogueImage[] {
  const wrong = (what: string) => new PerchError("bad_input", `ANDROID_IMAGES: ${name}: ${what}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong("is not JSON.");
  }
  const parsed = catalogue.safeParse(json);
  if (parsed.success) return parsed.data.images;
  const [issue] = parsed.error.issues;
  throw wrong(`${issue?.path.join(".") ?? ""} ${issue?.message ?? "is not a catalogue."}`.trim());
}

/**
 * Arguments of redroid's init (https://github.com/remote-android/redroid-doc, "Configuration"). memfd takes the place of
 * ashmem, which kernels have lost in 5.18.
 */
export function androidArguments(image: CatalogueImage): readonly string[] {
  return [
    `androidboot.redroid_width=${image.width}`,
    `androidboot.redroid_height=${image.height}`,
    `androidboot.redroid_dpi=${image.dpi}`,
    `androidboot.redroid_fps=${image.fps}`,
    `androidboot.redroid_gpu_mode=${image.gpu}`,
    "androidboot.use_memfd=1",
  ];
}

/** Limits as the Engine API counts them. Swap would only hide that memory ran out. */
export function resourceLimits({ memoryMb, cpus, pids }: CatalogueImage) {
  const bytes = memoryMb * MB;
  return { Memory: bytes, MemorySwap: bytes, NanoCpus: Math.round(cpus * 1e9), PidsLimit: pids };
}
