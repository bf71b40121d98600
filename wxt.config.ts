import { defineConfig } from "wxt";
import { manifestFor } from "./extension/manifest.ts";

/** Environment: `PERCH_E2E=1` builds the variant for end-to-end tests (see `extension/manifest.ts`). */
const loopbackHosts = process.env["PERCH_E2E"] === "1";

export default defineConfig({
  srcDir: "extension",
  publicDir: "extension/public",
  outDir: loopbackHosts ? "dist/extension-e2e" : "dist/extension",
  imports: false,
  manifestVersion: 3,
  modules: ["@wxt-dev/module-react", "@wxt-dev/webextension-polyfill"],
  manifest: ({ browser }) => manifestFor({ browser, loopbackHosts }),
  // The oldest browsers the manifest admits: nothing needs translating for them.
  vite: () => ({ build: { target: ["chrome120", "firefox140"], modulePreload: { polyfill: false } } }),
  zip: {
    // What a reviewer needs to build the same bytes again, and nothing else.
    includeSources: [
      "extension/**",
      "shared/**",
      "package.json",
      "package-lock.json",
      "wxt.config.ts",
      "tsconfig.json",
      "README.md",
    ],
  },
});
