/** A one-line break of a control, with the test that must go red. */
export interface Mutation {
  /** What is broken, in words. */
  readonly breaks: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly test: { readonly file: string; readonly title: string };
}
