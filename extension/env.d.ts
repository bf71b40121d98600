/** What the build puts in place of these words. */
interface ImportMeta {
  readonly env: { readonly FIREFOX: boolean };
}
