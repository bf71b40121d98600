/** Test providers of the location: AOSP frameworks/base LocationShellCommand.java (Android 12 and later). */

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** `52.5,13.4` → a place on Earth. */
export function parsePlace(text: string): Place | undefined {
  const [latitude = Number.NaN, longitude = Number.NaN, ...more] = text.split(",").map(Number);
  const good = more.length === 0 && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
  return good ? { latitude, longitude } : undefined;
}

export class TestProviders {
  readonly #there = new Set<string>();
  readonly #set: (place: Place | undefined) => void;

  constructor(set: (place: Place | undefined) => void) {
    this.#set = set;
  }

  /** What is wrong with it, in the words of an exception. */
  run(command: string, name: string, args: readonly string[]): string | undefined {
    if (command === "add-test-provider") {
      this.#there.add(name);
      return undefined;
    }
    if (!this.#there.has(name)) return `provider doesn't exist: ${name}`;
    switch (command) {
      case "remove-test-provider":
        this.#there.delete(name);
        this.#set(undefined);
        return undefined;
      case "set-test-provider-enabled":
        return undefined;
      case "set-test-provider-location": {
        const place = parsePlace(args[args.indexOf("--location") + 1] ?? "");
        if (place === undefined) return 'Location argument must be in the form of "<LATITUDE>,<LONGITUDE>"';
        this.#set(place);
        return undefined;
      }
      default:
        return `Unknown command: ${command}`;
    }
  }
}
