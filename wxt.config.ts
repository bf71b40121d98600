import { mergeConfig } from "vite";
import { defineConfig } from "wxt";
import { manifestFor } from "./extension/manifest.ts";

/** Environment: `PERCH_E2E=1` builds the variant for end-to-end tests (see `extension/manifest.ts`). */
const loopbackHosts = process.env["PERCH_E2E"] === "1";

/**
 * Two files that every page shares compress better than a dozen small ones: what draws, and what the worker needs too.
 * What the popup does without at first stays out, and so does what one page alone uses.
 */
const SHARED_FILES = [
  {
    name: "page",
    test: /node_modules[\\/](react|react-dom|scheduler)[\\/]|components[\\/](?!check-field|dialog|field|lazy-part|page-head|surface|tabs)|state[\\/](app-context|phones)\.|run-time\./,
    minShareCount: 2,
    includeDependenciesRecursively: false,
  },
  {
    name: "base",
    test: /node_modules|wxt|extension[\\/](api|messaging|platform|state)[\\/](?!asks|automation|clock-skew|flow-drafts|identity|offscreen|permissions|scripting|sign-in)|shared[\\/](?!access|account-model|rules)/,
    minShareCount: 3,
    includeDependenciesRecursively: false,
  },
];

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
  hooks: {
    "vite:build:extendConfig": (entries, config) => {
      // Content scripts are one file each.
      if (!entries.some(({ type }) => type === "popup")) return;
      const build = { rollupOptions: { output: { codeSplitting: { groups: SHARED_FILES } } } };
      Object.assign(config, mergeConfig(config, { build }));
    },
  },
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
