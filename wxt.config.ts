import { mergeConfig } from "vite";
import { defineConfig } from "wxt";
import { manifestFor } from "./extension/manifest.ts";

/** Environment: `PERCH_E2E=1` builds the variant for end-to-end tests (see `extension/manifest.ts`). */
const loopbackHosts = process.env["PERCH_E2E"] === "1";

const EXPRESSIONS_HERE = /rules[\\/]expressions-here\./;

/**
 * Few files that every page shares compress better than a dozen small ones: what draws, and what the worker needs too.
 * What the popup does without at first stays out, and so does what one page alone uses.
 */
const SHARED_FILES = [
  {
    name: "page",
    test: /node_modules[\\/](react|react-dom|scheduler)[\\/]|components[\\/](?!check-field|choice-cards|dialog|field|form-dialog|lazy-part|page-head|profile-picker|surface|tabs)|state[\\/](app-context|default-phone|phones|until-unparked)\.|run-time\./,
    minShareCount: 2,
    includeDependenciesRecursively: false,
  },
  {
    name: "base",
    test: /node_modules|wxt|extension[\\/](api|messaging|platform|state)[\\/](?!asks|automation|clock-skew|data-import|flow-drafts|forget|identity|leaving|offscreen|pending|permissions|privacy|scripting|sign-in|use-privacy)|shared[\\/](?!access|account-model|billing|phone-words|phones\.|privacy|rules|screen-protocol|uploads)/,
    minShareCount: 3,
    includeDependenciesRecursively: false,
  },
  {
    // Only Firefox's worker loads the engine itself; Chrome's is spared what that takes.
    name: "expressions-here",
    test: EXPRESSIONS_HERE,
    includeDependenciesRecursively: false,
  },
  {
    // Small parts the worker shares with the panel, which the popup does without.
    name: "worker",
    test: /messaging[\\/]asks|platform[\\/](permissions|leaving)|state[\\/](automation|forget|privacy-(mark|clock)\.)|rules[\\/]expression-messages/,
    minShareCount: 2,
    includeDependenciesRecursively: false,
  },
];

/** Files lie on this computer: naming all that a later part needs costs the page more than it saves. */
const MODULE_PRELOAD = {
  polyfill: false,
  resolveDependencies: (_: string, files: string[], { hostType }: { hostType: "html" | "js" }) =>
    hostType === "html" ? files : [],
};

export default defineConfig({
  srcDir: "extension",
  publicDir: "extension/public",
  outDir: loopbackHosts ? "dist/extension-e2e" : "dist/extension",
  imports: false,
  manifestVersion: 3,
  modules: ["@wxt-dev/module-react", "@wxt-dev/webextension-polyfill"],
  manifest: ({ browser }) => manifestFor({ browser, loopbackHosts }),
  // The oldest browsers the manifest admits: nothing needs translating for them.
  vite: () => ({ build: { target: ["chrome120", "firefox140"], modulePreload: MODULE_PRELOAD } }),
  hooks: {
    "vite:build:extendConfig": (entries, config) => {
      // Content scripts are one file each.
      if (!entries.some(({ type }) => type === "popup")) return;
      // Loading it does nothing, so who calls nothing of it does not load it.
      const treeshake = { moduleSideEffects: [{ test: EXPRESSIONS_HERE, sideEffects: false }] };
      const build = { rollupOptions: { treeshake, output: { codeSplitting: { groups: SHARED_FILES } } } };
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
